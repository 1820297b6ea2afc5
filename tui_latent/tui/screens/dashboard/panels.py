"""The panels of a run: the map, the curves and, where there is room, the classes."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Tab, Tabs

from tui_latent.runs.maps import StoredEvaluation
from tui_latent.runs.schema import RunSnapshot
from tui_latent.runtime.machine_load import MachineLoad
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.charts.line_chart import ChartOptions
from tui_latent.tui.charts.line_chart_panel import SMOOTHINGS, CurveChart
from tui_latent.tui.charts.scatter_panel import ScatterPanel
from tui_latent.tui.first_values import when_evaluated, when_recorded
from tui_latent.tui.screens.dashboard.confusion_panel import ConfusionPanel
from tui_latent.tui.screens.dashboard.log_panel import LogPanel
from tui_latent.tui.screens.dashboard.machine_panel import MachinePanel
from tui_latent.tui.screens.dashboard.space_panel import SpacePanel
from tui_latent.tui.screens.dashboard.views import (
    knn_series,
    live_scene,
    loss_series,
    loss_terms,
    why_missing,
)

_LOSS_TITLES: Final = ("Loss · train (val dotted)", "Loss (val dotted)", "Loss")
_KNN_TITLES: Final = ("kNN accuracy, held out", "kNN")
_SIDE: Final = {
    "loss": "Loss",
    "knn": "kNN",
    "space": "Space",
    "log": "Log",
    "machine": "Machine",
}
_PANELS: Final = ("map", *_SIDE, "confusion")


class RunPanels(Horizontal):
    """Gives each panel its part of a snapshot; on small screens the side panels are tabs."""

    def __init__(self, drawer: WorkerThread) -> None:
        super().__init__()
        self._drawer = drawer
        self._charted: RunSnapshot | None = None
        self._past: StoredEvaluation | None = None

    def compose(self) -> ComposeResult:
        yield ScatterPanel(self._drawer, "map")
        with Vertical(id="side"):
            yield Tabs(*(Tab(title, id=f"tab-{name}") for name, title in _SIDE.items()))
            yield CurveChart(self._drawer, "loss", _LOSS_TITLES, ChartOptions())
            yield CurveChart(self._drawer, "knn", _KNN_TITLES, ChartOptions(log=False))
            yield SpacePanel(self._drawer)
            yield LogPanel()
            yield MachinePanel(self._drawer)
        yield ConfusionPanel(self._drawer)

    def on_mount(self) -> None:
        self._select("loss")
        self.query_one(Tabs).hide("tab-machine")
        self.query_one(ScatterPanel).focus()

    def show(self, snapshot: RunSnapshot) -> None:
        """Show what changes rarely: the map, the classes and the log."""
        past = self._past
        hint = when_evaluated(snapshot, "The map")
        self.query_one(ScatterPanel).show(live_scene(past.map if past else snapshot.map), hint)
        hint = when_evaluated(snapshot, "The confusion matrix")
        confusion = past.confusion if past else snapshot.confusion
        missing = past.missing if past else snapshot.missing
        hint = missing.get("val/knn_20", hint)
        self.query_one(ConfusionPanel).show(confusion, snapshot.class_names, hint)
        self.query_one(LogPanel).show(snapshot.log)

    def look_at(self, past: StoredEvaluation | None, snapshot: RunSnapshot) -> None:
        """Show an earlier evaluation in every panel; None follows the newest."""
        self._past = past
        step = past.map.step if past else None
        for chart in self.query(CurveChart):
            chart.set_options(replace(chart.options, at=step))
        self.query_one(SpacePanel).look_at(step)
        self.show(snapshot)

    def show_curves(self, snapshot: RunSnapshot) -> None:
        """Show what changes often; call it at a limited rate."""
        if snapshot is self._charted:
            return
        self._charted = snapshot
        why = why_missing(snapshot, "val/loss")
        self._loss.show(loss_series(snapshot), "", when_recorded(snapshot), why)
        hint, why = when_evaluated(snapshot, "kNN accuracy"), why_missing(snapshot, "val/knn")
        self.query_one("#knn", CurveChart).show(*knn_series(snapshot), hint, why)
        hint = when_evaluated(snapshot, "Collapse metrics", "appear")
        self.query_one(SpacePanel).show(
            snapshot.curves, loss_terms(snapshot), hint, snapshot.missing
        )

    def show_load(self, load: MachineLoad | None) -> None:
        """Show what the machine is doing; None hides it: no run trains here."""
        tabs, here = self.query_one(Tabs), load is not None
        if here != self.has_class("-load"):
            self.set_class(here, "-load")
            (tabs.show if here else tabs.hide)("tab-machine")
        if load is not None:
            self.query_one(MachinePanel).show(load)

    # Tabs and full screen

    @on(Tabs.TabActivated)
    def show_tab(self, event: Tabs.TabActivated) -> None:
        """Show the panel whose tab was chosen."""
        self._select((event.tab.id or "").removeprefix("tab-"))

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Follow the focus with the tabs."""
        if event.widget.id in _SIDE:
            self.query_one(Tabs).active = f"tab-{event.widget.id}"

    def _select(self, name: str) -> None:
        for panel in _SIDE:
            self.query_one(f"#{panel}").set_class(panel == name, "-selected")

    @property
    def is_full(self) -> bool:
        """Whether one panel has all the room."""
        return self.has_class("-full")

    def toggle_full(self) -> None:
        """Toggle full screen for the focused panel."""
        full = not self.is_full
        focused = self.screen.focused.id if self.screen.focused is not None else None
        chosen = focused if focused in _PANELS else "map"
        for name in _PANELS:
            self.query_one(f"#{name}").set_class(full and name == chosen, "-full")
        self.set_class(full, "-full")
        self.set_class(full and chosen not in _SIDE, "-full-alone")

    # Chart options

    @property
    def _loss(self) -> CurveChart:
        return self.query_one("#loss", CurveChart)

    def toggle_log(self) -> None:
        """Switch the loss between a linear and a logarithmic axis."""
        self._loss.toggle_log()

    def toggle_time(self) -> None:
        """Switch all curves between steps and time."""
        for chart in self.query(CurveChart):
            chart.toggle_time()

    def smooth(self, steps: int) -> None:
        """Smooth the loss more, or less if `steps` is negative."""
        at = SMOOTHINGS.index(self._loss.options.smoothing) + steps
        smoothing = SMOOTHINGS[min(max(at, 0), len(SMOOTHINGS) - 1)]
        self._loss.set_options(replace(self._loss.options, smoothing=smoothing))
