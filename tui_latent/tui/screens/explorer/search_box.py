"""A search box for an image's number or a class's name, visible only while in use."""

from __future__ import annotations

from textual import on
from textual.message import Message
from textual.widgets import Input

from tui_latent.tui.widgets.line_input import LineInput


class FindBox(LineInput):
    """A search box that is hidden until it is opened."""

    DEFAULT_CSS = """
    FindBox { display: none; padding: 0 1; background: $panel; }
    FindBox.-open { display: block; }
    """

    class Searched(Message):
        """A search was submitted."""

        def __init__(self, query: str) -> None:
            super().__init__()
            self.query = query

    def __init__(self) -> None:
        super().__init__(
            placeholder="image number, class or name; or a condition on a column: age>60",
            select_on_focus=False,
        )
        self.can_focus = False

    @property
    def is_open(self) -> bool:
        """Whether the box is visible."""
        return self.has_class("-open")

    def open(self) -> None:
        """Show the box and focus it."""
        self.add_class("-open")
        self.can_focus = True
        self.value = ""
        self.focus()

    def close(self) -> None:
        """Hide the box; keys go to the screen again."""
        self.remove_class("-open")
        self.can_focus = False
        self.screen.set_focus(None)

    @on(Input.Submitted)
    def search(self, event: Input.Submitted) -> None:
        """Post what was typed."""
        event.stop()
        self.close()
        self.post_message(self.Searched(event.value.strip()))
