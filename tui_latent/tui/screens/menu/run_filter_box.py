"""The line that filters the table of runs; it also says what is wrong with a filter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from tui_latent.tui.keymap import bindings

if TYPE_CHECKING:
    from tui_latent.runs.run_filter import Test

_HINT: Final = "knn>.95 state:failed method:vicreg tag:x /regex/"


class _FilterInput(Input):
    """Hands the focus to the list on Enter, before the next key, which may already be queued."""

    BINDINGS = bindings("run filter")

    def action_leave(self) -> None:
        """Go from the filter to the runs that it found."""
        self.query_ancestor(RunFilterBox).leave()


class RunFilterBox(Horizontal):
    """Hidden until it is opened, and again once it is left empty."""

    DEFAULT_CSS = """
    RunFilterBox { height: 1; display: none; }
    RunFilterBox.-open { display: block; }
    RunFilterBox > .sign { width: 3; padding: 0 1; color: $text-accent; }
    RunFilterBox > Input {
        width: 1fr; height: 1; border: none; padding: 0; background: transparent;
        &:focus { border: none; background: $boost; }
    }
    RunFilterBox > .told { width: auto; max-width: 70%; padding: 0 1; color: $text-muted; }
    RunFilterBox.-wrong > .told { color: $text-error; text-style: bold; }
    """

    class Changed(Message):
        """The filter was changed."""

    class Left(Message):
        """The focus should go to the runs."""

    def __init__(self) -> None:
        super().__init__()
        self.means: Test = lambda run: True
        """whether a run is shown, by the last filter without an error"""

    @property
    def text(self) -> str:
        """The filter as it is typed."""
        return self.query_one(Input).value

    def compose(self) -> ComposeResult:
        yield Static("/", classes="sign", markup=False)
        box = _FilterInput(placeholder=_HINT, select_on_focus=False)
        box.can_focus = False  # Tab switches between presets and runs; a key opens the box
        yield box
        yield Static(classes="told", markup=False)

    def open(self) -> None:
        """Show the box and move the focus to it."""
        self.add_class("-open")
        box = self.query_one(Input)
        box.can_focus = True
        self.screen.set_focus(box)  # at once: the next keys belong here

    def leave(self) -> None:
        """Give the focus to the runs; an empty box is hidden."""
        self.post_message(self.Left())
        self.set_class(bool(self.text), "-open")

    def clear(self) -> None:
        """Show all runs."""
        self.query_one(Input).value = ""
        self.remove_class("-open")

    def say_found(self, shown: int, every: int) -> None:
        """Say how many runs were found."""
        if not self.has_class("-wrong"):
            self._tell(f"{shown:,} of {every:,}" if self.text else "")

    def _tell(self, text: str) -> None:
        line = self.query_one(".told", Static)
        if line.content != text:
            line.update(text)

    def on_key(self, event: events.Key) -> None:
        """Escape shows all runs again; the arrows go to the runs that were found."""
        if event.key == "escape":
            self.clear()
        elif event.key not in ("down", "up"):
            return
        event.stop()
        self.leave()

    @on(Input.Blurred)
    def close(self, event: Input.Blurred) -> None:
        """Remove the box from the Tab order again."""
        event.input.can_focus = False

    @on(Input.Changed)
    def read(self, event: Input.Changed) -> None:
        """Apply the filter, or say what is wrong with it."""
        from tui_latent.runs.run_filter import FilterError, parse_filter

        event.stop()
        try:
            self.means = parse_filter(event.value)
        except FilterError as error:
            self.add_class("-wrong")
            self._tell(str(error))
            return
        self.remove_class("-wrong")
        self.post_message(self.Changed())
