"""A metric's history as a thin line, so that one line does not merge with the next."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Final

import numpy as np
from rich.segment import Segment
from rich.style import Style

from tui_latent.map_frame import Frame, drawable
from tui_latent.tui.charts.raster import Cells, Floats, curve_cells

_DIM: Final = Style(dim=True)
_LINE: Final = Style()


def spark_lines(
    steps: Floats, values: Floats, width: int, height: int, limit: float | None
) -> list[list[Segment]]:
    """Draw (N,) values over steps as braille dots, and a limit within their range, dashed.

    Returns `height` lines of `width` cells, as segments.
    """
    keep = drawable(values)
    steps, values = steps[keep], values[keep]
    blank = [[Segment(" " * width)] for _ in range(height)]
    if not len(values) or width < 1:
        return blank
    low, high = float(values.min()), float(values.max())
    middle = (low + high) / 2
    half = (high - low) / 2 if high - low > 1e-9 * max(abs(low), abs(high)) else 1.0
    # From the start of the run, as in the other charts; a constant runs through the middle.
    frame = Frame(0.0, float(steps[-1]) or 1.0, middle - half, middle + half)
    rows = [[(" ", _DIM)] * width for _ in range(height)]
    if limit is not None and low <= limit <= high and low < high:
        level = np.full(2, limit)
        ends = np.array([frame.left, frame.right])
        for column, row, _ in _places(curve_cells(ends, level, level, frame, width, height)):
            rows[row][column] = ("┄", _DIM)
    for column, row, dots in _places(curve_cells(steps, values, values, frame, width, height)):
        rows[row][column] = (dots, _LINE)
    # Cells of one style go together, because a terminal is sent the style of each segment.
    runs = [groupby(row, key=lambda cell: cell[1]) for row in reversed(rows)]
    return [
        [Segment("".join(mark for mark, _ in run), style) for style, run in row] for row in runs
    ]


def _places(cells: Cells) -> Iterable[tuple[int, int, str]]:
    return zip(cells.columns.tolist(), cells.rows.tolist(), cells.marks, strict=True)
