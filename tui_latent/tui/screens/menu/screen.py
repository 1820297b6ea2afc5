"""The menu: what can be trained, what one preset is, and what was trained before."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Static
from textual.worker import Worker, WorkerState

from tui_latent.tui.screens.base import BaseScreen, TooSmall
from tui_latent.tui.screens.menu.preset_facts import PresetEntry
from tui_latent.tui.screens.menu.preset_list import PresetList
from tui_latent.tui.screens.menu.preset_pane import PresetPane
from tui_latent.tui.screens.menu.run_table import RunTable
from tui_latent.tui.widgets.key_footer import KeyFooter

if TYPE_CHECKING:
    from tui_latent.config.settings import Preset
    from tui_latent.runs.schema import RunSummary
    from tui_latent.tui.app import LatentApp

RUNS_EVERY = 2.0
"""seconds between two looks at the folder of runs"""


@dataclass
class RunsListed(Message):
    """The folder of runs was read."""

    runs: Sequence[RunSummary]
    problem: str = ""


@dataclass
class DeviceFound(Message):
    """The machine was looked at."""

    kind: str
    """`cpu` or `cuda`: what `auto` would choose"""
    words: str


class MenuScreen(BaseScreen[None]):
    """Presets beside their description, runs below."""

    # Not CSS: an application does not load the CSS of its default screen.
    DEFAULT_CSS = """
    MenuScreen > #top { height: 1; padding: 0 1; }
    MenuScreen > #top > #name { width: auto; text-style: bold; }
    MenuScreen > #top > #device { width: 1fr; text-align: right; color: $text-muted; }
    MenuScreen PresetPane { height: 3fr; }
    MenuScreen RunTable { height: 2fr; min-height: 7; }
    MenuScreen PresetList, MenuScreen PresetDetails, MenuScreen RunTable {
        border: round $foreground 25%;
        border-title-color: $text-muted;
        border-subtitle-color: $text-muted;
    }
    MenuScreen PresetList:focus-within, MenuScreen RunTable:focus-within {
        border: round $accent;
        border-title-color: $text;
    }
    """

    BINDINGS = [
        Binding(
            "tab,shift+tab",
            "other_pane",
            "Switch",
            id="menu.switch",
            key_display="tab",
            tooltip="Go between presets and runs",
        ),
        # Not in the footer, where ctrl+q stands already and 80 columns are full.
        Binding("q", "app.quit", "Quit", show=False, id="menu.quit", tooltip="Leave tui-latent"),
    ]

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._clock = clock
        self._runs: Sequence[RunSummary] = ()
        self._device = ""
        self._listing = False

    def compose(self) -> ComposeResult:
        with Horizontal(id="top"):
            yield Static("tui-latent", id="name")
            yield Static(id="device", markup=False)
        yield PresetPane()
        yield RunTable()
        yield TooSmall()
        yield KeyFooter()

    def on_mount(self) -> None:
        runs = self.query_one(RunTable)
        runs.border_title = "Runs"
        runs.border_subtitle = Content(str(self._app.runs))
        self.query_one(PresetPane).focus_list()
        self._timer = self.set_interval(RUNS_EVERY, self._look_at_runs)
        self.call_after_refresh(self._find_device)

    def on_screen_resume(self) -> None:
        self._timer.resume()
        self.call_after_refresh(self._look_at_runs)
        self.call_after_refresh(self.query_one(PresetPane).check)

    def on_screen_suspend(self) -> None:
        self._timer.pause()

    # What threads find out, after the first frame

    @work(thread=True, group="device", exit_on_error=False)
    def _find_device(self) -> None:
        from tui_latent.runtime.hardware import devices
        from tui_latent.runtime.versions import version_of

        found = devices()
        best = next((device for device in found if device.kind == "cuda"), found[0])
        self.post_message(
            DeviceFound(best.kind, f"{best.describe()} · torch {version_of('torch')}")
        )

    def _look_at_runs(self) -> None:
        if not self._listing:  # a slow disk must not pile up threads
            self._listing = True
            self._list_runs()

    @work(thread=True, group="runs", exit_on_error=False)
    def _list_runs(self) -> None:
        from tui_latent.runs.run_list import list_runs
        from tui_latent.runs.schema import RunError

        try:
            message = RunsListed(list_runs(self._app.runs))
        except RunError as error:
            message = RunsListed((), str(error))
        self.post_message(message)

    @on(DeviceFound)
    def show_device(self, event: DeviceFound) -> None:
        """Show what the training would run on."""
        self._device = event.kind
        self.query_one("#device", Static).update(event.words)
        self.query_one(PresetPane).update_times(self._device, self._runs)

    @on(RunsListed)
    def show_runs(self, event: RunsListed) -> None:
        """Show the runs as they are now."""
        self._listing = False
        before, self._runs = self._runs, event.runs
        if event.problem:
            self.query_one(RunTable).say(event.problem)
        else:
            self.query_one(RunTable).show(event.runs, self._clock())
        if [run.status.state for run in before] != [run.status.state for run in event.runs]:
            # a run that finished tells how long its preset takes
            self.query_one(PresetPane).update_times(self._device, self._runs)

    @on(Worker.StateChanged)
    def tell_failure(self, event: Worker.StateChanged) -> None:
        """Say what a background look could not do, instead of ending."""
        if event.state is WorkerState.ERROR:
            self._listing = False
            self.notify(str(event.worker.error), severity="error", markup=False)

    # Keys

    @property
    def _app(self) -> LatentApp:
        return cast("LatentApp", self.app)

    def on_key(self, event: events.Key) -> None:
        """Say where a key of the other pane works."""
        in_runs = self.query_one(RunTable).has_focus_within
        if event.key in "rocd" and not in_runs:
            self.notify("r, o, c and d are for runs: tab goes there", timeout=3)
        elif event.key in ("e", "slash") and in_runs:
            self.notify("e and / are for presets: tab goes there", timeout=3)

    def action_other_pane(self) -> None:
        """Go from presets to runs, or back."""
        presets, runs = self.query_one(PresetPane), self.query_one(RunTable)
        (presets if runs.has_focus_within else runs).focus_list()

    @on(PresetList.Chosen)
    def act_on_preset(self, event: PresetList.Chosen) -> None:
        """Train a preset, edit it first, or show its images."""
        name = event.entry.name
        facts = self.query_one(PresetPane).facts(event.entry)
        if facts.preset is None:
            self.notify(facts.problem, severity="error", markup=False)
        elif event.action == "start":
            self._app.start_run(name, facts.preset)
        elif event.action == "background":
            self._app.start_in_background(name, facts.preset)
        elif event.action == "edit":
            self._edit(event.entry, facts.preset)
        else:
            from tui_latent.tui.screens.images.preset_images import PresetImagesScreen

            self.app.push_screen(PresetImagesScreen(name, facts.preset))

    def _edit(self, entry: PresetEntry, preset: Preset) -> None:
        from tui_latent.tui.screens.settings.screen import SettingsScreen

        def begin(edited: tuple[Preset, str | None] | None) -> None:
            if edited is not None:
                self._app.start_run(entry.name, *edited)

        self.app.push_screen(SettingsScreen(entry, preset), begin)

    @on(RunTable.Chosen)
    def act_on_run(self, event: RunTable.Chosen) -> None:
        """Open a run, train it on, show its images, or ask whether to delete it."""
        if event.action == "open":
            self._app.open_run(event.run.path)
        elif event.action == "resume":
            self._app.resume_run(event.run.path)
        elif event.action == "background":
            self._app.resume_in_background(event.run.path)
        elif event.action == "delete":
            self._ask_to_delete(event.run)
        else:
            from tui_latent.tui.screens.images.screen import ViewerScreen

            self.app.push_screen(ViewerScreen(event.run.path))

    @on(RunTable.ToCompare)
    def compare_runs(self, event: RunTable.ToCompare) -> None:
        """Put the marked runs beside each other."""
        from tui_latent.tui.screens.compare.screen import CompareScreen

        paths = [run.path for run in event.runs]
        self.app.push_screen(CompareScreen(paths, self._app.drawer))

    def _ask_to_delete(self, run: RunSummary) -> None:
        from tui_latent.tui.screens.dialogs.confirm import ConfirmScreen

        def delete(yes: bool | None) -> None:
            if yes:
                self._delete(run)

        question = (
            f"Delete {run.name}, with its checkpoints, curves, maps and reports? "
            "It cannot be brought back."
        )
        self.app.push_screen(ConfirmScreen("Delete a run", question, "Delete"), delete)

    @work(thread=True, group="delete", exit_on_error=False)
    def _delete(self, run: RunSummary) -> None:
        from tui_latent.runs.run_list import delete_run
        from tui_latent.runs.schema import RunError

        try:
            delete_run(run.path)
        except RunError as error:
            self.notify(str(error), severity="error", markup=False)
        else:
            self.notify(f"{run.name} is deleted", markup=False)
        self.app.call_from_thread(self._look_at_runs)
