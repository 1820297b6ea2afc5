"""How much room a screen needs, and what it says where there is less."""

from __future__ import annotations

from typing import Final

SMALLEST: Final = (60, 20)
"""columns and rows below which a sentence takes the place of a screen"""


def too_small(size: tuple[int, int]) -> bool:
    """Tell whether (columns, rows) are too few."""
    return size[0] < SMALLEST[0] or size[1] < SMALLEST[1]


def too_small_words(size: tuple[int, int]) -> str:
    """Say what is needed and what there is."""
    columns, rows = SMALLEST
    return f"tui-latent needs {columns}x{rows} cells; here are {size[0]}x{size[1]}."
