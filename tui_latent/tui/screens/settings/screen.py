"""The form of a preset's settings: validated as typed, and shown as a command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from rich.cells import cell_len
from textual import events, on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button, Input, Static

from tui_latent.config.settings import Preset
from tui_latent.nouns import counted
from tui_latent.runs.new_run import check_name
from tui_latent.runs.schema import RunError, RunSummary
from tui_latent.tui import messages
from tui_latent.tui.keymap import bindings
from tui_latent.tui.remapping import key_name
from tui_latent.tui.screens.base import BaseScreen
from tui_latent.tui.screens.settings.draft import SettingsDraft
from tui_latent.tui.screens.settings.grid import SettingsGrid, described
from tui_latent.tui.thread_failures import TellsFailures
from tui_latent.tui.widgets.cut_text import CutText
from tui_latent.tui.widgets.key_footer import KeyFooter
from tui_latent.tui.widgets.line_input import LineInput

_EDGE: Final = 6
"""columns of a border beside its words"""


class SettingsScreen(TellsFailures, BaseScreen[tuple[Preset, str | None] | None]):
    """Every setting of a preset; returns the preset to train and the run's name, or None."""

    CSS = """
    SettingsScreen > #top { height: 1; padding: 0 1; }
    SettingsScreen > #top > #title { width: auto; text-style: bold; }
    SettingsScreen > #top > #count { width: 1fr; text-align: right; }
    SettingsScreen .line { height: 1; padding: 0 1; }
    SettingsScreen .line > .label { width: 10; color: $text-muted; }
    SettingsScreen .line > Input {
        width: 40; background: $panel;
    }
    SettingsScreen .line > Input:focus { background: $accent 30%; }
    SettingsScreen .line > .error { width: 1fr; padding-left: 2; color: $text-error; }
    SettingsScreen #find { display: none; }
    SettingsScreen.-finding #find { display: block; }
    SettingsScreen SettingsGrid { height: 1fr; border: round $foreground 25%; }
    SettingsScreen SettingsGrid:focus-within { border: round $accent; }
    SettingsScreen #help { height: auto; min-height: 3; max-height: 5; padding: 0 1; }
    SettingsScreen #bottom { height: auto; min-height: 3; max-height: 6; padding: 0 1; }
    SettingsScreen #command { width: 1fr; height: auto; max-height: 6; color: $text-muted; }
    SettingsScreen #start { width: auto; min-width: 18; height: 3; margin-left: 2; }
    """

    ABOUT = (
        "Every setting of a preset. Values are checked as they are typed, and the command "
        "line that does the same is shown below."
    )
    TERMS = ("preset",)
    BINDINGS = bindings("settings")

    def __init__(
        self,
        name: str,
        table: Mapping[str, Any],
        preset: Preset,
        runs: Path,
        whose: str = "preset",
    ) -> None:
        """`table` is the file of a preset, or of a run, as `whose` says; new runs are in `runs`."""
        super().__init__()
        self._whose = whose
        self._preset_name = name
        self._draft = SettingsDraft(name, table, preset, runs)
        self._runs = runs
        self._device = ""
        self._earlier: Sequence[RunSummary] = ()

    def compose(self) -> ComposeResult:
        with Horizontal(id="top"):
            yield Static(f"Settings of {self._preset_name}", id="title", markup=False)
            yield Static(id="count", markup=False)
        with Horizontal(id="naming", classes="line"):
            yield Static("run name", classes="label")
            yield LineInput(placeholder="default: date, time and preset", id="name")
            yield Static(classes="error", markup=False)
        with Horizontal(id="find", classes="line"):
            yield Static("find", classes="label")
            yield LineInput(placeholder="part of a setting's name or help", id="words")
        yield SettingsGrid(self._draft)
        yield CutText(id="help", markup=False)
        with Horizontal(id="bottom"):
            yield CutText(id="command", markup=False)
            key = key_name("settings.start", self.app._keymap)
            yield Button(Content(f"Start  {key}"), id="start", variant="primary")
        yield KeyFooter()

    def on_mount(self) -> None:
        self._grid.border_title = "Settings"
        self._grid.focus_value()
        self._show()
        self._read_runs()

    @work(thread=True, group="runs", exit_on_error=False)
    def _read_runs(self) -> None:
        """Read the device and the earlier runs, which tell how long training takes."""
        from tui_latent.runs.run_list import list_runs
        from tui_latent.runtime import hardware

        kinds = [device.kind for device in hardware.devices()]
        try:
            runs = list_runs(self._runs)
        except RunError:  # the menu says why; the preset may know its time
            runs = []
        device = "cuda" if "cuda" in kinds else kinds[0]
        self.app.call_from_thread(self._take_runs, device, runs)

    def _take_runs(self, device: str, runs: Sequence[RunSummary]) -> None:
        self._device, self._earlier = device, runs
        self._show_time()

    def _show_time(self) -> None:
        """Say how long training takes with these settings, in as many words as fit."""
        found = self._draft.expected_time(self._device, self._earlier) if self._device else None
        phrases = [] if found is None else found.words
        while len(phrases) > 1 and cell_len(" · ".join(phrases)) > self.size.width - _EDGE:
            phrases.pop()
        words = Content(" · ".join(phrases))
        for grid in self.query(SettingsGrid):  # none once the form is closed
            grid.border_subtitle = words

    def on_resize(self, event: events.Resize) -> None:
        """Say where the expected time comes from if there is room."""
        super().on_resize(event)
        self._show_time()

    @on(SettingsGrid.Changed)
    def _show(self) -> None:
        """Show the number of changes and errors, and the command."""
        changed, wrong = len(self._draft.changed), len(self._draft.errors)
        count = f"{changed} changed" if changed else f"as in the {self._whose}"
        self.query_one("#count", Static).update(
            Content.assemble(
                (count, "bold" if changed else "dim"),
                (f" · {counted(wrong, 'error')}" if wrong else "", "$text-error"),
            )
        )
        help_lines = described(self._draft, self._grid.field, self._whose)
        self.query_one("#help", Static).update(Content("\n").join(help_lines))
        command = self._draft.command or "The command appears once there are no errors."
        if name := self._run_name:
            command += f" --name {name}"
        self.query_one("#command", Static).update(command)
        self._show_time()

    @on(Input.Changed, "#name")
    def check_name(self, event: Input.Changed) -> None:
        """Show beside the run's name why it cannot be used."""
        self.query_one("#naming > .error", Static).update(self._name_problem())
        self._show()

    @on(Input.Changed, "#words")
    def narrow(self, event: Input.Changed) -> None:
        """Show only the settings that match."""
        self._grid.filter(event.value)

    @on(Input.Submitted)
    def go_to_settings(self) -> None:
        """Move the focus from a box above to the settings."""
        self._grid.focus_value()

    def action_find(self) -> None:
        """Open the search box."""
        self.add_class("-finding")
        self.set_focus(self.query_one("#words", Input))

    def action_back(self) -> None:
        """Close the search box if it is open, else the form; ask before changes are lost."""
        if self.has_class("-finding"):
            self._close_search()
        else:
            self._leave()

    def _close_search(self) -> None:
        self.query_one("#words", Input).value = ""
        self.remove_class("-finding")
        self._grid.focus_value()

    def _leave(self) -> None:
        from tui_latent.tui.screens.dialogs.confirm import ConfirmScreen

        def leave(yes: bool | None) -> None:
            if yes:
                self.dismiss(None)

        self._grid.take_typed()
        changed = ", ".join(self._draft.unsaved)
        if not changed:
            self.dismiss(None)
            return
        question = f"Leave without training? These changes will be lost: {changed}."
        self.app.push_screen(ConfirmScreen("Settings", question, "Leave"), leave)

    def action_save_preset(self) -> None:
        """Ask for a name and a folder, and save the settings as a preset."""
        from tui_latent.tui.screens.settings.save_preset import SavePresetScreen

        self._grid.take_typed()
        if self._draft.preset is None:
            self._go_to_first_error()
            return
        table = self._draft.saved_table()

        def save(chosen: tuple[Path, str, bool] | None) -> None:
            if chosen is not None:
                folder, name, replace = chosen
                saved = partial(self._draft.mark_saved, table)
                message = messages.PresetSaveRequested(folder, name, table, replace, saved)
                self.post_message(message)

        self.app.push_screen(SavePresetScreen(self._preset_name), save)

    def _go_to_first_error(self) -> None:
        self._close_search()  # the setting may not be among those that were found
        self._grid.go_to_error()
        first = next(iter(self._draft.errors.items()))
        self.notify(": ".join(part for part in first if part), severity="error", markup=False)

    @on(Button.Pressed)
    def action_start(self) -> None:
        """Return the preset for training, or go to the first error."""
        self._grid.take_typed()
        if problem := self._name_problem():
            self.notify(problem, severity="error", markup=False)
            self.set_focus(self.query_one("#name", Input))
        elif self._draft.preset is None:
            self._go_to_first_error()
        else:
            self.dismiss((self._draft.preset, self._run_name or None))

    @property
    def _grid(self) -> SettingsGrid:
        return self.query_one(SettingsGrid)

    @property
    def _run_name(self) -> str:
        return self.query_one("#name", Input).value.strip()

    def _name_problem(self) -> str:
        if not self._run_name:
            return ""
        try:
            check_name(self._runs, self._run_name)
        except RunError as error:
            return str(error)
        return ""
