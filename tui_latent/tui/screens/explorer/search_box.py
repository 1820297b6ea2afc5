"""A line that asks for an image's number or a class's name, there only while it is needed."""

from __future__ import annotations

from textual import on
from textual.message import Message
from textual.widgets import Input


class FindBox(Input):
    """Hidden and without the focus until it is opened."""

    DEFAULT_CSS = """
    FindBox { display: none; height: 1; border: none; padding: 0 1; background: $panel; }
    FindBox.-open { display: block; }
    """

    class Asked(Message):
        """Something is to be found."""

        def __init__(self, query: str) -> None:
            super().__init__()
            self.query = query

    def __init__(self) -> None:
        super().__init__(placeholder="image number or class name", select_on_focus=False)
        self.can_focus = False

    @property
    def is_open(self) -> bool:
        """Whether it asks now."""
        return self.has_class("-open")

    def open(self) -> None:
        """Ask."""
        self.add_class("-open")
        self.can_focus = True
        self.value = ""
        self.focus()

    def close(self) -> None:
        """Ask no more; the keys are the screen's again."""
        self.remove_class("-open")
        self.can_focus = False
        self.screen.set_focus(None)

    @on(Input.Submitted)
    def ask(self, event: Input.Submitted) -> None:
        """Pass on what was typed."""
        event.stop()
        self.close()
        self.post_message(self.Asked(event.value.strip()))
