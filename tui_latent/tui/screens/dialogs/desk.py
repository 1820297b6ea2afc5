"""The mixing desk: rates, loss weights and augmentations of a run in training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import events, on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from tui_latent.tui.keymap import bindings
from tui_latent.tui.layered_screen import DialogScreen
from tui_latent.tui.remapping import key_name
from tui_latent.tui.screens.dialogs.desk_values import DeskDraft, Row
from tui_latent.tui.widgets.cut_text import CutText

if TYPE_CHECKING:
    from tui_latent.launch.tune import Desk

_READ_EVERY = 1.0
"""seconds between two reads of the trainer's answers"""
_OTHER_ROWS = 10
"""of the dialog with its border, where every line but the settings is as long as it may be"""
_KEYS = {
    "desk.apply": "change",
    "desk.reset": "preset",
    "run.undo": "undo",
    "desk.close": "close",
}


class DeskRow(Horizontal):
    """One setting: its name, its value to edit, the preset's value, and what it does."""

    def __init__(self, row: Row) -> None:
        super().__init__()
        self.row = row

    def compose(self) -> ComposeResult:
        row = self.row
        changed = "key -changed" if row.differs else "key"
        yield Static(Content(f"{row.mark}{row.key}"), classes=changed)
        yield Input(row.text, compact=True)
        yield Static(row.preset, classes="preset", markup=False)
        yield Static(row.help, classes="help", markup=False)

    def on_click(self) -> None:
        """Go to the value of the setting whose name or help was clicked."""
        self.query_one(Input).focus()

    def show(self, row: Row) -> None:
        """Show the setting as it is now."""
        if row == self.row:
            return
        before, self.row = self.row.text, row
        key, beside = self.query_one(".key", Static), self.query_one(".help", Static)
        key.update(Content(f"{row.mark}{row.key}"))
        key.set_class(row.typed or row.differs, "-changed")
        beside.update(Content(f"✗ {row.error}" if row.error else row.help))
        beside.set_class(bool(row.error), "-error")
        editor = self.query_one(Input)
        if editor.value == before != row.text:  # otherwise its newest key is still on its way
            with editor.prevent(Input.Changed):
                editor.value = row.text


class DeskScreen(DialogScreen[None]):
    """Changes the running model's settings between two steps."""

    CSS = """
    DeskScreen { align: center middle; }
    DeskScreen > Vertical {
        width: 116; max-width: 98%; max-height: 98%;
        padding: 0 1; border: round $accent; background: $surface;
    }
    DeskScreen #state, DeskScreen #keys { height: auto; color: $text-muted; }
    DeskScreen #told { height: auto; max-height: 3; }
    DeskScreen #told.-error { color: $text-error; }
    DeskScreen VerticalScroll { height: 1fr; scrollbar-size-vertical: 1; }
    DeskScreen DeskRow, DeskScreen #head { height: 1; }
    DeskScreen .key { width: 27; }
    DeskScreen .key.-changed { text-style: bold; }
    DeskScreen Input { width: 12; background: $panel; }
    DeskScreen Input:focus { background: $accent 40%; }
    DeskScreen .preset { width: 11; padding-left: 1; color: $text-muted; }
    DeskScreen .help {
        width: 1fr; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis;
    }
    DeskScreen.-narrow .help { visibility: hidden; }
    DeskScreen .help.-error { visibility: visible; color: $text-error; text-style: bold; }
    DeskScreen #head { text-style: bold; }
    DeskScreen .now { width: 12; }
    """

    BINDINGS = bindings("desk")
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (75, "-wide")]

    def __init__(
        self, path: Path, desk: Desk, read: Callable[[], Desk], ask: Callable[[dict[str, Any]], str]
    ) -> None:
        """`read` reads the desk again, `ask` requests changes and returns a sentence about them;
        both run in threads."""
        super().__init__()
        self._path, self._read, self._ask = path, read, ask
        self._draft = DeskDraft(desk)

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            rows = self._draft.rows()
            box.border_title = Content(f"Mixing desk of {self._path.name}")
            box.styles.height = len(rows) + _OTHER_ROWS
            yield Static(self._draft.state, id="state", markup=False)
            with Horizontal(id="head"):
                yield Static(" setting", classes="key")
                yield Static("now", classes="now")
                yield Static("preset", classes="preset")
                yield Static("", classes="help")
            with VerticalScroll(can_focus=False):
                for row in rows:
                    yield DeskRow(row)
            yield CutText("", id="told", markup=False)
            yield Static(self._keys(), id="keys", markup=False)

    def on_mount(self) -> None:
        self.set_interval(_READ_EVERY, self._look)

    def _keys(self) -> str:
        names = (key_name(key_id, self.app._keymap) for key_id in _KEYS)
        return " · ".join(
            f"{name}: {what}" for name, what in zip(names, _KEYS.values(), strict=True)
        )

    def _show(self) -> None:
        for shown, row in zip(self.query(DeskRow), self._draft.rows(), strict=True):
            shown.show(row)
        state = self.query_one("#state", Static)
        if state.content != self._draft.state:
            state.update(self._draft.state)

    def _tell(self, text: str, error: bool = False) -> None:
        for line in self.query("#told").results(Static):  # none once the desk is closed
            line.update(Content(f"✗ {text}" if error else text))
            line.set_class(error, "-error")

    @on(events.DescendantFocus)
    def explain(self, event: events.DescendantFocus) -> None:
        """Show the whole help of the setting, or what is wrong with its value."""
        place = event.widget.parent
        if isinstance(place, DeskRow):
            row = place.row
            self._tell(row.error or f"{row.key}: {row.help}", error=bool(row.error))

    @on(Input.Changed)
    def write(self, event: Input.Changed) -> None:
        """Validate the value as it is typed."""
        place = event.input.parent
        assert isinstance(place, DeskRow)
        self._draft.write(place.row.key, event.input.value)  # this message may be late
        self._show()

    @on(Input.Submitted)
    def action_apply(self) -> None:
        """Request everything that was typed from the trainer."""
        for shown in self.query(DeskRow):  # the message of the last key may be on its way
            self._draft.write(shown.row.key, shown.query_one(Input).value)
        if self._draft.errors:
            key, problem = next(iter(self._draft.errors.items()))
            self._tell(f"{key}: {problem}" if key else problem, error=True)
        elif changes := self._draft.changes:
            self._request(changes)
        else:
            self._tell("Nothing has changed. Type another value first.")
        self._show()

    @work(thread=True, group="desk")
    def _request(self, changes: dict[str, Any]) -> None:
        from tui_latent.config.preset_files import PresetError
        from tui_latent.runs.schema import RunError

        try:
            sentence, error = self._ask(changes), False
        except (PresetError, RunError) as problem:
            sentence, error = str(problem), True
        self.app.call_from_thread(self._answer, sentence, error)

    def _answer(self, sentence: str, error: bool) -> None:
        if not error:
            self._draft.forget()
        self._tell(sentence, error)
        self._look()

    @work(thread=True, exclusive=True, group="look")
    def _look(self) -> None:
        from tui_latent.config.preset_files import PresetError
        from tui_latent.runs.schema import RunError

        try:
            desk = self._read()
        except (PresetError, RunError) as problem:
            self.app.call_from_thread(self._tell, str(problem), True)
            return
        self.app.call_from_thread(self._take, desk)

    def _take(self, desk: Desk) -> None:
        if self.query("#state"):  # the desk may have been closed meanwhile
            self._draft.take(desk)
            self._show()

    def action_move(self, by: int) -> None:
        """Go to another setting."""
        rows = list(self.query(DeskRow))
        place = next((n for n, row in enumerate(rows) if row.has_focus_within), 0)
        if rows:
            self.set_focus(rows[min(max(place + by, 0), len(rows) - 1)].query_one(Input))

    def action_reset(self) -> None:
        """Type the preset's value."""
        for shown in self.query(DeskRow):
            if not shown.has_focus_within:
                continue
            editor = shown.query_one(Input)
            if editor.value == shown.row.preset:
                self._tell(f"{shown.row.key} has the preset's value already.")
            editor.value = shown.row.preset

    def action_undo(self) -> None:
        """Undo what is being typed, or else the newest change of the run."""
        from tui_latent.tui import messages

        typed = [shown for shown in self.query(DeskRow) if shown.row.typed]
        if typed:
            shown = next((each for each in typed if each.has_focus_within), typed[-1])
            shown.query_one(Input).value = self._draft.text_now(shown.row.key)
            return
        self.post_message(messages.UndoRequested(self._path))

    def action_leave(self) -> None:
        """Close the desk."""
        self.dismiss()
