"""A list whose cursor stays on its line while other lines change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui_latent.tui.widgets.clicks import Clicks


@dataclass(frozen=True)
class Line:
    """One line of a list."""

    key: str
    content: Content
    heading: bool = False
    """whether the line is a heading, which cannot be chosen"""


class StableList(OptionList):
    """Shows lines by key; the cursor stays on its key, or at its place if that is gone."""

    DEFAULT_CSS = """
    StableList {
        height: 1fr;
        border: none;
        padding: 0;
        background: transparent;
        text-wrap: nowrap;
        text-overflow: ellipsis;
        scrollbar-size-vertical: 1;
        &:focus {
            border: none;
            background-tint: transparent;
        }
        & > .option-list--option-disabled {
            color: $text-muted;
        }
    }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._lines_shown: tuple[Line, ...] = ()
        self._clicks = Clicks()

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the line that was clicked; a second click there chooses it."""
        event.prevent_default()  # Textual chooses a line at every click
        index = event.style.meta.get("option")
        if index is None or self.get_option_at_index(index).disabled:
            return
        chooses = self._clicks.chooses(event.chain, index == self.highlighted)
        self.highlighted = index
        if chooses:
            self.action_select()

    @property
    def chosen(self) -> str | None:
        """Key of the line under the cursor."""
        option = self.highlighted_option
        return None if option is None or option.disabled else option.id

    def show(self, lines: Sequence[Line]) -> None:
        """Replace the lines; only those that differ are redrawn."""
        before, self._lines_shown = self._lines_shown, tuple(lines)
        if [line.key for line in before] == [line.key for line in lines]:
            for index, (old, new) in enumerate(zip(before, lines, strict=True)):
                if not old.content.is_same(new.content):
                    self.replace_option_prompt_at_index(index, new.content)
            return
        chosen, highlighted, scroll = self.chosen, self.highlighted, self.scroll_y
        with self.app.batch_update():
            self.set_options(
                Option(line.content, id=line.key, disabled=line.heading) for line in lines
            )
            self.scroll_to(y=scroll, animate=False)
            self.highlighted = self._place(chosen, highlighted)

    def choose(self, key: str) -> None:
        """Move the cursor to a line."""
        self.highlighted = self.get_option_index(key)

    def _place(self, chosen: str | None, highlighted: int | None) -> int | None:
        """Return the index of the chosen key, or else of the nearest line that can be chosen."""
        free = [index for index, line in enumerate(self._lines_shown) if not line.heading]
        for index in free:
            if self._lines_shown[index].key == chosen:
                return index
        return min(free, key=lambda index: abs(index - (highlighted or 0)), default=None)
