"""The evaluations of a run as small maps, to go to one with the mouse."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events, work
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui_latent.runs.map_store import MapFolder
from tui_latent.tui.charts.film import HEIGHT, draw_film, film_step_at, film_steps


class FilmStrip(Widget):
    """Shows a run's evaluations side by side; posts which one was clicked or dragged to."""

    ALLOW_SELECT = False
    DEFAULT_CSS = f"""
    FilmStrip {{ height: {HEIGHT}; padding: 0 1; }}
    """

    class Chosen(Message):
        """An evaluation was clicked."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    class Turned(Message):
        """The wheel was turned: an earlier (-1) or a later evaluation (1) is wanted."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    def __init__(self, maps: MapFolder) -> None:
        super().__init__()
        self._maps = maps
        self._steps: tuple[int, ...] = ()
        self._shown: int | None = None
        self._film: list[int] = []
        self._strips: Sequence[Strip] = ()
        self._wanted: object = None
        """what the newest drawing was requested for"""
        self._held = False

    def show(self, steps: tuple[int, ...], shown: int | None) -> None:
        """Show evaluations, and which of them the panels show."""
        self._steps, self._shown = steps, shown
        self._redraw()

    def on_resize(self) -> None:
        self._redraw()  # also when it is shown again

    def notify_style_update(self) -> None:
        """Draw again in the colours of another theme."""
        super().notify_style_update()
        self._redraw()

    def _redraw(self) -> None:
        width, dark = self.size.width, self.app.current_theme.dark
        if not (self.is_mounted and self.display and width):
            return
        film = film_steps(self._steps, self._shown, width)
        wanted = (film, self._shown, width, dark)
        if wanted != self._wanted:
            self._wanted, self._film = wanted, film
            self._draw(wanted, film, self._shown, width, not self.app.no_color, dark)

    @work(thread=True, exclusive=True, group="film")
    def _draw(
        self,
        wanted: object,
        film: list[int],
        shown: int | None,
        width: int,
        colored: bool,
        dark: bool,
    ) -> None:
        found = {step: self._maps.at(step) for step in film}
        maps = {step: stored.map if stored else None for step, stored in found.items()}
        strips = draw_film(maps, film, shown, width, colored, dark)
        self.app.call_from_thread(self._take, strips, wanted)

    def _take(self, strips: Sequence[Strip], wanted: object) -> None:
        if wanted is self._wanted:  # otherwise a newer drawing follows, or has come first
            self._strips = strips
            self.refresh()

    def render_line(self, y: int) -> Strip:
        strip = self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width)
        return strip.adjust_cell_length(self.size.width).apply_style(self.rich_style)

    # The mouse

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._held = True
        self.capture_mouse()
        self._choose(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._held:
            self._choose(event)

    def on_mouse_up(self) -> None:
        self._held = False
        self.release_mouse()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.post_message(self.Turned(-1))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.post_message(self.Turned(1))

    def _choose(self, event: events.MouseEvent) -> None:
        step = film_step_at(self._film, event.x - self.gutter.left)
        if step is not None and step != self._shown:
            self.post_message(self.Chosen(step))
