"""The look of a report: white paper, one sans-serif, colours that anyone can tell apart."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from tui_latent.palettes import RGB, class_color, series_color

WIDTH: Final = 16.0
"""inches; 1600 px"""
DPI: Final = 100
FONT: Final = "DejaVu Sans"
"""comes with matplotlib, so that every machine draws the same"""

HEADLINE: Final = 17.0
FIGURE: Final = 15.0
TITLE: Final = 12.0
BODY: Final = 10.0
"""points; the smallest but in a matrix of many cells"""
SMALLEST: Final = 8.0

INK: Final = "#1a1a1a"
FAINT: Final = "#5f5f5f"
AXIS: Final = "#b3b3b3"
GRID: Final = "#e8e8e8"
FAILURE: Final = "#c00000"
UNLABELLED_PAINT: Final = "#9a9a9a"

MARKER_AREA: Final = 463.0
"""square points per square inch that all markers of a map together may cover"""
MARKERS: Final = ("o", "^", "s", "D", "v", "P", "X", "<", ">", "h")
"""one per ten classes, because their colours repeat"""

RC: Final[dict[str, Any]] = {
    "font.family": FONT,
    "font.size": BODY,
    "text.color": INK,
    "text.parse_math": False,
    "figure.dpi": DPI,
    "savefig.dpi": DPI,
    "axes.edgecolor": AXIS,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": AXIS,
    "ytick.color": AXIS,
    "xtick.labelcolor": FAINT,
    "ytick.labelcolor": FAINT,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
}
"""over matplotlib's own defaults, whatever the user's are; `$` in a name is a dollar"""


def class_paint(label: int) -> tuple[float, float, float]:
    """Return a class's colour as matplotlib takes it."""
    return paint(class_color(label, dark=False))


def class_paints(labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the colours (classes + 1, 3) of labels; the last, at -1, is of images without one."""
    classes = range(int(labels.max(initial=-1)) + 1)
    return np.array([*map(class_paint, classes), to_rgb(UNLABELLED_PAINT)])


def class_marker(label: int) -> str:
    """Return the shape of a class's points."""
    return MARKERS[label // 10 % len(MARKERS)]


def series_paint(position: int) -> tuple[float, float, float]:
    """Return the colour of a curve at a position in its chart."""
    return paint(series_color(position, dark=False))


def paint(color: RGB) -> tuple[float, float, float]:
    """Return a colour as matplotlib takes it."""
    red, green, blue = color
    return red / 255, green / 255, blue / 255
