"""A bordered panel of lines that are written for its width."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

Lines = Callable[[int], list[Content]]
Titles = Callable[[int], Sequence[str]]


class TablePanel(VerticalScroll, can_focus=True):
    """Lines that are laid out for the panel's width, and scroll with the keys."""

    DEFAULT_CSS = """
    TablePanel {
        border: round $foreground 30%;
        border-title-color: $foreground;
        scrollbar-size-vertical: 1;
        scrollbar-background: $background;
        scrollbar-color: $foreground 30%;
        &:focus { border: round $accent; border-title-style: bold; }
    }
    TablePanel > Static { height: auto; text-wrap: nowrap; text-overflow: clip; }
    """

    def __init__(self, name: str) -> None:
        super().__init__(id=name)
        self._lines: Lines | None = None
        self._written = "", Content()

    def compose(self) -> ComposeResult:
        yield Static(markup=False)

    def show(self, titles: Titles, lines: Lines) -> None:
        """Show what `lines` makes of a width; the first title that fits stands above."""
        self._titles, self._lines = titles, lines
        self._lay_out()

    def on_resize(self) -> None:
        self._lay_out()

    def watch_show_vertical_scrollbar(self) -> None:
        """Write the lines again when a scroll bar comes or goes: no resize is announced."""
        self.call_after_refresh(self._lay_out)

    def _lay_out(self) -> None:
        if self._lines is None or not self.size.area:  # hidden: laid out when shown
            return
        width, room = self.scrollable_content_region.width, self.size.width - 4
        titles, lines = self._titles(width), self._lines(width)
        title = next((t for t in titles if len(t) <= room), titles[-1])
        content = Content("\n").join(lines)
        before, self._written = self._written, (title, content)
        if title != before[0]:
            self.border_title = Content(title)  # repaints the panel
        if not content.is_same(before[1]):
            self.query_one(Static).update(content)
