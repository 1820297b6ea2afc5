"""A question before something that cannot be undone."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from tui_latent.tui.keymap import bindings
from tui_latent.tui.layered_screen import DialogScreen
from tui_latent.tui.remapping import key_name


class ConfirmScreen(DialogScreen[bool]):
    """Asks a yes-or-no question; the safe answer has the focus."""

    CSS = """
    ConfirmScreen { align: center middle; }
    ConfirmScreen > Vertical {
        width: 64; max-width: 90%; height: auto; max-height: 90%;
        padding: 1 2; border: round $text-warning; background: $surface;
    }
    ConfirmScreen Static { width: 1fr; height: auto; margin-bottom: 1; }
    ConfirmScreen Horizontal { height: auto; align-horizontal: right; }
    ConfirmScreen Button { margin-left: 2; }
    """

    BINDINGS = bindings("confirm")

    def __init__(self, title: str, question: str, yes_label: str) -> None:
        super().__init__()
        self._title, self._question, self._yes = title, question, yes_label

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = Content(self._title)
            yield Static(self._question, markup=False)
            with Horizontal():
                yield Button(self._label("confirm.no", "No"), id="no")
                yield Button(self._label("confirm.yes", self._yes), id="yes", variant="warning")

    def _label(self, key_id: str, words: str) -> Content:
        return Content(f"{key_name(key_id, self.app._keymap)}  {words}")

    def withdraw(self) -> None:
        """Close without asking further, because the answer no longer matters."""
        if self.is_current:
            self.dismiss(False)

    def on_mount(self) -> None:
        self.set_focus(self.query_one("#no", Button))

    def action_answer(self, yes: bool) -> None:
        """Close with the answer."""
        self.dismiss(yes)

    @on(Button.Pressed)
    def press(self, event: Button.Pressed) -> None:
        """Close with the answer of the button that was pressed."""
        self.dismiss(event.button.id == "yes")
