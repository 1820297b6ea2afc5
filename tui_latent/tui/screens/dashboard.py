"""The dashboard: one run, live in this process or another, or finished."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Static, Tab, Tabs

from tui_latent.records.control import request
from tui_latent.records.schema import LIVE_STATES, RunError, RunSnapshot
from tui_latent.tui.charts import ChartOptions
from tui_latent.tui.drawing import Drawer
from tui_latent.tui.run_views import failure, knn_series, loss_series, when_evaluated, when_recorded
from tui_latent.tui.watching import RunLost, RunWatcher, SnapshotRead
from tui_latent.tui.widgets.confusion_panel import ConfusionPanel
from tui_latent.tui.widgets.curve_chart import SMOOTHINGS, CurveChart
from tui_latent.tui.widgets.latent_map import LatentMapPanel
from tui_latent.tui.widgets.log_panel import LogPanel
from tui_latent.tui.widgets.run_header import RunHeader
from tui_latent.tui.widgets.space_panel import SpacePanel

if TYPE_CHECKING:
    from tui_latent.tui.app import LatentApp

Asked = Literal["run", "pause", "stop"]

SMALLEST: Final = (60, 20)
"""columns and rows below which a sentence takes the place of the panels"""
_THREE_COLUMNS: Final = 150
"""columns from which the classes have room beside the curves"""
_LOSS_TITLES: Final = ("Loss · train (val dotted)", "Loss (val dotted)", "Loss")
_KNN_TITLES: Final = ("kNN accuracy, held out", "kNN")
_PANELS: Final = ("map", "loss", "knn", "space", "log", "confusion")
_SIDE: Final = {"loss": "Loss", "knn": "kNN", "space": "Space", "log": "Log"}
_SMOOTH: Final = Binding.Group("Smooth", compact=True)
_ANSWERS: Final[dict[Asked, frozenset[str]]] = {
    "run": frozenset({"running"}),
    "pause": frozenset({"paused"}),
    "stop": frozenset(),
}


class DashboardScreen(Screen[None]):
    """Shows a run's header, map, curves, figures and log, and passes on what a person asks."""

    BINDINGS = [
        Binding("space", "pause", "Pause", id="run.pause", tooltip="Pause or go on training"),
        Binding("s", "ask('stop')", "Stop", id="run.stop", tooltip="Stop training and save"),
        Binding("k", "checkpoint", "Save", id="run.save", tooltip="Save a checkpoint now"),
        Binding("r", "resume", "Resume", id="run.resume", tooltip="Train on from the checkpoint"),
        Binding("x", "report", "Report", id="run.report", tooltip="Export a PNG report"),
        Binding("v", "images", "Images", id="view.images", tooltip="Show images of this run"),
        Binding("f", "full", "Full", id="view.full", tooltip="Give the focused panel the screen"),
        Binding("question_mark", "app.help", "Help", id="app.help", tooltip="Show every key"),
        Binding("q", "menu", "Menu", id="view.menu", tooltip="Back to presets and runs"),
        Binding("y", "log", "Log", id="chart.log", tooltip="Logarithmic or linear loss"),
        Binding("t", "axis", "Time", id="chart.axis", tooltip="Curves over steps or over time"),
        Binding(
            "minus",
            "smooth(-1)",
            "Smooth less",
            key_display="-",
            group=_SMOOTH,
            id="chart.less",
            tooltip="Smooth the loss less",
        ),
        Binding(
            "plus",
            "smooth(1)",
            "Smooth more",
            key_display="+",
            group=_SMOOTH,
            id="chart.more",
            tooltip="Smooth the loss more",
        ),
        Binding("equals_sign", "smooth(1)", "Smooth more", show=False, id="chart.more"),
        Binding("escape", "leave", "Back", show=False, id="view.back", tooltip="Leave full screen"),
        Binding("tab", "app.focus_next", "Next", show=False, id="view.next", tooltip="Next panel"),
        Binding(
            "shift+tab",
            "app.focus_previous",
            "Previous",
            show=False,
            id="view.previous",
            tooltip="Previous panel",
        ),
    ]

    def __init__(self, path: Path, drawer: Drawer, seconds_between_charts: float = 1.0) -> None:
        super().__init__()
        self.path = path
        self._drawer = drawer
        self._seconds_between_charts = seconds_between_charts
        self._watcher = RunWatcher(path, self.post_message)
        self._snapshot = RunSnapshot(path)
        self._charted = self._snapshot
        self._asked: Asked | None = None

    def compose(self) -> ComposeResult:
        yield RunHeader()
        yield Static(id="failure", markup=False)
        with Horizontal(id="panels"):
            yield LatentMapPanel(self._drawer)
            with Vertical(id="side"):
                yield Tabs(*(Tab(title, id=f"tab-{name}") for name, title in _SIDE.items()))
                yield CurveChart(self._drawer, "loss", _LOSS_TITLES, ChartOptions())
                yield CurveChart(self._drawer, "knn", _KNN_TITLES, ChartOptions(log=False))
                yield SpacePanel(self._drawer)
                yield LogPanel()
            yield ConfusionPanel(self._drawer)
        yield Static(id="too-small", markup=False)
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        self._select("loss")
        self.query_one(LatentMapPanel).focus()
        self._watcher.start()
        self.set_interval(self._seconds_between_charts, self._draw_charts)

    def on_unmount(self) -> None:
        self._watcher.close()

    def on_resize(self, event: events.Resize) -> None:
        """Choose between panels side by side, tabs, and a sentence."""
        width, height = event.size
        self.set_class(width < 100 or height < 30, "-tabs")
        self.set_class(width >= _THREE_COLUMNS, "-three")
        self.set_class(width < SMALLEST[0] or height < SMALLEST[1], "-too-small")
        words = f"tui-latent needs {SMALLEST[0]}x{SMALLEST[1]} cells; here are {width}x{height}."
        self.query_one("#too-small", Static).update(words)

    # What the run's folder says

    @on(SnapshotRead)
    def show_snapshot(self, message: SnapshotRead) -> None:
        """Show the newest state; curves wait for their own, slower clock."""
        before, snapshot = self._snapshot, message.snapshot
        first = not self._charted.preset
        self._snapshot = snapshot
        state = snapshot.status.state
        if self._asked and (state in _ANSWERS[self._asked] or state not in LIVE_STATES):
            self._asked = None
        self._show_header()
        hint = when_evaluated(snapshot, "The map")
        self.query_one(LatentMapPanel).show(snapshot.map, hint)
        self.query_one(LogPanel).show(snapshot.log)
        hint = when_evaluated(snapshot, "What is taken for what")
        self.query_one(ConfusionPanel).show(snapshot.confusion, snapshot.class_names, hint)
        for problem in snapshot.problems:
            if problem not in before.problems:
                self.notify(problem, title="Passed over", severity="warning", markup=False)
        if state != before.status.state or first:
            self._show_failure(failure(snapshot))
            self.refresh_bindings()
            self._draw_charts()

    @on(RunLost)
    def show_loss_of_run(self, message: RunLost) -> None:
        """Keep what is shown, and say that nothing new will come."""
        self._show_failure(message.problem)

    def _show_header(self) -> None:
        self.query_one(RunHeader).show(self._snapshot, self._asked)

    def _show_failure(self, text: str) -> None:
        line = self.query_one("#failure", Static)
        line.update(Content(text))
        line.display = bool(text)

    def _draw_charts(self) -> None:
        snapshot = self._snapshot
        if snapshot is self._charted or not snapshot.preset:
            return
        self._charted = snapshot
        loss, knn = self.query_one("#loss", CurveChart), self.query_one("#knn", CurveChart)
        loss.show(loss_series(snapshot), "", when_recorded(snapshot))
        knn.show(*knn_series(snapshot), when_evaluated(snapshot, "kNN"))
        hint = when_evaluated(snapshot, "How the space is used")
        self.query_one(SpacePanel).show(snapshot.curves, hint)

    # Tabs, where there is no room for all panels

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

    # What a person asks

    @property
    def _app(self) -> LatentApp:
        return cast("LatentApp", self.app)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to pause, stop and save a live run only, and to resume any other."""
        status = self._snapshot.status
        live = status.state in LIVE_STATES
        if action in ("pause", "ask", "checkpoint"):
            return live
        if action == "resume":
            return not live and status.state != "finished"
        return True

    def action_pause(self) -> None:
        """Pause a running run, run a paused one."""
        if self._asked == "stop":
            self.notify("It is stopping already.")
            return
        paused = self._asked == "pause" or (
            self._asked is None and self._snapshot.status.state == "paused"
        )
        self.action_ask("run" if paused else "pause")

    def action_ask(self, state: Asked) -> None:
        """Ask the trainer for a state, and show that it was asked."""
        if self._ask(state=state):
            self._asked = None if self._snapshot.status.state in _ANSWERS[state] else state
            self._show_header()

    def action_checkpoint(self) -> None:
        """Ask the trainer for a checkpoint; its log says when it is there."""
        if self._ask(checkpoint=True):
            self.notify("A checkpoint is saved after this step; the log names it.")

    def _ask(self, state: Asked | None = None, checkpoint: bool = False) -> bool:
        try:
            request(self.path, state=state, checkpoint=checkpoint)
        except RunError as error:
            self.notify(str(error), title="Not asked", severity="error", markup=False)
            return False
        return True

    def action_resume(self) -> None:
        """Train on from the last checkpoint."""
        self._app.resume_run(self.path)

    def action_report(self) -> None:
        """Export the report in the background."""
        self._app.export_report(self.path)

    def action_images(self) -> None:
        """Show the run's images."""
        from tui_latent.tui.screens.viewer import ViewerScreen

        self.app.push_screen(ViewerScreen(self.path))

    def action_menu(self) -> None:
        """Go back to the presets and runs; training goes on."""
        self.dismiss()

    def action_leave(self) -> None:
        """Leave the full screen, or else the dashboard."""
        if self.has_class("-full"):
            self.action_full()
        else:
            self.action_menu()

    def action_full(self) -> None:
        """Give the focused panel all the room, or take it back."""
        full = not self.has_class("-full")
        focused = self.focused.id if self.focused is not None else None
        for name in _PANELS:
            chosen = name == (focused if focused in _PANELS else "map")
            self.query_one(f"#{name}").set_class(full and chosen, "-full")
        self.set_class(full, "-full")
        in_side = any(self.query_one(f"#{name}").has_class("-full") for name in _SIDE)
        self.set_class(full and not in_side, "-full-alone")

    def action_log(self) -> None:
        """Switch the loss between a linear and a logarithmic axis."""
        chart = self.query_one("#loss", CurveChart)
        chart.set_options(replace(chart.options, log=not chart.is_logarithmic))

    def action_axis(self) -> None:
        """Switch all curves between steps and time."""
        for chart in self.query(CurveChart):
            axis: Literal["step", "time"] = "time" if chart.options.axis == "step" else "step"
            chart.set_options(replace(chart.options, axis=axis))

    def action_smooth(self, steps: int) -> None:
        """Smooth the loss more or less."""
        chart = self.query_one("#loss", CurveChart)
        at = SMOOTHINGS.index(chart.options.smoothing) + steps
        smoothing = SMOOTHINGS[min(max(at, 0), len(SMOOTHINGS) - 1)]
        chart.set_options(replace(chart.options, smoothing=smoothing))
