"""The part of the plane that a map shows: one rule for the screen and for reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

_TOO_LARGE: Final = 1e30
"""numbers beyond it count as infinite: differences of float32 would overflow"""
_SAMPLED: Final = 200_000
"""points that settle a frame; if there are more, an evenly spaced sample is used"""
_OUTERMOST: Final = 0.01
"""share of the points on each side that may be far from all others"""
_UNSTEADY: Final = 0.002
"""share of the others on each side that cannot make the frame change"""
_REACH: Final = 1 / 3
"""share of the spread of the others within which the outermost still count as near them"""
_FEW: Final = 20
"""points of which each may be far from the others"""
_MARGIN: Final = 1.12
_EDGE: Final = 1e-3
"""of the spread, between an outermost point and the edge, so that rounding loses none"""


@dataclass(frozen=True)
class Frame:
    """A box of the plane."""

    left: float
    right: float
    bottom: float
    top: float

    def including(self, points: NDArray[Any]) -> Frame:
        """Return the frame widened to contain (N, 2) finite points."""
        if not len(points):
            return self
        (left, bottom), (right, top) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
        return Frame(
            min(self.left, left),
            max(self.right, right),
            min(self.bottom, bottom),
            max(self.top, top),
        )


def drawable(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which values can be drawn: those that are finite and not absurdly large."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(values) < _TOO_LARGE)


def finite_points(points: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which rows of (N, 2) points can be drawn."""
    return drawable(points[:, 0]) & drawable(points[:, 1])


def settle_frame(points: NDArray[Any], previous: Frame | None = None) -> Frame | None:
    """Return the frame for (N, 2) points: the previous one while it still fits.

    On each side 1 % of the points, and with twenty points or more at least one, may be far from
    all others: these are left out, so that a few stray images do not shrink the map. The frame
    changes when others leave it (0.2 % on each side do not count) or use less than half of its
    longer side. A new frame shows all of them. None without a finite point.
    """
    points = points[:: max(1, len(points) // _SAMPLED)]
    points = np.asarray(points, dtype=np.float64)[finite_points(points)]
    if not len(points):
        return None
    near = _without_strays(points)
    low, high = np.quantile(near, [_UNSTEADY, 1 - _UNSTEADY], axis=0)
    spread = float((high - low).max())
    if previous is not None:
        inside = previous.left <= low[0] and high[0] <= previous.right
        inside = inside and previous.bottom <= low[1] and high[1] <= previous.top
        side = max(previous.right - previous.left, previous.top - previous.bottom)
        if inside and spread >= 0.5 * side:
            return previous
    centre = (low + high) / 2
    smallest = max(1e-6 * float(np.abs(centre).max()), 1e-9)
    half = np.maximum((high - low) / 2, smallest)
    half = np.maximum(half, 0.05 * half.max()) * _MARGIN
    left, bottom = (float(value) for value in centre - half)
    right, top = (float(value) for value in centre + half)
    edge = _EDGE * spread
    return Frame(left, right, bottom, top).including(np.concatenate([near - edge, near + edge]))


def _without_strays(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return those of (N, 2) points that are not far from all others."""
    if len(points) < _FEW:
        return points
    beyond = max(1, int(_OUTERMOST * len(points)))
    ordered = np.partition(points, (beyond, len(points) - 1 - beyond), axis=0)
    low, high = ordered[beyond], ordered[len(points) - 1 - beyond]
    reach = _REACH * float((high - low).max())
    near = ((points >= low - reach) & (points <= high + reach)).all(axis=1)
    return points[near] if near.any() else points


def whole_frame(points: NDArray[Any]) -> Frame | None:
    """Return the frame of all finite points of (N, 2), None without one."""
    points = np.asarray(points, dtype=np.float64)[finite_points(points)]
    if not len(points):
        return None
    low, high = points.min(axis=0), points.max(axis=0)
    edge = max(_EDGE * float((high - low).max()), 1e-9)
    (left, bottom), (right, top) = (low - edge).tolist(), (high + edge).tolist()
    return Frame(left, right, bottom, top)


def central_points(places: NDArray[Any], columns: int, rows: int) -> tuple[Ints, Ints, Ints]:
    """Return the point nearest to the middle of each cell of a grid, with its column and row.

    `places` are (N, 2) positions in cells. Points outside the grid and cells without a point
    are left out.
    """
    cells = np.floor(places)
    with np.errstate(invalid="ignore"):
        inside = np.flatnonzero(((cells >= 0) & (cells < (columns, rows))).all(axis=1))
    off_centre = np.square(places[inside] - cells[inside] - 0.5).sum(axis=1)
    nearest_first = inside[np.argsort(off_centre, kind="stable")]
    numbers = (cells[nearest_first, 1] * columns + cells[nearest_first, 0]).astype(np.int64)
    taken, first = np.unique(numbers, return_index=True)
    return nearest_first[first], taken % max(columns, 1), taken // max(columns, 1)
