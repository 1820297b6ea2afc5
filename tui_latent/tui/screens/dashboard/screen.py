"""The dashboard: one run, live in this process or another, or finished."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from textual import events, on, work
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from tui_latent.runs.metric_specs import in_group
from tui_latent.runs.schema import LIVE_STATES, Curve
from tui_latent.tui import messages
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.charts.film import HEIGHT as FILM_HEIGHT
from tui_latent.tui.first_values import when_recorded
from tui_latent.tui.foreign_runs import why_impossible
from tui_latent.tui.keymap import KEYMAP, bindings
from tui_latent.tui.redraw_rate import RedrawRate
from tui_latent.tui.remapping import keys_of
from tui_latent.tui.run_watcher import RunLost, RunWatcher, SnapshotRead
from tui_latent.tui.screens.base import TooSmall
from tui_latent.tui.screens.dashboard.confusion_panel import ConfusionPanel
from tui_latent.tui.screens.dashboard.curve_actions import CurveActions
from tui_latent.tui.screens.dashboard.header import RunHeader
from tui_latent.tui.screens.dashboard.panels import RunPanels
from tui_latent.tui.screens.dashboard.request_actions import RequestActions
from tui_latent.tui.screens.dashboard.run_load import RunLoad
from tui_latent.tui.screens.dashboard.run_verdict import RunVerdict
from tui_latent.tui.screens.dashboard.time_actions import TimeActions
from tui_latent.tui.screens.dashboard.views import (
    DROPPED,
    failure,
    has_labels,
    loss_terms,
    measured_figures,
)
from tui_latent.tui.screens.dashboard.why_not_now import why_not_now
from tui_latent.tui.widgets.cut_text import CutText
from tui_latent.tui.widgets.film_strip import FilmStrip
from tui_latent.tui.widgets.key_footer import KeyFooter
from tui_latent.tui.widgets.time_badge import TimeBadge

if TYPE_CHECKING:
    from tui_latent.tui.screens.dialogs.findings import FindingsScreen
    from tui_latent.verdict import Door

_THREE_COLUMNS: Final = 150
"""fewest columns that have room for the classes beside the curves"""
_LEAST_STACKED: Final = 30
"""fewest lines at which the panels at the right are above each other, and not behind tabs"""
_TALL: Final = 40
"""fewest lines at which the machine's figures have a line each"""
_AIRY: Final = 50
"""fewest lines at which blank lines separate the metrics of the space"""

_OF_CURVES: Final = ("log", "axis", "front", "smooth", "weights")
"""actions on curves"""


class DashboardScreen(TimeActions, CurveActions, RequestActions):
    """Shows a run and sends requests to its trainer."""

    CSS = """
    DashboardScreen > #failure {
        display: none; height: auto; max-height: 4; padding: 0 1;
        background: $error 30%; color: $foreground; text-style: bold;
    }
    DashboardScreen.-failed > #failure { display: block; }
    RunPanels { height: 1fr; }
    DashboardScreen > FilmStrip { display: none; }
    DashboardScreen.-film > FilmStrip { display: block; }
    ScatterPanel { width: 3fr; height: 1fr; }
    #side {
        width: 2fr; height: 1fr;
        Tabs { display: none; }
        CurveChart { height: 4fr; }
        #knn { height: 3fr; min-height: 6; }
        SpacePanel { height: 8; }
        LogPanel { height: 3fr; }
        MachinePanel { display: none; height: 1; border: none; }
    }
    RunPanels.-load #side MachinePanel { display: block; }
    DashboardScreen.-tall #side MachinePanel {
        height: 5;
        border: round $foreground 30%;
        &:focus { border: round $accent; }
        &.-gpu { height: 7; }
        &.-shared { height: 8; }
        &.-ranks { height: 7; }
        &.-gpu.-ranks { height: 9; }
        &.-shared.-ranks { height: 10; }
    }
    DashboardScreen.-airy #side SpacePanel { height: 13; }
    DashboardScreen.-tabs #side {
        Tabs { display: block; height: 1; }
        Tabs Underline { display: none; }
        Tabs Tab.-active { text-style: bold underline; }
        CurveChart, SpacePanel, LogPanel, MachinePanel { display: none; height: 1fr; }
        .-selected { display: block; }
        MachinePanel { border: round $foreground 30%; }
    }
    ConfusionPanel { display: none; width: 40; height: 1fr; }
    DashboardScreen.-three ConfusionPanel { display: block; }
    RunPanels.-full {
        #side Tabs, #side CurveChart, #side SpacePanel, #side LogPanel { display: none; }
        #side MachinePanel { display: none; }
        #side .-full { display: block; height: 1fr; }
        ScatterPanel, ConfusionPanel { display: none; }
        ScatterPanel.-full, ConfusionPanel.-full { display: block; width: 1fr; }
    }
    RunPanels.-full-alone #side { display: none; }
    RunPanels .-unwanted, RunPanels .-empty { display: none !important; }
    """

    ABOUT = (
        "One run: its map, its curves and its log, live or finished. Leaving it does not stop it."
    )
    BINDINGS = bindings("dashboard")

    def __init__(
        self,
        path: Path,
        drawer: WorkerThread,
        seconds_between_charts: float = 1.0,
        chosen: Mapping[str, Any] = {},
    ) -> None:
        """`chosen` is how the run was last shown, for `RunPanels`."""
        super().__init__(path)
        self._chosen = chosen
        self._film_is_due = chosen.get("film") is True
        self._drawer = drawer
        self._seconds_between_charts = seconds_between_charts
        self._watcher = RunWatcher(path, self.post_message)
        self._told = ""
        self._findings: FindingsScreen | None = None
        self._pace = RedrawRate()
        self._share: Curve | None = None
        self._machine = RunLoad()

    def compose(self) -> ComposeResult:
        yield RunHeader()
        yield CutText(id="failure", markup=False)
        yield RunVerdict(self.path)
        yield TimeBadge()
        yield RunPanels(self._drawer, self._chosen)
        yield FilmStrip(self._maps)
        yield TooSmall()
        yield KeyFooter()

    def on_mount(self) -> None:
        self._watcher.start()
        self.set_interval(self._seconds_between_charts, self._show_curves)
        self.set_timer(self._seconds_between_charts, self._follow_load)
        self.set_interval(4 * self._seconds_between_charts, self._follow_load)

    def on_unmount(self) -> None:
        self._watcher.close()

    def on_resize(self, event: events.Resize) -> None:
        """Choose between panels side by side and tabs."""
        self._arrange(event.size.width, event.size.height)

    def action_film(self) -> None:
        """Show or hide the film strip; the panels share the lines that are left."""
        super().action_film()
        self._arrange(self.size.width, self.size.height)

    def _arrange(self, width: int, height: int) -> None:
        if self.has_class("-film"):
            height -= FILM_HEIGHT
        self.set_class(width < 100 or height < _LEAST_STACKED, "-tabs")
        self.set_class(width >= _THREE_COLUMNS, "-three")
        self.set_class(height >= _TALL, "-tall")
        self.set_class(height >= _AIRY, "-airy")

    # Updates from the run folder

    @on(SnapshotRead)
    def show_snapshot(self, message: SnapshotRead) -> None:
        """Show the newest state; curves are redrawn at their own, slower rate."""
        before, snapshot = self._snapshot, message.snapshot
        first = not (before.preset or before.provenance)
        self._snapshot = snapshot
        state = snapshot.status.state
        self._take_answer()
        self._panels.show(snapshot)
        self._show_badge()
        for problem in snapshot.problems:
            if problem not in before.problems:
                self.notify(problem, title="Skipped", severity="warning", markup=False)
        status, old = snapshot.status, before.status
        if (status.dropped and not old.dropped) or (status.skipped and not old.skipped):
            self.notify(DROPPED, title="Left out", severity="warning", timeout=10)
        self._show_failure(failure(snapshot, self.app._keymap))
        self.query_one(RunVerdict).follow(snapshot)
        if self._film_is_due and snapshot.map_steps:
            self._film_is_due = False
            self.add_class("-film")
            self._arrange(*self.size)
        if state != before.status.state or first:
            self.refresh_bindings()
            self._panels.show_curves(snapshot)

    @on(RunVerdict.Judged)
    def show_measured(self, message: RunVerdict.Judged) -> None:
        """Show figures of the newest evaluation that need no labels, where there are none, and
        the new verdict where the old one is open."""
        if self._findings is not None:
            self._findings.show(message.verdict)
        figures = {} if has_labels(self._snapshot) else measured_figures(message.evaluation)
        self._panels.show_measured(figures, self._snapshot)

    @on(RunLost)
    def show_loss_of_run(self, message: RunLost) -> None:
        """Keep what is shown, and show why there are no updates."""
        self._show_failure(message.problem)

    def _show_failure(self, text: str) -> None:
        if text == self._told:
            return
        self._told = text
        self.query_one("#failure", Static).update(Content(text))
        self.set_class(bool(text), "-failed")

    def _show_curves(self) -> None:
        live = self._snapshot.status.state in LIVE_STATES
        share = self._snapshot.curves.get("train/screen_share") if live else None
        if share is not self._share:  # each measurement counts once
            self._pace.adjust(share.last if share else None)
            self._share = share
        if self._is_read and self._pace.due():
            self._panels.show_curves(self._snapshot)

    def _follow_load(self) -> None:
        """Measure what the machine does while the run is training; hide it afterwards."""
        live = self._snapshot.status.state in LIVE_STATES
        if self._panels.wants_load and (live or self._panels.has_class("-load")):
            self._measure_load()

    @work(thread=True, exclusive=True, group="load", exit_on_error=False)
    def _measure_load(self) -> None:
        snapshot = self._snapshot
        load = self._machine.load(snapshot.status)
        ranks = snapshot.ranks if snapshot.status.state in LIVE_STATES else ()
        if load is not None or ranks or self._panels.has_class("-load"):
            self.app.call_from_thread(self._panels.show_load, load, ranks)

    def terms(self) -> list[str]:
        """Return what this run records, for the help."""
        curves = self._snapshot.curves
        figures = [spec.name for spec in (in_group("accuracy")[0], *in_group("loss", "space"))]
        losses = [f"train/{name}" for name in loss_terms(self._snapshot)]
        recorded = [name for name in (*figures, *losses) if name in curves]
        return ["epoch, step", "held out", *recorded, "collapse", "confusion matrix", "checkpoint"]

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable pause, stop and save for live runs, and resume for others."""
        if self._why_not(action):
            return False
        if action in _OF_CURVES:
            return self._panels.shows_curves
        if action in ("time", "film") and self._snapshot.origin == "opened":
            return len(self._snapshot.map_steps) > 1
        return True

    def on_key(self, event: events.Key) -> None:
        """Say why nothing happens when a key is pressed that the run does not offer now."""
        for row in KEYMAP["dashboard"]:
            why = self._why_not(row.action.partition("(")[0])
            if why and event.key in keys_of(row, self.app._keymap):
                event.stop()
                self.notify(why, title=row.label, timeout=8, markup=False)
                return

    def why_inactive(self, key_id: str) -> str:
        """Say what a run of opened files lacks; `on_key` explains everything else."""
        if key_id.startswith("time."):
            return self._time.why_not(self._snapshot.map_steps, 1)
        return when_recorded(self._snapshot) if key_id.startswith("chart.") else ""

    def _why_not(self, action: str) -> str:
        snapshot = self._snapshot
        never = why_impossible(action, snapshot.preset, snapshot.provenance)
        return never or why_not_now(action, snapshot, self.app._keymap)

    def action_resume(self) -> None:
        """Resume from the last checkpoint."""
        self.post_message(messages.ResumeRequested(self.path))

    def action_edit(self) -> None:
        """Change settings: of the running model, or of a new run."""
        self.post_message(messages.EditRequested(self.path))

    def action_undo(self) -> None:
        """Undo the newest change of a setting."""
        self.post_message(messages.UndoRequested(self.path))

    def action_fork(self) -> None:
        """Start a new run from a checkpoint of this one."""
        self.post_message(messages.ForkRequested(self.path, self._time.step))

    def action_report(self) -> None:
        """Export the report in the background."""
        self.post_message(messages.ReportRequested(self.path))

    def action_explore(self) -> None:
        """Explore the map, point by point."""
        self.post_message(messages.ExplorerRequested(self.path, self._time))

    def action_verdict(self) -> None:
        """Show all findings about the run."""
        from tui_latent.tui.screens.dialogs.findings import FindingsScreen

        def follow(door: Door | None) -> None:
            self._findings = None
            if door is not None:
                self.post_message(messages.DoorRequested(self.path, door, self._time))

        self._findings = FindingsScreen(self.query_one(RunVerdict).verdict)
        self.app.push_screen(self._findings, follow)

    @on(messages.DoorRequested)
    def show_panel(self, message: messages.DoorRequested) -> None:
        """Show the curves or the log full-screen; the app opens everything else."""
        if message.door.place in ("curves", "log"):
            message.stop()
            self._panels.show_full("loss" if message.door.place == "curves" else "log")

    @on(ConfusionPanel.Chosen)
    def show_confused(self, message: ConfusionPanel.Chosen) -> None:
        """Show the chosen images on the map: a class, or those taken for another."""
        pair = None if message.called is None else (message.truth, message.called)
        only = message.truth if pair is None else None
        self.post_message(messages.ExplorerRequested(self.path, self._time, pair, only))

    def action_labels(self) -> None:
        """Ask for the run's name, tags and notes."""
        self.post_message(messages.LabelsRequested(self.path))

    def action_evaluate(self) -> None:
        """Show the evaluation of the run's latents."""
        self.post_message(messages.EvaluationRequested(self.path))

    def action_images(self) -> None:
        """Show the run's images."""
        self.post_message(messages.ViewerRequested(self.path))

    def action_leave(self) -> None:
        """Remove the cursor, leave the full screen, or else the dashboard; training continues."""
        if self._panels.clear_cursor():
            return
        if self._panels.is_full:
            self._panels.toggle_full()
        else:
            self.dismiss()

    def action_panel(self, by: int) -> None:
        """Go to the next or the previous panel, in full screen too."""
        if self._panels.is_full:
            self._panels.next_full(by)
        elif by > 0:
            self.focus_next()
        else:
            self.focus_previous()

    def action_full(self) -> None:
        """Toggle full screen for the focused panel."""
        self._panels.toggle_full()

    def action_frame(self) -> None:
        """Show every point of the map, or again the frame of most of them."""
        self._panels.toggle_frame()
