"""A list of the images whose neighbourhood changed most between two evaluations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList

from tui_latent.tui.screens.explorer.views import mover_words

if TYPE_CHECKING:
    from tui_latent.analysis.neighbourhood_change import NeighbourChanges


class ChangeList(OptionList):
    """Lists images; posts which one is highlighted and when one is chosen."""

    class At(Message):
        """An image was highlighted."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    class Chosen(Message):
        """The highlighted image was chosen."""

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._moved: list[int] = []
        self.border_title = Content("Largest changes")
        self.can_focus = False

    @property
    def is_open(self) -> bool:
        """Whether the list is in use; the screen gives it room."""
        return self.can_focus

    def toggle(self) -> bool:
        """Take the keys, or give them back to the screen; return whether the list is open."""
        self.can_focus = not self.can_focus
        self.screen.set_focus(self if self.can_focus else None)
        return self.can_focus

    def say(self, words: str) -> None:
        """Show a sentence instead of a list."""
        self._moved = []
        self.clear_options()
        self.add_option(words)

    def show(self, movers: NeighbourChanges, before: int, after: int) -> None:
        """List the images, the largest change first."""
        self._moved = movers.indices.tolist()
        self.clear_options()
        self.add_options(mover_words(movers, before, after))
        self.highlighted = 1 if self._moved else 0

    @on(OptionList.OptionHighlighted)
    def come_to(self, event: OptionList.OptionHighlighted) -> None:
        """Post which image is highlighted; the first line is a heading."""
        event.stop()
        if 1 <= event.option_index <= len(self._moved):
            self.post_message(self.At(self._moved[event.option_index - 1]))

    @on(OptionList.OptionSelected)
    def choose(self, event: OptionList.OptionSelected) -> None:
        """Post that the image was chosen; the first line is a heading."""
        event.stop()
        if 1 <= event.option_index <= len(self._moved):
            self.post_message(self.Chosen())
