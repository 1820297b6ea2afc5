"""A cloud of points in three dimensions, seen from two sides."""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from tui_latent.analysis.projections import turned
from tui_latent.reports.inputs import Cloud
from tui_latent.reports.numbers import ReportNumbers
from tui_latent.reports.page import LINE_HEIGHT, Box, Page
from tui_latent.reports.style import AXIS, BODY, FAINT, MARKER_AREA, class_paints
from tui_latent.reports.text import fit

_SIDES: Final = ((0.6, 0.45), (0.6 + np.pi / 2, 0.45))
"""yaw and pitch, radians"""
_AXES: Final = ("1", "2", "3")
_LARGEST, _SMALLEST = 26.0, 4.0
"""square points of the nearest marker, by how many there are"""
_FAR: Final = 0.3
"""size of the farthest marker, as a share of the nearest one's"""


def draw_cloud(page: Page, box: Box, title: str, cloud: Cloud, numbers: ReportNumbers) -> None:
    """Draw the cloud from two sides; what is nearer is larger and covers what is farther."""
    inner = page.title(box, title)
    words = f"{cloud.faithful} · two views, a quarter turn apart"
    page.text(inner.left, inner.top + 0.06, fit(words, box.width, BODY), color=FAINT)
    inner = inner.below(2 * LINE_HEIGHT)
    points = np.asarray(cloud.points, np.float64)
    finite = np.isfinite(points).all(axis=1)
    points, labels = points[finite], cloud.labels[finite]
    points = points - np.median(points, axis=0)
    reach = float(np.quantile(np.linalg.norm(points, axis=1), 0.995)) * 1.1 or 1.0
    side = min((inner.width - 0.3) / 2, inner.height)
    for index, (yaw, pitch) in enumerate(_SIDES):
        left = inner.left + index * (side + 0.3)
        axes = page.axes(Box(left, inner.top, side, side))
        axes.set_axis_off()
        axes.set_xlim(-reach, reach)
        axes.set_ylim(-reach, reach)
        _draw_directions(axes, yaw, pitch, reach)
        largest = float(np.clip(MARKER_AREA * side**2 / max(len(points), 1), _SMALLEST, _LARGEST))
        _draw_points(axes, points, labels, (yaw, pitch), largest)


def _draw_points(
    axes: Axes,
    points: NDArray[np.float64],
    labels: NDArray[np.int64],
    side: tuple[float, float],
    largest: float,
) -> None:
    yaw, pitch = side
    seen = turned(points.astype(np.float32), yaw, pitch)
    depth = turned(points.astype(np.float32), yaw, pitch - np.pi / 2)[:, 1]
    order = np.argsort(-depth, kind="stable")
    spread = float(np.ptp(depth)) or 1.0
    near = (depth.max() - depth) / spread
    paint = class_paints(labels)
    axes.scatter(
        seen[order, 0],
        seen[order, 1],
        c=paint[labels[order]],
        s=largest * (_FAR + (1 - _FAR) * near[order]),
        alpha=0.8,
        linewidths=0,
    )


def _draw_directions(axes: Axes, yaw: float, pitch: float, reach: float) -> None:
    """Draw the three axes through the middle, each with its number at its end."""
    ends = turned(np.eye(3, dtype=np.float32) * np.float32(reach * 0.85), yaw, pitch)
    for name, (x, y) in zip(_AXES, ends.tolist(), strict=True):
        axes.plot([-x, x], [-y, y], color=AXIS, linewidth=0.8, zorder=0)
        axes.text(x * 1.06, y * 1.06, name, fontsize=BODY, color=FAINT, ha="center", va="center")
