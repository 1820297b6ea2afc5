"""A map that is dragged, clicked and zoomed with the mouse."""

from __future__ import annotations

from textual import events
from textual.geometry import Offset
from textual.message import Message

from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.charts.scatter_panel import ScatterPanel


class MouseMap(ScatterPanel):
    """Tells a click from a drag, and both from the wheel."""

    ALLOW_SELECT = False

    class Dragged(Message):
        """The map was dragged with the mouse by cells, right and down."""

        def __init__(self, columns: int, rows: int) -> None:
            super().__init__()
            self.columns = columns
            self.rows = rows

    def __init__(self, drawer: WorkerThread, name: str) -> None:
        super().__init__(drawer, name)
        self._held: Offset | None = None
        self._dragged = False

    def clicked(self, column: int, row: int) -> None:
        """A cell was clicked."""
        raise NotImplementedError

    def wheeled(self, column: int, row: int, steps: int) -> None:
        """The wheel was turned over a cell, forward by positive steps."""
        raise NotImplementedError

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._held, self._dragged = event.screen_offset, False
        self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._held is not None and event.screen_offset != self._held:
            columns, rows = event.screen_offset - self._held
            self._held, self._dragged = event.screen_offset, True
            self.post_message(self.Dragged(columns, rows))

    def on_mouse_up(self) -> None:
        self._held = None
        self.release_mouse()

    def on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self)
        if place is not None and not self._dragged:
            self.clicked(place.x, place.y)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, -1)

    def _wheel(self, event: events.MouseEvent, steps: int) -> None:
        place = event.get_content_offset(self)
        if place is not None:
            event.stop()
            self.wheeled(place.x, place.y, steps)
