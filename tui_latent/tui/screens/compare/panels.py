"""Runs beside each other in panels: curves, numbers, maps, settings; one at a time where small."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any, Final

from textual import events
from textual.app import ComposeResult
from textual.containers import Grid, Horizontal

from tui_latent.comparison import ComparedMap, Comparison
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.charts.line_chart import ChartOptions, Series
from tui_latent.tui.charts.line_chart_panel import CurveChart
from tui_latent.tui.charts.panel import ChartPanel, Drawing
from tui_latent.tui.charts.raster import Frame, settle_frame
from tui_latent.tui.charts.scatter_panel import draw_map, message_strips
from tui_latent.tui.format import clip
from tui_latent.tui.screens.compare.tables import (
    TablePanel,
    colors_of,
    css_color,
    number_lines,
    number_titles,
    setting_lines,
    setting_titles,
)

PANELS: Final = {"curves": "Curves", "numbers": "Numbers", "maps": "Maps", "settings": "Settings"}
"""in their order, with their names"""
_LABEL: Final = 20
_MAP: Final = 24
"""cells that a map needs at least"""


class MetricChart(CurveChart):
    """One metric of every run."""

    def __init__(self, drawer: WorkerThread) -> None:
        super().__init__(drawer, "curves", ("Curves",), ChartOptions())

    def show_metric(self, shown: Comparison, metric: str) -> None:
        """Show a metric's curves in the colours of their runs."""
        place = [row.metric for row in shown.metrics].index(metric) + 1 if shown.metrics else 0
        name = shown.metrics[place - 1].spec.title if place else "Curves"
        count = f" · {place} of {len(shown.metrics)}" if place else ""
        self._titles = (f"{name}{count}", name)
        series = [
            Series(clip(label, _LABEL), color, run.curves.get(metric))
            for label, color, run in zip(shown.labels, colors_of(shown), shown.runs, strict=True)
        ]
        self.show(series, "", "Curves come with the first records of a run.")


class ComparedMapPanel(ChartPanel):
    """Shows one run's map, turned onto the first one's."""

    def __init__(self, drawer: WorkerThread, index: int) -> None:
        super().__init__(drawer, f"map-{index}")
        self._compared: ComparedMap | None = None
        self._titles: tuple[str, ...] = ("",)
        self._frame: Frame | None = None  # the drawing thread's alone

    def show(self, shown: Comparison, index: int) -> None:
        """Show the map of the run at `index`."""
        compared = shown.maps[index]
        if not self.app.no_color:
            self.styles.border_title_color = css_color(colors_of(shown)[index])
        if compared is not self._compared:
            self._compared, self._titles = compared, _map_titles(shown, index)
            self.redraw()

    def plan(self, width: int, height: int) -> Callable[[], Drawing]:
        """Reduce and draw the map held now."""
        compared, titles, colored = self._compared, self._titles, not self.app.no_color
        if compared is None or compared.map is None:
            words = compared.problem if compared is not None else ""
            return lambda: Drawing(message_strips(words, width, height), titles)
        latent_map = compared.map

        def draw() -> Drawing:
            self._frame = settle_frame(latent_map.points, self._frame)
            drawn = draw_map(latent_map, self._frame, width, height, colored)
            return Drawing(drawn.strips, titles)

        return draw


def _map_titles(shown: Comparison, index: int) -> tuple[str, ...]:
    compared, label = shown.maps[index], shown.labels[index]
    if compared.map is None:
        return (label, clip(label, 16))
    step = f"step {compared.map.step:,}"
    if compared.problem:
        return (f"{label} · {step} · {compared.problem}", f"{label} · {step}", clip(label, 16))
    if compared.onto is None or compared.disparity is None:
        return (f"{label} · {step}", label, clip(label, 16))
    unlike = f"disparity {compared.disparity:.2f}".replace("0.", ".")
    onto = shown.labels[compared.onto]
    return (
        f"{label} · {step} · turned onto {onto}, {unlike}",
        f"{label} · {step} · turned, {unlike}",
        f"{label} · turned, {unlike}",
        f"{label} · {unlike}",
        label,
        clip(label, 16),
    )


class ComparisonPanels(Grid):
    """Hands each panel its part of a comparison; one panel is the selected one."""

    def __init__(self, drawer: WorkerThread, runs: int) -> None:
        super().__init__(id="panels")
        self._drawer = drawer
        self._runs = runs
        self._shown: Comparison | None = None
        self._metric = ""
        self._first_map = 0
        self.selected = "curves"
        """the panel that has the keys"""

    def compose(self) -> ComposeResult:
        yield MetricChart(self._drawer)
        yield TablePanel("numbers")
        with Horizontal(id="maps"):
            for index in range(self._runs):
                yield ComparedMapPanel(self._drawer, index)
        yield TablePanel("settings")

    def show(self, shown: Comparison) -> None:
        """Show a comparison; panels whose part has not changed stay as they are."""
        self._shown = shown
        colored = not self.app.no_color
        self._show_metric()
        self.query_one("#numbers", TablePanel).show(
            partial(number_titles, shown), partial(number_lines, shown, colored=colored)
        )
        self.query_one("#settings", TablePanel).show(
            partial(setting_titles, shown), partial(setting_lines, shown, colored=colored)
        )
        for index, panel in zip(range(len(shown.runs)), self._maps, strict=False):
            panel.show(shown, index)
        if len(shown.runs) < self._runs:  # one could not be read
            self._runs = len(shown.runs)
            self.show_maps()

    # Curves

    def other_metric(self, by: int) -> None:
        """Show the curves of the metric that comes `by` places after this one."""
        metrics = self._metrics()
        if metrics:
            self._metric = metrics[(metrics.index(self._metric) + by) % len(metrics)]
            self._show_metric()

    def toggle_log(self) -> None:
        """Switch between a linear and a logarithmic axis."""
        chart = self.query_one(MetricChart)
        chart.set_options(replace(chart.options, log=not chart.is_logarithmic))

    def toggle_time(self) -> None:
        """Switch between steps and time."""
        chart = self.query_one(MetricChart)
        axis: Any = "time" if chart.options.axis == "step" else "step"
        chart.set_options(replace(chart.options, axis=axis))

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
    def _maps(self) -> Iterable[ComparedMapPanel]:
        return self.query(ComparedMapPanel)

    @property
    def hides_maps(self) -> bool:
        """Whether there are more maps than have room."""
        return self._maps_in_view() < self._runs

    def other_maps(self) -> None:
        """Show the maps of the next runs."""
        self._first_map += self._maps_in_view()
        if self._first_map >= self._runs:
            self._first_map = 0
        self.show_maps()

    def show_maps(self) -> None:
        """Show as many maps as have room, from the chosen one on."""
        count = self._maps_in_view()
        first = min(self._first_map, max(self._runs - count, 0))
        for index, panel in enumerate(self._maps):
            panel.display = first <= index < min(first + count, self._runs)

    def _maps_in_view(self) -> int:
        width = self.query_one("#maps").size.width or self.size.width
        return max(1, width // _MAP)

    # Which panel

    def select(self, name: str) -> None:
        """Make a panel the selected one."""
        self.selected = name
        for panel in PANELS:
            self.query_one(f"#{panel}").set_class(panel == name, "-selected")

    def focus_selected(self) -> None:
        """Give the selected panel the keys."""
        shown = [panel for panel in self._maps if panel.display]
        if self.selected == "maps" and shown:
            self.screen.set_focus(shown[0])
        else:
            self.screen.set_focus(self.query_one(f"#{self.selected}"))

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Select the panel that the mouse has gone to."""
        for widget in event.widget.ancestors_with_self:
            if widget.id in PANELS:
                self.select(widget.id)
