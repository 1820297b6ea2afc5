"""The presets, and the description of the one under the cursor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message

from tui_latent.plugins.loading import failures_to_tell
from tui_latent.tui.screens.menu.preset_details import PresetDetails
from tui_latent.tui.screens.menu.preset_facts import (
    PresetEntry,
    PresetFacts,
    check_entry,
    read_entries,
    read_entry,
    with_time,
)
from tui_latent.tui.screens.menu.preset_list import PresetList
from tui_latent.tui.screens.menu.run_preview import RunPreview
from tui_latent.tui.thread_failures import TellsFailures

if TYPE_CHECKING:
    from tui_latent.runs.schema import RunSummary


class PresetPane(TellsFailures, Horizontal):
    """Shows names at once, and the rest when a thread has found it."""

    DEFAULT_CSS = """
    PresetPane PresetList { width: 40%; min-width: 41; max-width: 60; }
    PresetPane PresetDetails, PresetPane RunPreview { width: 1fr; }
    PresetPane RunPreview, PresetPane.-run PresetDetails { display: none; }
    PresetPane.-run RunPreview { display: block; }
    """

    @dataclass
    class Checked(Message):
        """Every preset was validated and its data checked."""

        entries: Sequence[PresetEntry]
        facts: Mapping[str, PresetFacts]

    def __init__(self) -> None:
        super().__init__()
        self._entries: Sequence[PresetEntry] = ()
        self._facts: Mapping[str, PresetFacts] = {}
        self._device = ""
        self._runs: Sequence[RunSummary] = ()
        self._on_runs = False
        self._run: RunSummary | None = None

    def compose(self) -> ComposeResult:
        yield PresetList()
        yield PresetDetails()
        yield RunPreview()

    def on_mount(self) -> None:
        self.query_one(PresetList).border_title = "Presets"
        self._entries = read_entries()
        self._show()

    def focus_list(self) -> None:
        """Move the focus to the list."""
        self.query_one(PresetList).focus_list()

    def show_run(self, run: bool) -> None:
        """Describe the run under the cursor instead of the preset, or the preset again."""
        self._on_runs = run
        self._choose_description()

    def _choose_description(self) -> None:
        # Without a run there is nothing to put in the place of the preset.
        self.set_class(self._on_runs and self._run is not None, "-run")

    def preview(self, run: RunSummary | None, now: float) -> None:
        """Describe the run under the cursor; `now` is the Unix time."""
        preview = self.query_one(RunPreview)
        preview.border_title = Content("" if run is None else run.title)
        self._run = run
        self._choose_description()
        preview.show(run, now)

    def tell_time(self, now: float) -> None:
        """Update how long ago the run under the cursor was started; `now` is the Unix time."""
        self.query_one(RunPreview).tell_time(now)

    def current(self, entry: PresetEntry) -> tuple[PresetEntry, PresetFacts]:
        """Return a preset as its file is now, which may have been edited since it was listed."""
        now, known = read_entry(entry.name), self._facts.get(entry.name)
        if now.table == entry.table and known is not None and not known.problem:
            return entry, known
        self.check()
        return check_entry(now)

    def update_times(self, device: str, runs: Sequence[RunSummary]) -> None:
        """Show how long presets take on `device` (`cpu` or `cuda`), from earlier runs."""
        self._device, self._runs = device, runs
        self._show()

    @work(thread=True, group="presets", exclusive=True, exit_on_error=False)
    def check(self) -> None:
        """Read and validate every preset's file again."""
        checked = [check_entry(entry) for entry in read_entries()]
        facts = {facts.name: facts for _, facts in checked}
        self.post_message(self.Checked([entry for entry, _ in checked], facts))

    @on(Checked)
    def show_checked(self, event: Checked) -> None:
        """Show the presets that were checked."""
        event.stop()
        self._entries, self._facts = event.entries, event.facts
        self._show()
        for sentence in failures_to_tell():
            self.notify(sentence, title="Plugins", severity="warning", timeout=20, markup=False)

    @on(PresetList.Highlighted)
    def describe_highlighted(self, event: PresetList.Highlighted) -> None:
        """Describe the preset under the cursor."""
        event.stop()
        self._describe(event.entry)

    @on(PresetList.Scrolled)
    def scroll_details(self, event: PresetList.Scrolled) -> None:
        """Scroll the description."""
        event.stop()
        self.query_one(PresetDetails).scroll_relative(y=event.lines, animate=False)

    def _show(self) -> None:
        if self._device:
            self._facts = {
                name: with_time(facts, self._device, self._runs)
                for name, facts in self._facts.items()
            }
        presets = self.query_one(PresetList)
        presets.show(self._entries, self._facts)
        self._describe(presets.entry)

    def _describe(self, entry: PresetEntry | None) -> None:
        details = self.query_one(PresetDetails)
        if entry is None:
            details.border_title = ""
            details.show("", None)
            return
        facts = self._facts.get(entry.name)
        if facts is None and entry.problem:
            facts = PresetFacts(entry.name, problem=entry.problem)
        details.border_title = Content(entry.name)
        details.show(entry.title, facts)
