"""How long a search for neighbours takes: seconds, or minutes that a person should ask for."""

from __future__ import annotations

from typing import Final

MOST_WORK: Final = 5e11
"""subtractions that a search may take while somebody waits: about ten seconds on two cores"""


def affordable(queries: int, bank: int, dimensions: int) -> bool:
    """Return whether so many queries of a bank take seconds rather than minutes."""
    return float(queries) * bank * dimensions <= MOST_WORK
