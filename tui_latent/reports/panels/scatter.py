"""Points in a square, coloured by class, each class named at its place."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from tui_latent.reports.map_frame import MapFrame
from tui_latent.reports.page import Box, Page
from tui_latent.reports.style import INK, MARKER_AREA, class_marker, class_paints
from tui_latent.reports.text import name_to_fit, text_width
from tui_latent.runs.schema import LatentMap

_LABEL, _LABEL_WIDTH, _LABEL_HEIGHT = 11.0, 1.5, 0.19
_HALO = withStroke(linewidth=4.5, foreground="white")


def draw_scatter(page: Page, box: Box, latent_map: LatentMap, frame: MapFrame) -> Axes:
    """Draw a map's frame into a square box; the axes' labels stand outside it."""
    axes = page.axes(box)
    (x, y), half = frame.centre, frame.half_width
    axes.set_xlim(x - half, x + half)
    axes.set_ylim(y - half, y + half)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(6 if box.width > 5 else 4))
    draw_points(axes, latent_map, box.width)
    draw_names(axes, frame, box.width)
    return axes


def draw_points(axes: Axes, latent_map: LatentMap, side: float) -> None:
    """Draw all points in a random order, so that no class hides another by coming last.

    The square is `side` inches wide: many points in a small one are small.
    """
    shown = np.random.default_rng(0).permutation(len(latent_map.points))
    shown = shown[np.isfinite(latent_map.points[shown]).all(axis=1)]
    area = float(np.clip(MARKER_AREA * side**2 / max(len(shown), 1), 3.0, 36.0))
    labels = latent_map.labels[shown]
    paint = class_paints(labels)
    markers = np.array([*map(class_marker, range(len(paint) - 1)), class_marker(0)])
    for marker in dict.fromkeys(markers):
        rows = shown[markers[labels] == marker]
        x, y = latent_map.points[rows].T
        axes.scatter(
            x,
            y,
            c=paint[latent_map.labels[rows]],
            marker=marker,
            s=area,
            alpha=0.75,
            linewidths=0,
        )


def draw_names(axes: Axes, frame: MapFrame, side: float) -> None:
    """Write each class's name at its centre, or as near as other names allow."""
    taken: list[tuple[float, float, float, float]] = []
    scale = side / (2 * frame.half_width)
    for centre in sorted(frame.classes, key=lambda centre: -centre.images):
        x = (centre.x - frame.centre[0]) * scale + side / 2
        y = (centre.y - frame.centre[1]) * scale + side / 2
        name = name_to_fit(centre.name, _LABEL_WIDTH, _LABEL, "bold")
        half = text_width(name, _LABEL, "bold") / 2 + 0.04
        place = _free_place(x, y, half, side, taken)
        if place is not None:
            axes.text(
                place[0] / scale + frame.centre[0] - frame.half_width,
                place[1] / scale + frame.centre[1] - frame.half_width,
                name,
                fontsize=_LABEL,
                weight="bold",
                color=INK,
                ha="center",
                va="center_baseline",
                path_effects=[_HALO],
            )


def _free_place(
    x: float, y: float, half: float, side: float, taken: list[tuple[float, float, float, float]]
) -> tuple[float, float] | None:
    """Reserve the free place nearest to (x, y), inches, for a name; None if none is near."""
    tall = _LABEL_HEIGHT / 2
    for dx, dy in _around():
        left = min(max(x + dx, half), side - half)
        up = min(max(y + dy, tall), side - tall)
        if all(
            abs(left - other[0]) >= half + other[2] or abs(up - other[1]) >= tall + other[3]
            for other in taken
        ):
            taken.append((left, up, half, tall))
            return left, up
    return None


def _around() -> Iterator[tuple[float, float]]:
    """Yield shifts of growing length, up to 0.8 inches, vertical before horizontal."""
    yield 0.0, 0.0
    for ring in range(1, 9):
        for turn in range(12):
            angle = np.pi / 2 + turn * np.pi / 6
            yield 0.1 * ring * float(np.cos(angle)), 0.1 * ring * float(np.sin(angle))
