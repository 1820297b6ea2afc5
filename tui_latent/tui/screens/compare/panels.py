"""The panels of a comparison: curves, numbers, maps, settings; one at a time on small screens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from textual import events
from textual.app import ComposeResult
from textual.containers import Grid, Horizontal

from tui_latent.comparison import Comparison
from tui_latent.palettes import css_color
from tui_latent.runs.metric_specs import MetricSpec
from tui_latent.runs.schema import LIVE_STATES
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.charts.line_chart import ChartOptions, Series
from tui_latent.tui.charts.line_chart_panel import CurveChart
from tui_latent.tui.charts.scatter import Scene, map_scene
from tui_latent.tui.charts.scatter_panel import ScatterPanel
from tui_latent.tui.format import clip
from tui_latent.tui.run_flags import run_flags, steps_per_epoch
from tui_latent.tui.screens.compare.tables import (
    colors_of,
    number_lines,
    number_titles,
    setting_lines,
    setting_titles,
)
from tui_latent.tui.widgets.table_panel import TablePanel

PANELS: Final = {"curves": "Curves", "numbers": "Numbers", "maps": "Maps", "settings": "Settings"}
"""in their order, with their names"""
_LABEL: Final = 20
_MAP: Final = 24
"""minimum width of a map in cells"""


class MetricChart(CurveChart):
    """One metric of every run."""

    def __init__(self, drawer: WorkerThread) -> None:
        super().__init__(drawer, "curves", ("Curves",), ChartOptions())

    def show_metric(self, shown: Comparison, metric: str) -> None:
        """Show a metric's curves in the colours of their runs."""
        place = [row.metric for row in shown.metrics].index(metric) + 1 if shown.metrics else 0
        name = shown.metrics[place - 1].spec.title if place else "Curves"
        count = f" · {place} of {len(shown.metrics)}" if place else ""
        titles = (f"{name}{count}", name)
        dark = self.app.current_theme.dark
        series = [
            Series(
                clip(label, _LABEL),
                color,
                run.curves.get(metric),
                steps_per_epoch=steps_per_epoch(run),
            )
            for label, color, run in zip(
                shown.labels, colors_of(shown, dark), shown.runs, strict=True
            )
        ]
        hint = "Curves appear after the first records of a run."
        if all(run.status.state not in LIVE_STATES for run in shown.runs):
            hint = "None of these runs has recorded a curve."
        # Only the run in front shows its flags: those of all runs could not be told apart.
        flags = {item.name: run_flags(run) for item, run in zip(series, shown.runs, strict=True)}
        self.show(series, "", hint, titles=titles, flags_of=flags)


def compared_scene(shown: Comparison, index: int) -> Scene | None:
    """Return the map of the run at `index`, aligned to the first one's; None without a map."""
    compared, titles = shown.maps[index], _map_titles(shown, index)
    if compared.map is None:
        return None
    return map_scene(compared.map, axes=True, legend=True, titles=lambda _: titles, source=compared)


def _map_titles(shown: Comparison, index: int) -> tuple[str, ...]:
    """Return the titles of a run's map, from the fullest to the shortest."""
    compared, label = shown.maps[index], shown.labels[index]
    if compared.map is None:
        return (label, clip(label, 16))
    step = f"step {compared.map.step:,}"
    if compared.problem:
        return (f"{label} · {step} · {compared.problem}", f"{label} · {step}", clip(label, 16))
    if compared.onto is None or compared.disparity is None:
        return (f"{label} · {step}", label, clip(label, 16))
    unlike = f"disparity {compared.disparity:.2f}"
    onto = shown.labels[compared.onto]
    return (
        f"{label} · {step} · aligned to {onto}, {unlike}",
        f"{label} · {step} · aligned, {unlike}",
        f"{label} · aligned, {unlike}",
        f"{label} · {unlike}",
        label,
        clip(label, 16),
    )


class ComparisonPanels(Grid):
    """Gives each panel its part of a comparison; one panel is selected."""

    def __init__(self, drawer: WorkerThread, runs: int) -> None:
        super().__init__(id="panels")
        self._drawer = drawer
        self._runs = runs
        self._shown: Comparison | None = None
        self._metric = ""
        self._first_map = 0
        self._paired: Sequence[str] = ()
        self.selected = "curves"
        """the focused panel"""

    def compose(self) -> ComposeResult:
        yield MetricChart(self._drawer)
        yield TablePanel("numbers")
        with Horizontal(id="maps"):
            for index in range(self._runs):
                yield ScatterPanel(self._drawer, f"map-{index}")
        yield TablePanel("settings")

    def show(self, shown: Comparison) -> None:
        """Show a comparison; panels whose part has not changed are not redrawn."""
        self._shown = shown
        colored, dark = not self.app.no_color, self.app.current_theme.dark
        self._show_metric()
        self._show_numbers(shown)
        self.query_one("#settings", TablePanel).show(
            partial(setting_titles, shown),
            partial(setting_lines, shown, colored=colored, dark=dark),
        )
        for index, panel in zip(range(len(shown.runs)), self._maps, strict=False):
            if colored:
                panel.styles.border_title_color = css_color(colors_of(shown, dark)[index])
            scene, problem = compared_scene(shown, index), shown.maps[index].problem
            panel.show(scene, problem, _map_titles(shown, index))
        if len(shown.runs) < self._runs:  # one could not be read
            self._runs = len(shown.runs)
            self.show_maps()

    def show_paired(self, sentences: Sequence[str]) -> None:
        """Say below the numbers what the runs have in common, image by image."""
        self._paired = sentences
        if self._shown is not None:
            self._show_numbers(self._shown)

    def _show_numbers(self, shown: Comparison) -> None:
        colored, dark = not self.app.no_color, self.app.current_theme.dark
        lines = partial(number_lines, shown, colored=colored, dark=dark, paired=tuple(self._paired))
        self.query_one("#numbers", TablePanel).show(partial(number_titles, shown), lines)

    # Curves

    def look_as(self, look: Mapping[str, Any]) -> None:
        """Show the curves over the axis of last time, if they have it, and smoothed as then."""
        chart = self.query_one(MetricChart)
        if isinstance(smoothing := look.get("smoothing"), int | float):
            chart.set_smoothing(smoothing)
        chart.set_axis(look.get("axis", "step"))

    def other_metric(self, by: int) -> None:
        """Show the curves of the metric `by` places after this one."""
        metrics = self._metrics()
        if metrics:
            self._metric = metrics[(metrics.index(self._metric) + by) % len(metrics)]
            self._show_metric()

    def metric_specs(self) -> tuple[list[MetricSpec], str]:
        """Return the metrics that can be shown, and the name of the one shown."""
        rows = self._shown.metrics if self._shown is not None else ()
        return [row.spec for row in rows], self._metric

    def show_metric(self, metric: str | None) -> None:
        """Show the curves of a metric; None keeps the present one."""
        if metric is not None:
            self._metric = metric
            self._show_metric()

    def bring_to_front(self, run: int) -> None:
        """Bring the curve of a run, counted from 1, to the front; 0 brings none."""
        if self._shown is not None and run <= len(self._shown.runs):
            chart = self.query_one(MetricChart)
            front = clip(self._shown.labels[run - 1], _LABEL) if run else ""
            chart.set_options(replace(chart.options, front=front))

    def _metrics(self) -> list[str]:
        return [row.metric for row in self._shown.metrics] if self._shown is not None else []

    def _show_metric(self) -> None:
        metrics = self._metrics()
        if self._metric not in metrics:
            self._metric = metrics[0] if metrics else ""
        if self._shown is not None:
            self.query_one(MetricChart).show_metric(self._shown, self._metric)

    # Maps

    @property
    def _maps(self) -> Iterable[ScatterPanel]:
        return self.query(ScatterPanel)

    @property
    def hides_maps(self) -> bool:
        """Whether there are more maps than fit."""
        return self._maps_in_view() < self._runs

    def other_maps(self) -> None:
        """Show the maps of the next runs."""
        self._first_map += self._maps_in_view()
        if self._first_map >= self._runs:
            self._first_map = 0
        self.show_maps()

    def show_maps(self) -> None:
        """Show as many maps as fit, from the chosen one on."""
        count = self._maps_in_view()
        first = min(self._first_map, max(self._runs - count, 0))
        for index, panel in enumerate(self._maps):
            panel.display = first <= index < min(first + count, self._runs)

    def _maps_in_view(self) -> int:
        width = self.query_one("#maps").size.width or self.size.width
        return max(1, width // _MAP)

    # Which panel

    def select(self, name: str) -> None:
        """Select a panel."""
        self.selected = name
        for panel in PANELS:
            self.query_one(f"#{panel}").set_class(panel == name, "-selected")

    def focus_selected(self) -> None:
        """Focus the selected panel."""
        shown = [panel for panel in self._maps if panel.display]
        if self.selected == "maps" and shown:
            self.screen.set_focus(shown[0])
        else:
            self.screen.set_focus(self.query_one(f"#{self.selected}"))

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Select the panel that was focused with the mouse."""
        for widget in event.widget.ancestors_with_self:
            if widget.id in PANELS:
                self.select(widget.id)
