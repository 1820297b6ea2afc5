"""The images whose neighbourhood changed most between two evaluations, to go through."""

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
    """Says at which image it is, and when one was chosen."""

    class At(Message):
        """The list has come to an image."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    class Chosen(Message):
        """The image that the list is at was chosen."""

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._moved: list[int] = []
        self.border_title = Content("changed most")

    def say(self, words: str) -> None:
        """Show words instead of a list."""
        self._moved = []
        self.clear_options()
        self.add_option(words)

    def show(self, movers: NeighbourChanges, before: int, after: int) -> None:
        """List who moved, who moved most first."""
        self._moved = movers.indices.tolist()
        self.clear_options()
        self.add_options(mover_words(movers, before, after))
        self.highlighted = 1 if self._moved else 0

    @on(OptionList.OptionHighlighted)
    def come_to(self, event: OptionList.OptionHighlighted) -> None:
        """Say which image the list is at; its first line is none."""
        event.stop()
        if 1 <= event.option_index <= len(self._moved):
            self.post_message(self.At(self._moved[event.option_index - 1]))

    @on(OptionList.OptionSelected)
    def choose(self, event: OptionList.OptionSelected) -> None:
        """Say that the image was chosen."""
        event.stop()
        self.post_message(self.Chosen())
