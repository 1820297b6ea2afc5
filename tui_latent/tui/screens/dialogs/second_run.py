"""Asks how to start a run while another one is training."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, Literal

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Button, Static

from tui_latent.tui.keymap import bindings
from tui_latent.tui.layered_screen import DialogScreen
from tui_latent.tui.remapping import key_name

Way = Literal["now", "stop", "background", "queue"]

_LOOK_EVERY: Final = 1.0
"""seconds between two looks at what is training"""
_BESIDES: Final = ("queue", "stop")
"""ways that only make sense while another run is training"""
_WAYS: Final[dict[Way, str]] = {
    "queue": "After it, in the queue",
    "background": "Beside it, in the background",
    "stop": "Stop and save it first",
}

_NOTHING: Final = "Nothing else is training on this machine now."


class SecondRunScreen(DialogScreen[Way | None]):
    """Closes with the way to start the second run, or with None to start nothing.

    If the first run ends meanwhile, it offers what is left to choose.
    """

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

    def __init__(self, running: str, waiting: int, look: Callable[[], Awaitable[str]]) -> None:
        """`running` is training, and `waiting` runs are already in the queue.

        `look` returns the run that is training now, or an empty text.
        """
        super().__init__()
        self._first, self._waiting, self._look_again = running, waiting, look

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "Start another run"
            yield Static(_question(self._first), markup=False)
            now = Button(Content("    Start it now"), id="now", compact=True)
            now.display = False
            yield now
            for way, words in _WAYS.items():
                if way == "queue" and self._waiting:
                    words = f"{words} ({self._waiting} waiting)"
                yield Button(self._label(f"second.{way}", words), id=way, compact=True)
            yield Button(self._label("second.cancel", "Do not start it"), id="cancel", compact=True)

    def _label(self, key_id: str, words: str) -> Content:
        return Content(f"{key_name(key_id, self.app._keymap):3} {words}")

    def on_mount(self) -> None:
        self.set_focus(self.query_one("#queue", Button))
        self.set_interval(_LOOK_EVERY, self._look)

    @work(group="look", exclusive=True)
    async def _look(self) -> None:
        self._show(await self._look_again())

    def _show(self, running: str) -> None:
        """Offer what is possible beside the run that is training now, if there is one."""
        if running == self._first or not self.is_mounted:
            return
        words = _question(running) if running else f"{self._first} has ended. {_NOTHING}"
        self._first = running
        self.query_one(Static).update(Content(words))
        self.query_one("#now", Button).display = not running
        for way in _BESIDES:
            self.query_one(f"#{way}", Button).display = bool(running)
        self.set_focus(self.query_one("#queue" if running else "#now", Button))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Refuse a way that no longer makes sense."""
        return action != "answer" or bool(self._first) or parameters[0] not in _BESIDES

    def action_answer(self, way: Way) -> None:
        """Close with a way."""
        self.dismiss(way)

    def action_cancel(self) -> None:
        """Close without an answer."""
        self.dismiss(None)

    @on(Button.Pressed)
    def press(self, event: Button.Pressed) -> None:
        """Close with the way on the button."""
        ways: tuple[Way, ...] = ("now", *_WAYS)
        self.dismiss(next((each for each in ways if each == event.button.id), None))


def _question(running: str) -> str:
    return f"{running} is training. When should the new run start?"
