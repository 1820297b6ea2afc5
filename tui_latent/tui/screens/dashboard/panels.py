"""The panels of a run: the map, the curves and, where there is room, the classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Tab, Tabs

from tui_latent.loss_weights import loss_weights
from tui_latent.preferences.config_file import PANELS
from tui_latent.runs.maps import StoredEvaluation
from tui_latent.runs.metric_specs import MetricSpec
from tui_latent.runs.ranks_file import RankStatus
from tui_latent.runs.schema import RunSnapshot
from tui_latent.runtime.machine_load import MachineLoad
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.charts.flags import Flag
from tui_latent.tui.charts.line_chart import ChartOptions
from tui_latent.tui.charts.line_chart_panel import CurveChart
from tui_latent.tui.charts.scatter_panel import ScatterPanel
from tui_latent.tui.first_values import when_evaluated, when_recorded
from tui_latent.tui.run_flags import latent_dimensions, run_flags
from tui_latent.tui.screens.dashboard.accuracy_chart import AccuracyChart
from tui_latent.tui.screens.dashboard.confusion_panel import ConfusionPanel
from tui_latent.tui.screens.dashboard.empty_panels import empty_panels
from tui_latent.tui.screens.dashboard.log_panel import LogPanel
from tui_latent.tui.screens.dashboard.machine_panel import MachinePanel
from tui_latent.tui.screens.dashboard.space_panel import SpacePanel
from tui_latent.tui.screens.dashboard.views import (
    TOTAL,
    live_scene,
    loss_series,
    loss_terms,
    why_missing,
)

_WEIGHTED: Final = (
    "Loss · terms as they count in the sum · train (val dotted)",
    "Loss · terms as they count (val dotted)",
    "Loss · terms as they count",
    "Loss, weighted",
    "Loss",
)
_RAW: Final = (
    "Loss · terms as recorded, not weighted · train (val dotted)",
    "Loss · raw terms (val dotted)",
    "Loss · raw terms",
    "Loss, raw",
    "Loss",
)
_UNKNOWN: Final = (
    "Loss · raw terms, their weights are not known · train (val dotted)",
    "Loss · raw terms, weights unknown",
    "Loss, weights unknown",
    "Loss",
)
_PLAIN: Final = ("Loss · train (val dotted)", "Loss (val dotted)", "Loss")
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

    def __init__(self, drawer: WorkerThread, chosen: Mapping[str, Any] = {}) -> None:
        """`chosen` says how the curves were last shown (`axis`, `smoothing`, `log`, `weighted`),
        and which `panels` there are."""
        super().__init__()
        self._chosen = chosen
        self._axis_is_due = True
        self._drawer = drawer
        self._charted: tuple[RunSnapshot, bool] | None = None
        self._flags: tuple[Flag, ...] = ()
        self._past: StoredEvaluation | None = None
        self._weighted = chosen.get("weighted") is not False
        self._empty: frozenset[str] = frozenset()
        self._measured: Mapping[MetricSpec, float] = {}

    def compose(self) -> ComposeResult:
        yield ScatterPanel(self._drawer, "map")
        with Vertical(id="side"):
            yield Tabs(*(Tab(title, id=f"tab-{name}") for name, title in _SIDE.items()))
            yield CurveChart(self._drawer, "loss", _PLAIN, ChartOptions(front=TOTAL, parts=True))
            yield AccuracyChart(self._drawer)
            yield SpacePanel(self._drawer)
            yield LogPanel()
            yield MachinePanel(self._drawer)
        yield ConfusionPanel(self._drawer)

    def on_mount(self) -> None:
        for chart in self.query(CurveChart):
            chart.keys = (*chart.keys, ("chart.front", "front"))
            chart.chooses_steps = True
        self._loss.keys = (*self._loss.keys, ("chart.weights", "weights"))
        self.query_one(Tabs).hide("tab-machine")
        self._restore()

    def show(self, snapshot: RunSnapshot) -> None:
        """Show what changes rarely: the map, the classes and the log."""
        past = self._past
        self._hide_empty(snapshot)
        hint = when_evaluated(snapshot, "The map")
        shown = past.map if past else snapshot.map
        self.query_one(ScatterPanel).show(live_scene(shown, snapshot.origin), hint)
        hint = when_evaluated(snapshot, "The confusion matrix")
        confusion = past.confusion if past else snapshot.confusion
        missing = past.missing if past else snapshot.missing
        hint = missing.get("val/knn_20", hint)
        self.query_one(ConfusionPanel).show(confusion, snapshot.class_names, hint)
        self.query_one(LogPanel).show(snapshot.log)

    def of_an_evaluation(self) -> list[Widget]:
        """Return the panels of one evaluation; the curves name a step themselves."""
        return [self.query_one(f"#{name}") for name in ("map", "space", "confusion")]

    def look_at(self, past: StoredEvaluation | None, snapshot: RunSnapshot) -> None:
        """Show an earlier evaluation in every panel; None follows the newest."""
        self._past = past
        step = past.map.step if past else None
        for chart in self.query(CurveChart):
            chart.set_options(replace(chart.options, at=step))
        self.query_one(SpacePanel).look_at(step)
        self.show(snapshot)
        if self._charted is not None:
            self._show_space(snapshot)

    def show_curves(self, snapshot: RunSnapshot) -> None:
        """Show what changes often; call it at a limited rate."""
        dark = self.app.current_theme.dark
        if (snapshot, dark) == self._charted:
            return
        self._charted = snapshot, dark
        self._flags = run_flags(snapshot)
        self._show_loss(snapshot)
        self._restore_axis()
        chart = self.query_one(AccuracyChart)
        chart.show_run(snapshot, dark, self._flags)
        tab = self.query_one("#tab-knn", Tab)
        if tab.label_text != chart.short_title:
            tab.label = chart.short_title
        self._show_space(snapshot)

    def _hide_empty(self, snapshot: RunSnapshot) -> None:
        """Give the room of panels without content to the others."""
        empty = empty_panels(snapshot, bool(self._measured))
        if empty == self._empty:
            return
        tabs, focused = self.query_one(Tabs), self.screen.focused
        for name in _PANELS:
            self.query_one(f"#{name}").set_class(name in empty, "-empty")
        for name in set(_SIDE) - {"machine"}:
            (tabs.hide if name in empty | self._unwanted else tabs.show)(f"tab-{name}")
        self._empty = empty
        self.query_one("#side").set_class(set(_SIDE) - {"machine"} <= empty, "-empty")
        if focused is not None and focused.id in empty:
            self.query_one("#map").focus()
        chosen = tabs.active.removeprefix("tab-")
        if chosen in empty and (left := [name for name in self._tabs if name not in empty]):
            tabs.active = f"tab-{left[0]}"
            self._select(left[0])

    @property
    def _unwanted(self) -> set[str]:
        return set(PANELS) - set(self._chosen.get("panels", PANELS))

    @property
    def _tabs(self) -> list[str]:
        return [name for name in _SIDE if name not in self._unwanted and name != "machine"]

    def show_measured(self, figures: Mapping[MetricSpec, float], snapshot: RunSnapshot) -> None:
        """Show what an evaluation has measured of a space that has no labels."""
        if figures != self._measured:
            self._measured = figures
            self._hide_empty(snapshot)
            if self._charted is not None:
                self._show_space(snapshot)

    def _show_space(self, snapshot: RunSnapshot) -> None:
        hint = when_evaluated(snapshot, "Collapse metrics", "appear")
        step = self._past.map.step if self._past else snapshot.status.step
        dimensions = latent_dimensions(snapshot, step)
        self.query_one(SpacePanel).show(
            *(snapshot.curves, loss_terms(snapshot), hint, snapshot.missing, dimensions),
            self._measured,
        )

    def _show_loss(self, snapshot: RunSnapshot) -> None:
        weights = loss_weights(snapshot)
        dark = self.app.current_theme.dark
        series = loss_series(snapshot, weights if self._weighted else None, dark)
        titles: tuple[str, ...]
        titles = _PLAIN if len(series) < 2 else _WEIGHTED if self._weighted else _RAW
        if weights is None and len(series) > 1:
            titles = _UNKNOWN if snapshot.origin == "trained" else _RAW
        why = why_missing(snapshot, "val/loss")
        self._loss.show(series, "", when_recorded(snapshot), why, titles, self._flags)

    @property
    def shows_curves(self) -> bool:
        """Whether a panel of curves has, or will have, something to show."""
        return not {"loss", "knn"} <= self._empty

    @property
    def wants_load(self) -> bool:
        """Whether the machine's panel was chosen."""
        return "machine" in self._chosen.get("panels", PANELS)

    def show_load(self, load: MachineLoad | None, ranks: tuple[RankStatus, ...] = ()) -> None:
        """Show what the machine and the run's ranks are doing; hide it if no run trains here."""
        tabs, here = self.query_one(Tabs), load is not None or bool(ranks)
        if here != self.has_class("-load"):
            self.set_class(here, "-load")
            (tabs.show if here else tabs.hide)("tab-machine")
        if here:
            self.query_one(MachinePanel).show(load, ranks)

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
        self._set_full(not self.is_full, self._focused)

    @property
    def _focused(self) -> str:
        """The panel that has the focus; that of the tab if the tabs have it, else the map."""
        focused = self.screen.focused
        if isinstance(focused, Tabs):
            return focused.active.removeprefix("tab-") or "map"
        found = focused.id if focused is not None else None
        return found if found in _PANELS else "map"

    def show_full(self, panel: str) -> None:
        """Show a panel full-screen, and give it the focus; the map if the panel is empty."""
        panel = "map" if panel in self._empty else panel
        self._set_full(True, panel)
        self.query_one(f"#{panel}").focus()

    def next_full(self, by: int) -> None:
        """Show the next panel full-screen in place of this one, or the previous one."""
        left_out = self._empty | self._unwanted
        left_out |= set() if self.has_class("-load") else {"machine"}
        left_out |= set() if self.screen.has_class("-three") else {"confusion"}
        names = [name for name in _PANELS if name not in left_out]
        shown = [self.query_one(f"#{name}").has_class("-full") for name in names]
        at = shown.index(True) if any(shown) else 0
        self.show_full(names[(at + by) % len(names)])

    def _set_full(self, full: bool, chosen: str) -> None:
        for name in _PANELS:
            self.query_one(f"#{name}").set_class(full and name == chosen, "-full")
        self.set_class(full, "-full")
        self.set_class(full and chosen not in _SIDE, "-full-alone")

    # Chart options

    @property
    def _loss(self) -> CurveChart:
        return self.query_one("#loss", CurveChart)

    def toggle_frame(self) -> None:
        """Show every point of the map, or again the frame of most of them."""
        self.query_one(ScatterPanel).toggle_frame()

    def _restore(self) -> None:
        """Show the curves as they were last shown, and only the panels that were chosen."""
        self._loss.set_smoothing(self._chosen.get("smoothing", 0.0))
        if isinstance(log := self._chosen.get("log"), bool):
            self._loss.set_options(replace(self._loss.options, log=log))
        unwanted = self._unwanted
        for name in unwanted:
            self.query_one(f"#{name}").add_class("-unwanted")
        for name in unwanted & set(_SIDE):
            self.query_one(Tabs).hide(f"tab-{name}")
        self.query_one("#side").set_class(set(_SIDE) <= unwanted, "-unwanted")
        first = next(name for name in _PANELS if name not in unwanted)
        self._select(first if first in _SIDE else next((n for n in _SIDE if n not in unwanted), ""))
        self.query_one(f"#{first}").focus()

    def _restore_axis(self) -> None:
        """Plot over the axis that was last chosen, as soon as the curves have it."""
        wanted = self._chosen.get("axis", "step")
        charts = [chart for chart in self.query(CurveChart) if chart.has_curves]
        if self._axis_is_due and charts:
            self._axis_is_due = False
            for chart in charts:
                chart.set_axis(wanted)

    @property
    def looks(self) -> Mapping[str, Any]:
        """How the curves are shown: `axis`, `smoothing`, `log`, `weighted`."""
        options = self._loss.options
        return {
            "axis": options.axis,
            "smoothing": options.smoothing,
            "log": options.log,
            "weighted": self._weighted,
        }

    def toggle_log(self) -> None:
        """Switch the loss between a linear and a logarithmic axis."""
        self._loss.toggle_log()

    def next_axis(self) -> None:
        """Plot all curves over steps, epochs or time."""
        charts = [chart for chart in self.query(CurveChart) if chart.has_curves]
        if charts:
            axis = charts[0].next_axis()
            for chart in charts:
                chart.set_axis(axis)

    def smooth(self, steps: int) -> None:
        """Smooth the loss more, or less if `steps` is negative."""
        self._loss.smooth(steps)

    def why_no_weights(self, snapshot: RunSnapshot) -> str:
        """Say why weights would change no curve; empty if they would."""
        if not loss_terms(snapshot):
            return "The loss has no terms of its own to weigh."
        if loss_weights(snapshot) is None:
            return "The weights of these terms are not known: they are shown as recorded."
        return ""

    def toggle_weights(self) -> None:
        """Show the loss terms as they count in the sum, or as they are recorded."""
        self._weighted = not self._weighted
        if self._charted is not None:
            self._show_loss(self._charted[0])

    def clear_cursor(self) -> bool:
        """Remove the cursors of the curves; return whether there was one."""
        return any([chart.clear_cursor() for chart in self.query(CurveChart)])
