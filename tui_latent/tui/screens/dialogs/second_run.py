"""Asks how to start a run while another one is training."""

from __future__ import annotations

from typing import Final, Literal

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Button, Static

from tui_latent.tui.keymap import bindings
from tui_latent.tui.layered_screen import DialogScreen
from tui_latent.tui.remapping import key_name

Way = Literal["stop", "background", "queue"]

_WAYS: Final[dict[Way, str]] = {
    "queue": "After it, in the queue",
    "background": "Beside it, in the background",
    "stop": "Stop and save it first",
}


class SecondRunScreen(DialogScreen[Way | None]):
    """Closes with the way to start the second run, or with None to start nothing."""

    CSS = """
    SecondRunScreen { align: center middle; }
    SecondRunScreen > Vertical {
        width: 64; max-width: 90%; height: auto; max-height: 90%;
        padding: 1 2; border: round $text-warning; background: $surface;
    }
    SecondRunScreen Static { width: 1fr; height: auto; margin-bottom: 1; }
    SecondRunScreen Button { width: 1fr; content-align: left middle; text-align: left; }
    """

    BINDINGS = bindings("second run")

    def __init__(self, running: str, waiting: int) -> None:
        """`running` is training, and `waiting` runs are already in the queue."""
        super().__init__()
        self._first, self._waiting = running, waiting

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "Start another run"
            yield Static(f"{self._first} is training. When should the new run start?", markup=False)
            for way, words in _WAYS.items():
                if way == "queue" and self._waiting:
                    words = f"{words} ({self._waiting} waiting)"
                yield Button(self._label(f"second.{way}", words), id=way, compact=True)
            yield Button(self._label("second.cancel", "Do not start it"), id="cancel", compact=True)

    def _label(self, key_id: str, words: str) -> Content:
        return Content(f"{key_name(key_id, self.app._keymap):3} {words}")

    def on_mount(self) -> None:
        self.set_focus(self.query_one("#queue", Button))

    def action_answer(self, way: Way) -> None:
        """Close with a way."""
        self.dismiss(way)

    def action_cancel(self) -> None:
        """Close without an answer."""
        self.dismiss(None)

    @on(Button.Pressed)
    def press(self, event: Button.Pressed) -> None:
        """Close with the way on the button."""
        way = next((each for each in _WAYS if each == event.button.id), None)
        self.dismiss(way)
