"""Labels on a chart, placed where there is no curve."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui_latent.palettes import RGB
from tui_latent.tui.charts.canvas import overlay
from tui_latent.tui.charts.raster import Cells


@dataclass(frozen=True)
class Label:
    """Words on a canvas; rows count from the bottom."""

    column: int
    row: int
    text: str
    color: RGB | None = None
    dim: bool = False
    curve: int | None = None
    """position of the curve that a click on it brings to the front"""


class FreeCells:
    """Which cells of a canvas are empty."""

    def __init__(self, columns: int, rows: int, taken: Iterable[Cells]) -> None:
        self._free = np.ones((rows, columns), np.bool_)
        for cells in taken:
            self._free[cells.rows, cells.columns] = False

    def run(self, row: int, column: int) -> int:
        """Return how many cells are free from a cell on to the right."""
        cells = self._free[row, column:]
        return len(cells) if cells.all() else int(cells.argmin())

    def take(self, row: int, column: int, count: int) -> None:
        """Mark the cells of a label as no longer free, and one on each side of it."""
        self._free[row, max(column - 1, 0) : column + count + 1] = False

    def nearest_row(
        self, row: int, column: int, count: int, reach: int, allowed: range | None = None
    ) -> int | None:
        """Return the row nearest to `row` with `count` free cells from a column on.

        It is one of those `allowed`, or any of the canvas.
        """
        allowed = range(len(self._free)) if allowed is None else allowed
        for distance in range(reach + 1):
            for other in (row + distance, row - distance):
                if other in allowed and self.run(other, column) >= count:
                    return other
        return None


def lay_labels(
    strips: Sequence[Strip], labels: Iterable[Label], left: int, rows: int
) -> list[Strip]:
    """Lay labels over the canvas of `rows` rows that begins `left` cells in, at the top."""
    result = list(strips)
    for label in labels:
        line = rows - 1 - label.row
        color = Color.from_rgb(*label.color) if label.color else None
        style = Style(color=color, dim=label.dim or None)
        if label.curve is not None:
            style += Style.from_meta({"curve": label.curve})
        over = Strip([Segment(label.text, style)], cell_len(label.text))
        result[line] = overlay(result[line], left + label.column, over)
    return result
