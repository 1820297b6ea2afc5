"""The menu: presets to train, a description of one, and earlier runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from textual import events, on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Static
from textual.worker import Worker, WorkerState

from tui_latent.tui import messages
from tui_latent.tui.keymap import bindings
from tui_latent.tui.notices import MENU_SHARE
from tui_latent.tui.screens.base import TooSmall
from tui_latent.tui.screens.menu.preset_list import PresetList
from tui_latent.tui.screens.menu.preset_pane import PresetPane
from tui_latent.tui.screens.menu.run_ending import RunEnding
from tui_latent.tui.screens.menu.run_table import RunTable
from tui_latent.tui.thread_failures import TellsFailures
from tui_latent.tui.time_cursor import TimeCursor
from tui_latent.tui.widgets.key_footer import KeyFooter

if TYPE_CHECKING:
    from tui_latent.runs.run_index import RunIndex
    from tui_latent.runs.schema import RunSummary

_REQUESTS: Final[Mapping[str, Callable[[Path], Message]]] = {
    "open": messages.RunRequested,
    "resume": messages.ResumeRequested,
    "background": partial(messages.ResumeRequested, background=True),
    "edit": messages.EditRequested,
    "fork": messages.ForkRequested,
    "images": messages.ViewerRequested,
    "explore": lambda path: messages.ExplorerRequested(path, TimeCursor()),
    "evaluate": messages.EvaluationRequested,
    "report": messages.ReportRequested,
    "labels": messages.LabelsRequested,
}

RUNS_EVERY = 2.0
"""seconds between two reads of the folder of runs"""
_TIMES: Final = 30
"""the folder is next read after this many times as long as reading it took"""

_CHECKED_AFTER: Final = 1.0
"""seconds after which presets are checked, whether or not the runs are listed by then"""


@dataclass
class RunsListed(Message):
    """The folder of runs was read."""

    folder: Path
    runs: Sequence[RunSummary]
    problem: str = ""


@dataclass
class PartListed(Message):
    """Some of the runs were read; the others follow."""

    folder: Path
    runs: Sequence[RunSummary]


@dataclass
class DeviceFound(Message):
    """The devices were detected."""

    kind: str
    """`cpu` or `cuda`: what `auto` would choose"""
    words: str


class MenuScreen(TellsFailures, RunEnding):
    """Presets and their description, with runs below."""

    # Not CSS: an application does not load the CSS of its default screen.
    DEFAULT_CSS = """
    MenuScreen > #top { height: 1; padding: 0 1; }
    MenuScreen > #top > #name { width: auto; text-style: bold; }
    MenuScreen > #top > #device { width: 1fr; text-align: right; color: $text-muted; }
    MenuScreen PresetPane { height: 3fr; }
    MenuScreen RunTable { height: 2fr; min-height: 7; }
    MenuScreen PresetList, MenuScreen PresetDetails, MenuScreen RunPreview, MenuScreen RunTable {
        border: round $foreground 25%;
        border-title-color: $text-muted;
        border-subtitle-color: $text-muted;
    }
    MenuScreen PresetList:focus-within, MenuScreen RunTable:focus-within {
        border: round $accent;
        border-title-color: $text;
    }
    """

    ABOUT = "Presets to train, and the runs so far. Enter trains a preset as it is, or opens a run."
    TERMS = (
        "preset",
        "run",
        "epoch, step",
        "val/knn_20",
        "train/loss",
    )
    BINDINGS = bindings("menu")
    NOTICE_SHARE = MENU_SHARE

    def __init__(
        self,
        *runs: Path,
        clock: Callable[[], float] = time.time,
        arrangement: Mapping[str, Any] = {},
        index: Path | None = None,
    ) -> None:
        """`runs` are folders of runs, of which the first is listed at first; `arrangement` is that
        of the table of runs; `index` the folder of the index of runs, None to keep none."""
        super().__init__()
        self._folders = runs
        self._runs_folder = runs[0]
        self._arrangement = arrangement
        self._index_folder = index
        self._index: RunIndex | None = None
        self._clock = clock
        self._runs: Sequence[RunSummary] = ()
        self._device = ""
        self._listing = False
        self._not_before = 0.0
        self._unchecked = False
        self._return_to = ""

    def return_to(self, name: str) -> None:
        """Put the cursor on this run when it is listed next: its dashboard is open now."""
        self._return_to = name

    def compose(self) -> ComposeResult:
        with Horizontal(id="top"):
            yield Static("tui-latent", id="name")
            yield Static(id="device", markup=False)
        yield PresetPane()
        yield RunTable(self._arrangement)
        yield TooSmall()
        yield KeyFooter()

    def on_mount(self) -> None:
        self._name_folder()
        self.query_one(PresetPane).focus_list()
        self.set_interval(RUNS_EVERY, self._look_if_seen)
        self.call_after_refresh(self._find_device)

    def _name_folder(self) -> None:
        words, count = str(self._runs_folder), len(self._folders)
        if count > 1:
            words += f" · folder {self._folders.index(self._runs_folder) + 1} of {count}"
        self.query_one(RunTable).border_subtitle = Content(words)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the next folder only where there are several."""
        return action != "folder" or len(self._folders) > 1

    def action_folder(self) -> None:
        """List the runs of the next folder; new runs are still made in the first."""
        at = self._folders.index(self._runs_folder) + 1
        self._runs_folder = self._folders[at % len(self._folders)]
        self._index, self._runs = None, ()
        self._name_folder()
        if not self._listing:
            self.look_again()

    def on_screen_resume(self) -> None:
        self._unchecked = True
        self.call_after_refresh(self.look_again)
        self.set_timer(_CHECKED_AFTER, self._check_presets)

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

    def _check_presets(self) -> None:
        """Check the presets once the runs are listed.

        Two threads that compute at once would make each wait for the other at every file.
        """
        if self._unchecked:
            self._unchecked = False
            self.query_one(PresetPane).check()

    def look_again(self) -> None:
        """List the runs now, because one of them may have changed."""
        self._not_before = 0.0
        self._look_at_runs()

    def _look_if_seen(self) -> None:
        stack = self.app.screen_stack
        if all(screen.is_modal for screen in stack[stack.index(self) + 1 :]):  # only dialogs
            self._look_at_runs()

    def _look_at_runs(self) -> None:
        # A slow disk must not pile up threads, nor thousands of runs take the screen's time.
        if not self._listing and time.monotonic() >= self._not_before:
            self._listing = True
            self._list_runs()

    @work(thread=True, group="runs", exit_on_error=False)
    def _list_runs(self) -> None:
        from tui_latent.runs.run_index import RunIndex
        from tui_latent.runs.run_list import SUMMARIES, list_runs
        from tui_latent.runs.schema import RunError

        folder, began = self._runs_folder, time.thread_time()
        if self._index is None and self._index_folder is not None:
            self._index = RunIndex(self._index_folder, folder, SUMMARIES)
            self._index.load(folder)
        index = self._index
        try:
            runs = list_runs(folder, on_part=partial(self._show_part, folder))
        except RunError as error:
            self.post_message(RunsListed(folder, (), str(error)))
            return
        self.post_message(RunsListed(folder, runs))
        if index is not None:
            index.keep(runs)
        self._not_before = time.monotonic() + _TIMES * (time.thread_time() - began)

    def _show_part(self, folder: Path, runs: list[RunSummary]) -> None:
        self.post_message(PartListed(folder, runs))

    @on(DeviceFound)
    def show_device(self, event: DeviceFound) -> None:
        """Show the device that a run would use."""
        self._device = event.kind
        self.query_one("#device", Static).update(event.words)
        self.query_one(PresetPane).update_times(self._device, self._runs)

    @on(PartListed)
    def show_part(self, event: PartListed) -> None:
        """Show what was read so far, until all runs have been listed once."""
        if not self._runs and event.folder == self._runs_folder:
            self.query_one(RunTable).show(event.runs, self._clock())

    @on(RunsListed)
    def show_runs(self, event: RunsListed) -> None:
        """Show the runs as they are now."""
        self._listing = False
        self._check_presets()
        if event.folder != self._runs_folder:  # another one was chosen meanwhile
            self.look_again()
            return
        before, self._runs = self._runs, event.runs
        if event.problem:
            self.query_one(RunTable).say(event.problem)
        else:
            table = self.query_one(RunTable)
            table.show(event.runs, self._clock())
            if any(run.name == self._return_to for run in event.runs):
                table.choose(self._return_to)
                self._return_to = ""
            self.query_one(PresetPane).tell_time(self._clock())
            self.withdraw_question(event.runs)
        if [run.status.state for run in before] != [run.status.state for run in event.runs]:
            # a finished run shows how long its preset takes
            self.query_one(PresetPane).update_times(self._device, self._runs)

    @on(Worker.StateChanged)
    def list_again(self, event: Worker.StateChanged) -> None:
        """List the runs again after a thread that failed; `TellsFailures` says why it did."""
        if event.state is WorkerState.ERROR:
            self._listing = False

    # Keys

    def action_other_pane(self) -> None:
        """Go from presets to runs, or back."""
        presets, runs = self.query_one(PresetPane), self.query_one(RunTable)
        (presets if runs.has_focus_within else runs).focus_list()

    @on(PresetList.Chosen)
    def act_on_preset(self, event: PresetList.Chosen) -> None:
        """Train a preset, edit it first, or show its images."""
        name = event.entry.name
        entry, facts = self.query_one(PresetPane).current(event.entry)
        if facts.preset is None:
            self.notify(facts.problem, severity="error", markup=False)
        elif event.action == "edit":
            self.post_message(messages.SettingsRequested(name, entry.table, facts.preset))
        elif event.action == "images":
            self.post_message(messages.PresetImagesRequested(name, facts.preset))
        else:
            background = event.action == "background"
            self.post_message(messages.TrainRequested(name, facts.preset, background=background))

    @on(RunTable.Moved)
    def preview(self, event: RunTable.Moved) -> None:
        """Show the run under the cursor beside the presets."""
        event.stop()
        self.query_one(PresetPane).preview(event.run, self._clock())

    @on(events.DescendantFocus)
    def show_what_has_the_focus(self) -> None:
        """Describe a run while the focus is on the runs, else a preset."""
        runs = self.query_one(RunTable).has_focus_within
        self.query_one(PresetPane).show_run(runs)
        self.set_class(runs, "-runs")

    @on(RunTable.Arranged)
    def keep_arrangement(self, event: RunTable.Arranged) -> None:
        """Remember columns and order."""
        event.stop()
        self.post_message(messages.ChoiceKept("runs table", event.arrangement))

    @on(RunTable.Chosen)
    def act_on_run(self, event: RunTable.Chosen) -> None:
        """Carry out an action on a run, or ask first where something ends or is lost."""
        path = event.run.path
        if event.action == "delete":
            self.ask_to_delete(event.run)
        elif event.action == "stop":
            self.ask_to_stop(event.run)
        elif event.action == "archive":
            self.archive(event.run)
        else:
            self.post_message(_REQUESTS[event.action](path))

    @on(RunTable.ToCompare)
    def compare_runs(self, event: RunTable.ToCompare) -> None:
        """Compare the marked runs."""
        self.post_message(messages.ComparisonRequested([run.path for run in event.runs]))
