"""The menu: presets to train, a description of one, and earlier runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual import events, on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.keys import format_key
from textual.message import Message
from textual.widgets import Static
from textual.worker import Worker, WorkerState

from tui_latent.tui import messages
from tui_latent.tui.keymap import KEYMAP, bindings
from tui_latent.tui.remapping import key_name, keys_of
from tui_latent.tui.screens.base import BaseScreen, TooSmall
from tui_latent.tui.screens.menu.preset_list import PresetList
from tui_latent.tui.screens.menu.preset_pane import PresetPane
from tui_latent.tui.screens.menu.run_table import RunTable
from tui_latent.tui.widgets.key_footer import KeyFooter

if TYPE_CHECKING:
    from tui_latent.runs.schema import RunSummary

RUNS_EVERY = 2.0
"""seconds between two reads of the folder of runs"""


@dataclass
class RunsListed(Message):
    """The folder of runs was read."""

    runs: Sequence[RunSummary]
    problem: str = ""


@dataclass
class DeviceFound(Message):
    """The devices were detected."""

    kind: str
    """`cpu` or `cuda`: what `auto` would choose"""
    words: str


class MenuScreen(BaseScreen[None]):
    """Presets and their description, with runs below."""

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

    ABOUT = (
        "Presets that can be trained, and the runs so far. Enter trains a preset as it "
        "is, or opens a run."
    )
    TERMS = (
        "preset",
        "run",
        "epoch, step",
        "val/knn_20",
        "train/loss",
    )
    BINDINGS = bindings("menu")

    def __init__(self, runs: Path, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._runs_folder = runs
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
        runs.border_subtitle = Content(str(self._runs_folder))
        self.query_one(PresetPane).focus_list()
        self._timer = self.set_interval(RUNS_EVERY, self._look_at_runs)
        self.call_after_refresh(self._find_device)

    def on_screen_resume(self) -> None:
        self._timer.resume()
        self.call_after_refresh(self._look_at_runs)
        self.call_after_refresh(self.query_one(PresetPane).check)

    def on_screen_suspend(self) -> None:
        self._timer.pause()

    # Found by threads, after the first frame

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
            message = RunsListed(list_runs(self._runs_folder))
        except RunError as error:
            message = RunsListed((), str(error))
        self.post_message(message)

    @on(DeviceFound)
    def show_device(self, event: DeviceFound) -> None:
        """Show the device that training would use."""
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
            # a finished run shows how long its preset takes
            self.query_one(PresetPane).update_times(self._device, self._runs)

    @on(Worker.StateChanged)
    def tell_failure(self, event: Worker.StateChanged) -> None:
        """Show the error of a thread instead of crashing."""
        if event.state is WorkerState.ERROR:
            self._listing = False
            self.notify(str(event.worker.error), severity="error", markup=False)

    # Keys

    def on_key(self, event: events.Key) -> None:
        """Point to the other list if a key works only there."""
        here, keymap = self.screen.active_bindings, self.app._keymap
        name, parts = "runs", ("run list", "runs")
        if self.query_one(RunTable).has_focus_within:
            name, parts = "presets", ("preset list", "presets")
        rows = [keys_of(row, keymap) for part in parts for row in KEYMAP[part] if row.show]
        others = [[key for key in keys if key not in here] for keys in rows]
        if any(event.key in keys for keys in others):
            labels = ", ".join(format_key(keys[0]) for keys in others if keys)
            switch = key_name("menu.switch", keymap)
            words = f"Press {switch} to reach the {name} list first ({labels})."
            self.notify(words, timeout=3, markup=False)

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
        elif event.action == "edit":
            table = event.entry.table
            self.post_message(messages.SettingsRequested(name, table, facts.preset))
        elif event.action == "images":
            self.post_message(messages.PresetImagesRequested(name, facts.preset))
        else:
            background = event.action == "background"
            self.post_message(messages.TrainRequested(name, facts.preset, background=background))

    @on(RunTable.Chosen)
    def act_on_run(self, event: RunTable.Chosen) -> None:
        """Open a run, resume it, show its images, or ask whether to delete it."""
        path = event.run.path
        if event.action == "open":
            self.post_message(messages.RunRequested(path))
        elif event.action == "images":
            self.post_message(messages.ViewerRequested(path))
        elif event.action == "delete":
            self._ask_to_delete(event.run)
        else:
            background = event.action == "background"
            self.post_message(messages.ResumeRequested(path, background))

    @on(RunTable.ToCompare)
    def compare_runs(self, event: RunTable.ToCompare) -> None:
        """Compare the marked runs."""
        self.post_message(messages.ComparisonRequested([run.path for run in event.runs]))

    def _ask_to_delete(self, run: RunSummary) -> None:
        from tui_latent.tui.screens.dialogs.confirm import ConfirmScreen

        def delete(yes: bool | None) -> None:
            if yes:
                self._delete(run)

        question = (
            f"Delete {run.name}, with its checkpoints, curves, maps and reports? "
            "This cannot be undone."
        )
        self.app.push_screen(ConfirmScreen("Delete run", question, "Delete"), delete)

    @work(thread=True, group="delete", exit_on_error=False)
    def _delete(self, run: RunSummary) -> None:
        from tui_latent.runs.run_list import delete_run
        from tui_latent.runs.schema import RunError

        try:
            delete_run(run.path)
        except RunError as error:
            self.notify(str(error), severity="error", markup=False)
        else:
            self.notify(f"Deleted {run.name}.", markup=False)
        self.app.call_from_thread(self._look_at_runs)
