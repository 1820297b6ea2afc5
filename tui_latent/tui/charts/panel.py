"""A titled panel that shows lines drawn in the drawing thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.wrapping import wrap

_DIM: Final = Style(dim=True)


@dataclass(frozen=True, eq=False)
class Drawing:
    """A panel as the drawing thread has drawn it."""

    strips: Sequence[Strip]
    titles: Sequence[str]
    """from the fullest to the shortest; the first that fits is shown"""
    corner: str = ""
    """at the right end of the title line"""


class ChartPanel(Widget, can_focus=True):
    """Requests a drawing when its data, size or options change, and shows the newest."""

    DEFAULT_CSS = """
    ChartPanel {
        border: round $foreground 30%;
        border-title-color: $foreground;
        border-subtitle-color: $text-muted;
        &:focus { border: round $accent; border-title-style: bold; }
    }
    """

    class Drawn(Message, bubble=False):
        """A drawing is finished."""

        def __init__(self, drawing: Drawing) -> None:
            super().__init__()
            self.drawing = drawing

        def can_replace(self, message: Message) -> bool:
            """Skip drawings that are already out of date."""
            return isinstance(message, ChartPanel.Drawn)

    def __init__(self, drawer: WorkerThread, name: str) -> None:
        super().__init__(id=name)
        self._drawer = drawer
        self._drawing = Drawing((), ("",))
        self._line = ""
        self._dark: bool | None = None
        """whether the newest drawing is for a dark background; None before the first"""

    def plan(self, width: int, height: int) -> Callable[[], Drawing]:
        """Return what the drawing thread must do for `width` x `height` cells of content.

        It runs in that thread: it may use immutable values only, and no widget.
        """
        raise NotImplementedError

    def redraw(self) -> None:
        """Request a drawing, unless the panel is hidden."""
        width, height = self.content_size
        if width > 0 and height > 0:
            self._dark = self.app.current_theme.dark
            job = self.plan(width, height)
            self._drawer.submit(self, lambda: self.post_message(self.Drawn(job())))

    def on_resize(self) -> None:
        self.redraw()

    def notify_style_update(self) -> None:
        """Draw again in the colours of a theme with the other background."""
        super().notify_style_update()
        if self._dark not in (None, self.app.current_theme.dark):
            self.redraw()

    def on_chart_panel_drawn(self, message: Drawn) -> None:
        """Show a finished drawing; only lines that differ are repainted."""
        before, self._drawing = self._drawing, message.drawing
        room = self.size.width - 4
        corner = self._drawing.corner
        room -= len(corner) + 3 if corner else 0
        title = next((t for t in self._drawing.titles if len(t) <= room), self._drawing.titles[-1])
        line = f"{title} {'─' * (room - len(title))} {corner}" if corner else title
        if line != self._line:
            self._line = line
            self.border_title = Content(line)  # repaints the whole panel
            return
        pairs = zip_longest(before.strips, self._drawing.strips)
        rows = [y for y, (old, new) in enumerate(pairs) if old != new]
        if rows:
            self.refresh(*(Region(0, y, self.content_size.width, 1) for y in rows))

    def render_line(self, y: int) -> Strip:
        strips = self._drawing.strips
        style = self.rich_style
        width = self.content_size.width
        if y >= len(strips):
            return Strip.blank(width, style)
        return strips[y].adjust_cell_length(width).apply_style(style)


def message_strips(text: str, width: int, height: int) -> list[Strip]:
    """Centre a sentence in an empty panel, wrapped at words."""
    lines = wrap(text, max(width - 4, 8))
    above = [Strip.blank(width)] * max((height - len(lines)) // 2, 0)
    indents = (" " * max((width - cell_len(line)) // 2, 0) for line in lines)
    rows = zip(indents, lines, strict=True)
    return [*above, *(Strip([Segment(i + line, _DIM)]) for i, line in rows)][:height]


def note_strips(text: str, width: int) -> list[Strip]:
    """Write a sentence dimly, wrapped at words, in as many lines as it takes."""
    lines = wrap(text, max(width - 1, 8))
    return [Strip([Segment(f" {line}", _DIM)]).adjust_cell_length(width) for line in lines]
