"""The part of a chart's x axis that is visible: zooming, panning and moving the cursor."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from tui_latent.map_frame import Frame
from tui_latent.tui.charts.raster import Floats

_DEEPEST: Final = 1 / 2000
"""smallest visible part of the whole axis; a curve has about a thousand records"""

Span = tuple[float, float]


@dataclass(frozen=True)
class Plot:
    """Where a chart has drawn its curves, and which part of the plane they show."""

    left: int
    """cells left of the curves"""
    top: int
    columns: int
    rows: int
    frame: Frame
    end: float
    """where the longest curve ends"""

    def x_at(self, column: float) -> float:
        """Return the place of a column, which may be outside."""
        share = column / max(self.columns - 1, 1)
        return self.frame.left + share * (self.frame.right - self.frame.left)

    def column_of(self, x: float) -> int | None:
        """Return the column of a place; None outside."""
        share = (x - self.frame.left) / (self.frame.right - self.frame.left)
        column = round(share * (self.columns - 1)) if math.isfinite(share) else -1
        return column if 0 <= column < self.columns else None


def zoomed(plot: Plot, factor: float, x: float) -> Span | None:
    """Return the visible part after zooming in by `factor` at a place; None is the whole axis."""
    left, right = plot.frame.left, plot.frame.right
    size = max((right - left) / factor, plot.end * _DEEPEST)
    x = min(max(x, left), right)
    first = x - (x - left) / (right - left) * size
    return _inside(first, size, plot.end)


def panned(plot: Plot, share: float) -> Span | None:
    """Return the visible part moved right by a share of itself, within the axis."""
    size = plot.frame.right - plot.frame.left
    return _inside(plot.frame.left + share * size, size, plot.end)


def moved_cursor(records: Floats, cursor: float | None, columns: int, plot: Plot) -> float | None:
    """Return the record by at least `columns` columns right (left if negative) of the cursor.

    Without a cursor it is the last visible record; None where there is no record.
    """
    if not len(records):
        return None
    if cursor is None or not columns:
        last = int(np.searchsorted(records, plot.frame.right, side="right")) - 1
        return float(records[max(last, 0)])
    x = cursor + columns * (plot.x_at(1) - plot.x_at(0))
    if columns > 0:
        index = int(np.searchsorted(records, x, side="left"))
    else:
        index = int(np.searchsorted(records, x, side="right")) - 1
    return float(records[min(max(index, 0), len(records) - 1)])


def nearest_record(records: Floats, x: float) -> float | None:
    """Return the record nearest to a place; None where there is none."""
    return float(records[np.abs(records - x).argmin()]) if len(records) else None


def following(span: Span | None, plot: Plot, x: float) -> Span | None:
    """Return the visible part, moved if needed so that it includes a place."""
    if span is None or plot.frame.left <= x <= plot.frame.right:
        return span
    size = plot.frame.right - plot.frame.left
    return _inside(x - size / 2, size, plot.end)


def _inside(first: float, size: float, end: float) -> Span | None:
    """Return a part of the axis; one that reaches the newest record keeps up with it."""
    if size >= end * (1 - 1e-9):
        return None
    first = min(max(first, 0.0), end - size)
    last = first + size
    return first, math.inf if last >= end * (1 - 1e-9) else last
