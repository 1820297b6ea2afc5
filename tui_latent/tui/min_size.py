"""The smallest terminal that the screens support."""

from __future__ import annotations

from typing import Final

SMALLEST: Final = (60, 20)
"""columns and rows below which a message replaces the screen"""


def too_small(size: tuple[int, int]) -> bool:
    """Return whether (columns, rows) are too few."""
    return size[0] < SMALLEST[0] or size[1] < SMALLEST[1]


def too_small_words(size: tuple[int, int]) -> str:
    """Return a message with the needed and the actual size."""
    columns, rows = SMALLEST
    return f"tui-latent needs {columns}x{rows} cells; this is {size[0]}x{size[1]}."
