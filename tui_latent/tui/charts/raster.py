"""Points and curves reduced with numpy to the cells that a panel can show.

A cell holds 2x4 braille dots and has one colour. Columns count from the left and rows
from the bottom, as plotext counts them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.map_frame import Frame, Ints, drawable, finite_points

Floats = NDArray[np.float64]

DOTS_X: Final = 2
DOTS_Y: Final = 4
_BITS: Final = np.array([[0x40, 0x04, 0x02, 0x01], [0x80, 0x20, 0x10, 0x08]], dtype=np.int64)
_BRAILLE: Final = 0x2800
_TABLE: Final = 2**22
"""counts of cells and classes that are kept in one table"""
_SPARSE: Final = 5
"""cells per point above which points are bullets: the colour of a braille dot hardly shows"""
_LARGE: Final = "•"


@dataclass(frozen=True, eq=False)
class Cells:
    """Occupied cells of one series: one character each, at most one per place."""

    columns: Ints
    rows: Ints
    marks: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class MapCells(Cells):
    """Points as cells: every cell shows the class that most of its points belong to."""

    classes: Ints
    """of each cell"""
    near: float = field(default=1.0, kw_only=True)
    """share of the colour that they have; the rest is the background's"""
    hidden: int
    """points that are not visible: their cell shows another class, or they lie outside"""


def map_cells(
    points: NDArray[Any],
    labels: NDArray[Any],
    frame: Frame,
    width: int,
    height: int,
    large: bool | None = None,
) -> MapCells:
    """Reduce (N, 2) points with (N,) classes to braille cells on `width` x `height` cells.

    `frame` is the whole area. A tie goes to the lower class. Only the dots of a cell's own
    class are set, so no dot stands for a point of another class. `large` draws bullets instead of
    dots, by default where the points are few.
    """
    seen = finite_points(points)
    shown_points = points if seen.all() else points[seen]
    dot_x = _dots(shown_points[:, 0], frame.left, frame.right, width * DOTS_X)
    dot_y = _dots(shown_points[:, 1], frame.bottom, frame.top, height * DOTS_Y)
    inside = (dot_x >= 0) & (dot_x < width * DOTS_X) & (dot_y >= 0) & (dot_y < height * DOTS_Y)
    classes = np.asarray(labels if seen.all() else labels[seen], dtype=np.int64)
    if not inside.all():
        dot_x, dot_y, classes = dot_x[inside], dot_y[inside], classes[inside]
    cell = (dot_y // DOTS_Y) * width + dot_x // DOTS_X
    winner = _majority(cell, classes, width * height)
    shown = winner[cell] == classes
    columns, rows, marks = _braille(dot_x[shown], dot_y[shown], width, height)
    if sparse(len(cell), width, height) if large is None else large:
        marks = (_LARGE,) * len(marks)
    return MapCells(
        columns, rows, marks, winner[rows * width + columns], len(points) - int(shown.sum())
    )


def sparse(count: int, width: int, height: int) -> bool:
    """Return whether points are so few that each is drawn larger than a braille dot."""
    return count * _SPARSE <= width * height


def curve_cells(
    x: Floats, lows: Floats, highs: Floats, frame: Frame, width: int, height: int
) -> Cells:
    """Draw a band of (N,) lows and highs over x, joined from left to right, as braille cells.

    Each column of dots is filled from its lowest to its highest value and to its
    neighbours', so that a spike of one step stays visible.
    """
    keep = drawable(x) & drawable(lows) & drawable(highs)
    x, lows, highs = x[keep], lows[keep], highs[keep]
    dots = width * DOTS_X
    at = _dots(x, frame.left, frame.right, dots)
    inside = (at >= 0) & (at < dots)
    at, lows, highs = at[inside], lows[inside], highs[inside]
    if not len(at):
        return Cells(np.empty(0, np.int64), np.empty(0, np.int64), ())
    columns, first = np.unique(at, return_index=True)
    bottom = _dots(np.minimum.reduceat(lows, first), frame.bottom, frame.top, height * DOTS_Y)
    top = _dots(np.maximum.reduceat(highs, first), frame.bottom, frame.top, height * DOTS_Y)
    columns, bottom, top = _joined(columns, bottom, top)
    bottom, top = np.maximum(bottom, 0), np.minimum(top, height * DOTS_Y - 1)
    counts = np.maximum(top - bottom + 1, 0)
    dot_x = np.repeat(columns, counts)
    starts = np.repeat(bottom - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
    return Cells(*_braille(dot_x, np.arange(len(dot_x)) + starts, width, height))


def dotted_cells(x: Floats, y: Floats, frame: Frame, width: int, height: int) -> Cells:
    """Set one dot for each (x, y), not joined, as braille cells."""
    keep = drawable(x) & drawable(y)
    dot_x = _dots(x[keep], frame.left, frame.right, width * DOTS_X)
    dot_y = _dots(y[keep], frame.bottom, frame.top, height * DOTS_Y)
    inside = (dot_x >= 0) & (dot_x < width * DOTS_X) & (dot_y >= 0) & (dot_y < height * DOTS_Y)
    return Cells(*_braille(dot_x[inside], dot_y[inside], width, height))


def smoothed(values: Floats, weight: float) -> Floats:
    """Return the exponential moving average of (N,) values, without bias at the start.

    Each value counts `weight` times as much as the one after it; 0 returns the values.
    """
    if weight == 0.0:
        return values
    result = np.empty_like(values)
    total = norm = 0.0
    for index, value in enumerate(values.tolist()):
        total = weight * total + (1 - weight) * value
        norm = weight * norm + (1 - weight)
        result[index] = total / norm
    return result


def sparkline(values: Floats, width: int) -> str:
    """Draw (N,) values as one line of block characters, the newest at the right end.

    Each column shows the mean of an equal share of the values; fewer values than columns are
    as wide as several.
    """
    values = values[drawable(values)]
    if not len(values) or width < 1:
        return " " * max(width, 0)
    edges = np.linspace(0, len(values), min(width, len(values)) + 1).astype(int)
    means = np.add.reduceat(values, edges[:-1]) / np.diff(edges)
    means = means[np.arange(width) * len(means) // width]
    low, high = means.min(), means.max()
    level = (means - low) / (high - low) if high > low else np.zeros(width)
    return "".join("▁▂▃▄▅▆▇█"[round(share * 7)] for share in level.tolist())


def _dots(values: NDArray[Any], low: float, high: float, count: int) -> Ints:
    """Return the dot of each value, of `count` from `low` to `high`; outside, -1 or `count`."""
    if not high > low:
        return np.zeros(len(values), dtype=np.int64)
    place = np.subtract(values, low, dtype=np.float64)
    place *= (count - 1) / (high - low)
    place += 0.5
    np.floor(place, out=place)
    return np.asarray(np.clip(place, -1, count, out=place), dtype=np.int64)


def _majority(cell: Ints, classes: Ints, cells: int) -> Ints:
    """Return the most frequent class of each of `cells` cells; -1 where no point is."""
    if not len(cell):
        return np.full(cells, -1, dtype=np.int64)
    span = int(classes.max()) + 1
    if cells * span > _TABLE:
        return _sparse_majority(cell, classes, cells, span)
    counts = np.bincount(cell * span + classes, minlength=cells * span).reshape(cells, span)
    winner = counts.argmax(axis=1)
    winner[counts[np.arange(cells), winner] == 0] = -1
    return np.asarray(winner)


def _sparse_majority(cell: Ints, classes: Ints, cells: int, span: int) -> Ints:
    """Return the same as `_majority` without its table, for many cells and classes."""
    winner = np.full(cells, -1, dtype=np.int64)
    pairs, counts = np.unique(cell * span + classes, return_counts=True)
    order = np.lexsort((-pairs, counts))  # the last write wins: most points, then lower class
    winner[pairs[order] // span] = pairs[order] % span
    return winner


def _joined(columns: Ints, bottom: Ints, top: Ints) -> tuple[Ints, Ints, Ints]:
    """Fill the columns between those given, and close the vertical gaps between neighbours."""
    middle = (bottom + top) / 2
    every = np.arange(columns[0], columns[-1] + 1)
    line = np.floor(np.interp(every, columns, middle) + 0.5).astype(np.int64)
    lower, upper = line.copy(), line.copy()
    lower[columns - columns[0]], upper[columns - columns[0]] = bottom, top
    # Where the spans of two neighbours do not touch, each reaches to the middle between them.
    low, high, next_low, next_high = lower[:-1], upper[:-1], lower[1:], upper[1:]
    rising, falling = next_low > high, next_high < low
    up, down = (high + next_low) // 2, (low + next_high) // 2
    starts, ends = lower.copy(), upper.copy()
    ends[:-1] = np.where(rising, up, high)
    starts[1:] = np.where(rising, up + 1, next_low)
    starts[:-1] = np.where(falling, np.minimum(starts[:-1], down + 1), starts[:-1])
    ends[1:] = np.where(falling, np.maximum(ends[1:], down), ends[1:])
    return every, starts, ends


def _braille(
    dot_x: Ints, dot_y: Ints, width: int, height: int
) -> tuple[Ints, Ints, tuple[str, ...]]:
    """Gather dots into cells: columns, rows and the braille character of each."""
    dots = np.zeros(height * DOTS_Y * width * DOTS_X, dtype=np.int64)
    dots[dot_y * (width * DOTS_X) + dot_x] = 1
    by_cell = dots.reshape(height, DOTS_Y, width, DOTS_X)
    bits = np.einsum("ryck,ky->rc", by_cell, _BITS).ravel()
    occupied = np.flatnonzero(bits)
    marks = tuple(map(chr, (bits[occupied] + _BRAILLE).tolist()))
    return occupied % width, occupied // width, marks
