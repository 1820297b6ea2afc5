"""How well the latent space is used, and metrics without a panel of their own, over time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui_latent.runs.metric_specs import MetricSpec, in_group, spec_in_run
from tui_latent.runs.missing import missing_lines
from tui_latent.runs.schema import Curve
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.charts.line_chart import value_at
from tui_latent.tui.charts.panel import ChartPanel, Drawing, message_strips
from tui_latent.tui.charts.raster import sparkline
from tui_latent.tui.format import number

_FIGURES: Final = [spec for spec in in_group("space") if spec.name != "latent/collapsed"]
_NAME, _VALUE = 11, 7


class SpacePanel(ChartPanel):
    """One line per metric: name, newest value, history."""

    def __init__(self, drawer: WorkerThread) -> None:
        super().__init__(drawer, "space")
        self._curves: dict[MetricSpec, Curve] = {}
        self._hint = ""
        self._missing: Mapping[str, str] = {}
        self._at: int | None = None

    def look_at(self, step: int | None) -> None:
        """Show the metrics of a step; None for the newest."""
        if step != self._at:
            self._at = step
            self.redraw()

    def show(
        self,
        curves: Mapping[str, Curve],
        terms: Collection[str],
        hint: str,
        missing: Mapping[str, str],
    ) -> None:
        """Show metrics of the full-width latents, and those that no panel shows; else `hint`.

        `terms` are the run's loss terms, which the loss panel shows; `missing` says why the newest
        evaluation lacks some metrics.
        """
        others = [spec for name in curves if (spec := spec_in_run(name, terms)).group == "other"]
        new = {spec: curves[spec.name] for spec in (*_FIGURES, *others) if spec.name in curves}
        names = [spec.name for spec in (*_FIGURES, *others)]
        why = {metric: reason for metric, reason in missing.items() if metric in names}
        if (new, hint, why) != (self._curves, self._hint, self._missing):
            self._curves, self._hint, self._missing = new, hint, why
            self.redraw()

    def plan(self, width: int, height: int) -> Callable[[], Drawing]:
        """Write the newest metrics."""
        curves, hint, at, missing = self._curves, self._hint, self._at, self._missing
        note = "; ".join(missing_lines(missing))
        if not curves:
            return lambda: Drawing(message_strips(note or hint, width, height), ("Space",))

        def draw() -> Drawing:
            lines = [
                _line(spec.short, curve, width, at, missing.get(spec.name, ""))
                for spec, curve in curves.items()
            ]
            return Drawing(lines[:height], ("Space · held out", "Space"))

        return draw


def _line(name: str, curve: Curve, width: int, at: int | None, why: str) -> Strip:
    """Write a metric with its history, or with the reason why its newest value is missing."""
    value = None if why and at is None else value_at(curve, at)
    means = curve.means if at is None else curve.means[curve.steps <= at]
    room = max(0, width - _NAME - _VALUE - 3)
    beside = why if why and at is None else sparkline(means, room)
    return Strip(
        [
            Segment(f" {name[:_NAME]:<{_NAME}}", Style(dim=True)),
            Segment(f"{number(value):<{_VALUE}} "),
            Segment(beside, Style(dim=True)),
        ]
    ).adjust_cell_length(width)
