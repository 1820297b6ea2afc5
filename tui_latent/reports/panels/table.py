"""Tables: a line of titles, and rows of cells that are shortened rather than cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tui_latent.reports.page import LINE_HEIGHT, Box, Page
from tui_latent.reports.style import BODY, FAINT, GRID
from tui_latent.reports.text import fit

ROW: Final = LINE_HEIGHT * 1.12
_PAD: Final = 0.08


@dataclass(frozen=True)
class Column:
    """Where a column's cells stand, in inches from the table's left."""

    left: float
    width: float
    right: bool = False
    """numbers stand at the column's right end"""


@dataclass(frozen=True)
class Cell:
    """A text in a table."""

    text: str
    style: dict[str, Any] = field(default_factory=dict)


def table_height(rows: int) -> float:
    """Return the height in inches of a table with this many rows, titles included."""
    return (rows + 1) * ROW + 0.1


def draw_table(
    page: Page,
    box: Box,
    columns: Sequence[Column],
    titles: Sequence[Cell],
    rows: Sequence[Sequence[Cell]],
) -> None:
    """Draw a table at the top of a box, a fine line under each row."""
    axes = page.canvas(Box(box.left, box.top, box.width, table_height(len(rows))))
    for index, cells in enumerate([titles, *rows]):
        baseline = box.top + (index + 1) * ROW - 0.06
        below = (index + 1) * ROW + 0.01
        axes.plot([0, box.width], [below, below], color=GRID, linewidth=0.8)
        for column, cell in zip(columns, cells, strict=True):
            style = {"color": FAINT} | cell.style if index == 0 else cell.style
            weight = str(style.get("weight", "normal"))
            text = fit(cell.text, column.width - _PAD, BODY, weight)
            edge = column.left + (column.width - _PAD if column.right else 0)
            if text:
                page.text(
                    box.left + edge, baseline, text, ha="right" if column.right else "left", **style
                )
