"""A list of any number of lines with a cursor; only the lines in view are written."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import ClassVar, Final

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from tui_latent.tui.widgets.clicks import Clicks

Write = Callable[[int, int], Content]
"""(index, width) -> one line"""

_KEPT: Final = 2000
"""lines that are kept drawn"""


class LineList(ScrollView, can_focus=True):
    """Shows lines by key; the cursor stays on its key, or at its place if that is gone.

    The cost of a key press depends on the height of the list, not on the number of its lines.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"line-list--line", "line-list--cursor"}

    DEFAULT_CSS = """
    LineList {
        height: 1fr;
        scrollbar-size-vertical: 1;
        overflow-x: hidden;
        & > .line-list--cursor {
            color: $block-cursor-blurred-foreground;
            background: $block-cursor-blurred-background;
            text-style: $block-cursor-blurred-text-style;
        }
        &:focus > .line-list--cursor {
            color: $block-cursor-foreground;
            background: $block-cursor-background;
            text-style: $block-cursor-text-style;
        }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", "Down", show=False),
        Binding("up", "move(-1)", "Up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("home", "move(-1_000_000_000)", "First", show=False),
        Binding("end", "move(1_000_000_000)", "Last", show=False),
    ]

    CLICK_CHOOSES: ClassVar[bool] = False
    """whether each click chooses its line, as in a list of things to switch on and off"""

    class Moved(Message):
        """The cursor is on another line."""

    class Selected(Message):
        """The line under the cursor was chosen, by a click on it or by `select`."""

    def __init__(self) -> None:
        super().__init__()
        self._keys: Sequence[Hashable] = ()
        self._places: dict[Hashable, int] = {}
        self._write: Write | None = None
        self._cursor = 0
        self._clicks = Clicks()
        self._told: Hashable = None
        self._contents: dict[int, Content] = {}
        self._strips: dict[tuple[int, bool], Strip] = {}

    @property
    def chosen(self) -> Hashable:
        """Key of the line under the cursor; None in an empty list."""
        return self._keys[self._cursor] if self._keys else None

    @property
    def cursor(self) -> int:
        """Index of the line under the cursor."""
        return self._cursor

    def text(self, index: int) -> str:
        """Return a line as plain text."""
        return "" if self._write is None else self._write(index, self._width).plain

    @property
    def count(self) -> int:
        """Number of lines."""
        return len(self._keys)

    def show(self, keys: Sequence[Hashable], write: Write) -> None:
        """Show a line for each key; of those in view, only the ones that differ are drawn again."""
        before, chosen = self._keys, self.chosen
        self._write = write
        if list(keys) != list(before):
            self._keys = tuple(keys)
            self._places = {key: place for place, key in enumerate(self._keys)}
            self.virtual_size = Size(self._width, len(self._keys))
            place = self._places.get(chosen, self._cursor)
            self._forget()
            self._put_cursor(place)
            self.refresh()
        else:
            self._draw_what_differs()
        self._tell()

    def choose(self, key: Hashable) -> None:
        """Move the cursor to a line, if it is there."""
        if key in self._places:
            self._put_cursor(self._places[key])

    def action_move(self, by: int) -> None:
        """Move the cursor by some lines."""
        self._put_cursor(self._cursor + by)

    def action_page(self, by: int) -> None:
        """Move the cursor by pages."""
        self._put_cursor(self._cursor + by * max(1, self.scrollable_content_region.height - 1))

    def action_select(self) -> None:
        """Choose the line under the cursor."""
        if self._keys:
            self.post_message(self.Selected())

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the line that was clicked; a second click there chooses it."""
        index = self.scroll_offset.y + event.y
        if 0 <= index < len(self._keys):
            chooses = self._clicks.chooses(event.chain, index == self._cursor)
            self._put_cursor(index)
            if chooses or self.CLICK_CHOOSES:
                self.action_select()

    def on_resize(self) -> None:
        """Write the lines for the new width."""
        self.virtual_size = Size(self._width, len(self._keys))
        self._forget()
        self._show_cursor()

    def notify_style_update(self) -> None:
        """Draw the lines again when a theme or the focus changes their style."""
        super().notify_style_update()
        self._strips.clear()

    def render_line(self, y: int) -> Strip:
        index = self.scroll_offset.y + y
        width = self.scrollable_content_region.width
        if self._write is None or index >= len(self._keys):
            return Strip.blank(width, self.visual_style.rich_style)
        under_cursor = index == self._cursor
        strip = self._strips.get((index, under_cursor))
        if strip is None:
            names = ["line-list--line", *(["line-list--cursor"] if under_cursor else [])]
            style = self.get_visual_style(*names)
            content = self._content(index)
            if under_cursor and self.has_focus:  # dim or coloured words are unreadable on its blue
                content = Content(content.plain)
            strips = Visual.to_strips(self, content, width, 1, style)
            strip = (strips[0] if strips else Strip.blank(0)).adjust_cell_length(
                width, style.rich_style
            )
            if len(self._strips) >= _KEPT:
                self._strips.clear()
            self._strips[index, under_cursor] = strip
        return strip

    @property
    def _width(self) -> int:
        return self.scrollable_content_region.width

    def _content(self, index: int) -> Content:
        assert self._write is not None
        content = self._contents.get(index)
        if content is None:
            if len(self._contents) >= _KEPT:
                self._contents.clear()
            content = self._contents[index] = self._write(index, self._width)
        return content

    def _draw_what_differs(self) -> None:
        assert self._write is not None
        top = self.scroll_offset.y
        seen = range(top, min(top + self.scrollable_content_region.height, len(self._keys)))
        old = {index: self._contents.get(index) for index in seen}
        self._forget()
        for index, content in old.items():
            # A resize forgets lines that are on the screen: they may differ, too.
            if content is None or not content.is_same(self._content(index)):
                self.refresh_line(index)

    def _forget(self) -> None:
        self._contents.clear()
        self._strips.clear()

    def _put_cursor(self, place: int) -> None:
        place = min(max(place, 0), max(len(self._keys) - 1, 0))
        before, self._cursor = self._cursor, place
        if before != place:
            self.refresh_line(before)
            self.refresh_line(place)
        self._show_cursor()
        self._tell()

    def _show_cursor(self) -> None:
        """Scroll as little as shows the cursor."""
        height = self.scrollable_content_region.height
        top = round(self.scroll_y)
        if height <= 0:
            return
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False, immediate=True)
        elif self._cursor >= top + height:
            self.scroll_to(y=self._cursor - height + 1, animate=False, immediate=True)

    def _tell(self) -> None:
        if self.chosen != self._told:
            self._told = self.chosen
            self.post_message(self.Moved())
