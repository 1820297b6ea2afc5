"""Asks for the name and the folder of the preset to save."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, Static

from tui_latent.config.own_folders import first_own_folder, own_presets
from tui_latent.config.own_presets import name_problem, preset_file
from tui_latent.config.preset_files import preset_stem
from tui_latent.tui.keymap import bindings
from tui_latent.tui.layered_screen import DialogScreen
from tui_latent.tui.remapping import key_name
from tui_latent.tui.widgets.line_input import LineInput


class SavePresetScreen(DialogScreen[tuple[Path, str, bool] | None]):
    """Closes with folder, name and whether to replace an existing file, or with None."""

    CSS = """
    SavePresetScreen { align: center middle; }
    SavePresetScreen > Vertical {
        width: 76; max-width: 95%; height: auto; max-height: 90%;
        padding: 1 2; border: round $accent; background: $surface;
    }
    SavePresetScreen .line { height: 1; }
    SavePresetScreen .label { width: 8; color: $text-muted; }
    SavePresetScreen LineInput {
        width: 1fr; background: $panel;
        &:focus { background: $accent 30%; }
    }
    SavePresetScreen #note { width: 1fr; height: auto; min-height: 2; margin-top: 1; }
    SavePresetScreen #note.-error { color: $text-error; }
    SavePresetScreen #buttons { height: auto; align-horizontal: right; margin-top: 1; }
    SavePresetScreen Button { margin-left: 2; }
    """

    BINDINGS = bindings("save preset")

    def __init__(self, preset_name: str) -> None:
        """`preset_name` is that of the form; a preset of the user's own keeps its name."""
        super().__init__()
        self._name = preset_stem(preset_name)
        own = own_presets().get(self._name)
        self._own = own is not None and preset_name in (self._name, str(own))
        self._folder = own.parent if self._own and own else first_own_folder()

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = Content("Save as a preset")
            with Horizontal(classes="line"):
                yield Static("name", classes="label")
                yield LineInput(self._name if self._own else f"{self._name}-mine", id="preset-name")
            with Horizontal(classes="line"):
                yield Static("folder", classes="label")
                yield LineInput(str(self._folder), id="folder", select_on_focus=False)
            yield Static(id="note", markup=False)
            with Horizontal(id="buttons"):
                yield Button(self._label("save.back", "Cancel"), id="cancel")
                yield Button(self._label("save.write", "Save"), id="save", variant="primary")

    def _label(self, key_id: str, words: str) -> Content:
        return Content(f"{key_name(key_id, self.app._keymap)}  {words}")

    def on_mount(self) -> None:
        self.set_focus(self.query_one("#preset-name", Input))
        self.show_note()

    @property
    def _chosen(self) -> tuple[Path, str]:
        """Folder and name as typed."""
        folder = Path(self.query_one("#folder", Input).value.strip() or ".")
        with suppress(RuntimeError):  # the home of an unknown user
            folder = folder.expanduser()
        return folder.absolute(), self.query_one("#preset-name", Input).value.strip()

    @property
    def _problem(self) -> str:
        try:
            return name_problem(*self._chosen)
        except (OSError, ValueError) as error:
            return f"not a possible folder: {error}"

    @on(Input.Changed)
    def show_note(self) -> None:
        """Say what would be written, or why nothing can be written."""
        problem = self._problem
        path = preset_file(*self._chosen)
        words = f"writes {path.name}"
        if not problem and path.exists():
            words = f"{path.name} exists: you will be asked before it is replaced"
        note = self.query_one("#note", Static)
        note.set_class(bool(problem), "-error")
        note.update(f"✗ {problem}" if problem else words)

    def action_back(self) -> None:
        """Close without saving."""
        self.dismiss(None)

    def action_save(self) -> None:
        """Close with the name and the folder; ask first if a file would be replaced."""
        from tui_latent.tui.screens.dialogs.confirm import ConfirmScreen

        if self.focused is self.query_one("#cancel", Button):
            self.dismiss(None)
            return
        if self._problem:
            self.set_focus(self.query_one("#preset-name", Input))
            return
        folder, name = self._chosen

        def replace(yes: bool | None) -> None:
            if yes:
                self.dismiss((folder, name, True))

        if not preset_file(folder, name).exists():
            self.dismiss((folder, name, False))
            return
        question = f"{preset_file(folder, name)} exists. Replace it?"
        self.app.push_screen(ConfirmScreen("Replace the preset", question, "Replace"), replace)

    @on(Button.Pressed)
    def press(self, event: Button.Pressed) -> None:
        """Save or cancel, as the button says."""
        if event.button.id == "cancel":
            self.dismiss(None)
        else:
            self.action_save()
