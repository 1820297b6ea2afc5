"""ROC curves: outliers against held-out images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from rich.style import Style
from textual import events
from textual.strip import Strip

from tui_latent.map_frame import Frame
from tui_latent.palettes import RGB, class_color, series_color
from tui_latent.tui.charts.axes import step_axis, value_axis
from tui_latent.tui.charts.color_fade import faded
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.charts.legend import legend_strips
from tui_latent.tui.charts.line_chart import curve_entry, curve_layer
from tui_latent.tui.charts.panel import ChartPanel, Drawing, message_strips
from tui_latent.tui.charts.plotext_plot import Axis, Layer, canvas_size, draw_plot
from tui_latent.tui.charts.raster import DOTS_X, Floats, curve_cells, dotted_cells
from tui_latent.tui.format import clip, number
from tui_latent.tui.remapping import key_name

_NAME: Final = 24
_LEGEND_LINES: Final = 3
_FRAME: Final = Frame(0.0, 1.0, 0.0, 1.0)
_CHANCE: Final = (128, 128, 128)
_CLASSES: Final = (
    "ROC with each class as outliers · true over false positive rate",
    "ROC with each class as outliers",
    "ROC by class",
)
_OUTLIERS: Final = (
    "ROC of the outliers · true over false positive rate",
    "ROC of the outliers",
    "ROC",
)


@dataclass(frozen=True, eq=False)
class RocCurve:
    """One curve of the panel."""

    name: str
    color: RGB
    auc: float
    x: Floats
    """(T,) false positive rate, of the held-out images"""
    y: Floats
    """(T,) true positive rate, of the outliers"""


def roc_curves(
    found: Mapping[str, Any], dark: bool = True
) -> tuple[list[RocCurve], tuple[str, ...]]:
    """Return an evaluation's curves and their titles: named outliers, or else the classes."""
    named = found["outliers"]
    if named:
        curves = [
            (c["outliers"], series_color(index + 1, dark), c) for index, c in enumerate(named)
        ]
    else:
        classes = found.get("anomaly", {}).get("classes", [])
        rows = zip(found["class_names"], classes, strict=False)
        curves = [(n, class_color(index, dark), c) for index, (n, c) in enumerate(rows) if c]
    return [
        RocCurve(
            name, color, c["auc"], np.array(c["false_positives"]), np.array(c["true_positives"])
        )
        for name, color, c in curves
    ], _OUTLIERS if named else _CLASSES


class RocPanel(ChartPanel, can_focus=False):
    """Draws the curves of an evaluation with the area under each."""

    def __init__(self, drawer: WorkerThread) -> None:
        super().__init__(drawer, "roc")
        self._found: Mapping[str, Any] | None = None
        self._curves: Sequence[RocCurve] = ()
        self._hint = ""
        self._front: str | None = None

    def show(self, found: Mapping[str, Any]) -> None:
        """Show the curves, or why there are none."""
        self._found = found
        why = found["missing"].get("anomaly", "no class could be left out")
        key = key_name("evaluation.outliers", self.app._keymap)
        self._hint = f"{why[:1].upper()}{why[1:]}. Press {key} to choose outliers."
        self.redraw()

    def plan(self, width: int, height: int) -> Callable[[], Drawing]:
        """Draw the curves held now."""
        titles: Sequence[str] = _OUTLIERS
        hint = self._hint
        if self._found is not None:
            self._curves, titles = roc_curves(self._found, self.app.current_theme.dark)
        curves = self._curves
        if not curves:
            return lambda: Drawing(message_strips(hint, width, height), titles)
        colored, ground = not self.app.no_color, self.background_colors[1].rgb
        names = [curve.name for curve in curves]
        front = names.index(self._front) if self._front in names else None
        return lambda: Drawing(draw_curves(curves, width, height, colored, front, ground), titles)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Bring the curve whose name is clicked to the front; a second click leaves none there."""
        index = event.style.meta.get("curve")
        if isinstance(index, int) and index < len(self._curves):
            name = self._curves[index].name
            self._front = None if name == self._front else name
            self.redraw()


def draw_curves(
    curves: Sequence[RocCurve],
    width: int,
    height: int,
    colored: bool,
    front: int | None = None,
    ground: RGB | None = None,
) -> list[Strip]:
    """Write the AUCs, and below them draw the curves with the diagonal of pure chance.

    The curve at `front` is drawn over the others, which fade to `ground`, the background's colour.
    """
    legend = _legend(curves, width, colored, front)
    rows = height - len(legend)
    columns, lines = canvas_size(width, rows, Axis((), ()), value_axis(0.0, 1.0, rows))
    if columns < 2 or lines < 2:
        return legend
    # The faintest of all, a dot every other column: it is not a result, and covers none.
    chance = np.linspace(0, 1, columns // 2)
    dots = dotted_cells(chance, chance, _FRAME, columns, lines)
    layers = [Layer(dots, faded(_CHANCE, ground) if colored and ground else None, dim=True)]
    for index in sorted(range(len(curves)), key=lambda each: (each == front, -each)):
        x, y = _dense(curves[index], columns)
        cells = curve_cells(x, y, y, _FRAME, columns, lines)
        behind = front not in (None, index)
        color = faded(curves[index].color, ground) if behind else curves[index].color
        layers.append(curve_layer(cells, index, color, not colored, behind))
    axes = step_axis(0.0, 1.0, columns), value_axis(0.0, 1.0, lines)
    return [*legend, *draw_plot(layers, width, rows, *axes)]


def _dense(curve: RocCurve, columns: int) -> tuple[Floats, Floats]:
    """Add a point for each dot, so that a flat part after a steep one is drawn flat."""
    grid = np.linspace(0, 1, 2 * DOTS_X * columns + 1)[1:]
    x = np.concatenate([curve.x, grid])
    y = np.concatenate([curve.y, np.interp(grid, curve.x, curve.y)])
    order = np.argsort(x, kind="stable")
    return x[order], y[order]


def _legend(
    curves: Sequence[RocCurve], width: int, colored: bool, front: int | None
) -> list[Strip]:
    entries = [
        curve_entry(
            f"{clip(curve.name, _NAME)} {number(curve.auc):<4}",
            index,
            curve.color,
            not colored,
            Style(bold=True if index == front else None),
        )
        for index, curve in enumerate(curves)
    ]
    return legend_strips(entries, width, _LEGEND_LINES)
