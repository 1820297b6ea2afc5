"""The explorer's map: a scene in a window, with a cursor that keys and mouse move."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip

from tui_latent.palettes import class_glyph
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.charts.panel import ChartPanel, Drawing
from tui_latent.tui.charts.raster import Frame, settle_frame
from tui_latent.tui.charts.scatter import (
    ZOOM,
    Coloring,
    Scene,
    Window,
    draw_scene,
    nearest_point,
    points_in_cell,
    reading_order,
)
from tui_latent.tui.charts.scatter_panel import message_strips
from tui_latent.tui.format import clip, number
from tui_latent.tui.screens.explorer.thumbnails import Images, paste_thumbnails

_LEGEND_LINES: Final = 2
_NAME: Final = 14
_CURSOR: Final = Style(reverse=True)
NEAREST, DISTANT, VIEW = "◆", "◇", "+"


class ExplorerMap(ChartPanel):
    """Shows a scene; says which point the cursor is at."""

    class Pointed(Message):
        """The cursor has come to a point."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self, drawer: WorkerThread) -> None:
        super().__init__(drawer, "explorer-map")
        self.scene: Scene | None = None
        self.selected: int | None = None
        """the point that the panel beside tells about"""
        self.shaded = False
        self._title = ""
        self._hint = ""
        self._hidden_classes: frozenset[int] = frozenset()
        self._marks: Mapping[int, str] = {}
        self._window: Window | None = None
        self._frame: Frame | None = None
        self._cursor = (0, 0)
        self._overlay: dict[int, list[tuple[int, str, Style]]] = {}
        self._images: Images | None = None

    # What is shown

    def say(self, hint: str) -> None:
        """Show words instead of a map."""
        if self.scene is not None or hint != self._hint:
            self.scene, self._hint = None, hint
            self._overlay = {}
            self.redraw()

    def show(self, scene: Scene, title: str, hidden_classes: frozenset[int]) -> None:
        """Show a scene; the window stays where a person has put it."""
        new_points = self.scene is None or scene.points is not self.scene.points
        moved_window = self._window is not None and self._window != self._home()
        self.scene, self._title, self._hidden_classes = scene, title, hidden_classes
        if new_points:
            self._frame = settle_frame(scene.points, self._frame)
            if not moved_window:
                self._window = self._home()
        if self.selected is not None and self.selected < len(scene.points):
            self._cursor = self._cell_of(self.selected) or self._cursor
        elif self._window is not None:
            self._cursor = (self._window.width // 2, self._window.height // 2)
        self._lay_over()
        self.redraw()

    def mark(self, marks: Mapping[int, str]) -> None:
        """Mark points with characters: the neighbours of the selected one."""
        self._marks = marks
        self._lay_over()
        self.refresh()

    def show_thumbnails(self, images: Images | None) -> None:
        """Show images in the places of points, or points again."""
        self._images = images
        self.redraw()

    @property
    def shows_images(self) -> bool:
        """Whether images stand in the places of points."""
        return self._images is not None

    def plan(self, width: int, height: int) -> Callable[[], Drawing]:
        """Draw the scene held now."""
        scene, hint = self.scene, self._hint
        window = self._fitted(width, height)
        if scene is None or window is None:
            diverged = "No point of this map is a finite number: the training has diverged."
            words = hint if scene is None else diverged
            return lambda: Drawing(message_strips(words, width, height), (self._title or "Map",))
        colored, dark = not self.app.no_color, self.app.current_theme.dark
        shaded, title, hidden_classes = self.shaded, self._title, self._hidden_classes
        images = self._images
        zoom = f" · ×{number(self._magnification())}" if window != self._home() else ""

        def draw() -> Drawing:
            canvas, hidden = draw_scene(scene, window, shaded, colored, dark)
            strips = canvas.strips()
            if images is not None:
                strips = paste_thumbnails(strips, scene, window, images, colored=colored, dark=dark)
            legend = legend_strips(scene.coloring, hidden_classes, width, colored)
            shown = int(scene.visible.sum())
            share = 100 * hidden / max(shown, 1)
            words = f"{share:.0f}" if share >= 1 or not hidden else "<1"
            titles = (
                f"{title} · {shown:,} held-out images · {words} % hidden{zoom}",
                f"{title} · {shown:,} · {words} % hidden{zoom}",
                f"{title}{zoom}",
            )
            return Drawing([*strips, *legend], titles)

        return draw

    # The window

    def _canvas(self, width: int, height: int) -> tuple[int, int]:
        return width, max(height - _LEGEND_LINES, 1)

    def _home(self) -> Window | None:
        width, height = self._canvas(*self.content_size)
        if self._frame is None or width < 2 or height < 2:
            return None
        return Window.around(self._frame, width, height)

    def _magnification(self) -> float:
        home = self._home()
        return home.unit / self._window.unit if home and self._window else 1.0

    def _fitted(self, width: int, height: int) -> Window | None:
        canvas = self._canvas(width, height)
        if self._window is None or (self._window.width, self._window.height) != canvas:
            self._window = self._home()
        return self._window

    def on_resize(self) -> None:
        self._window = None
        if self.selected is not None:
            self._fitted(*self.content_size)
            self._cursor = self._cell_of(self.selected) or self._cursor
            self._lay_over()
        super().on_resize()

    def zoom(self, steps: int) -> None:
        """Magnify about the cursor, or step back."""
        if self._window is not None:
            x, y = self._window.place(*self._cursor)
            self._look(self._window.zoomed(ZOOM**steps, x, y))

    def pan(self, columns: int, rows: int) -> None:
        """Move the window by cells; the cursor stays on its point."""
        if self._window is not None:
            self._look(self._window.panned(columns, rows))

    def whole(self) -> None:
        """Show the whole map."""
        home = self._home()
        if home is not None:
            self._look(home)

    def _look(self, window: Window) -> None:
        self._window = window
        if self.selected is not None:
            cell = self._cell_of(self.selected)
            if cell is not None:
                self._cursor = cell
        self._lay_over()
        self.redraw()

    # The cursor

    def move(self, columns: int, rows: int) -> None:
        """Move the cursor by cells to the point nearest there; at an edge the window follows."""
        if self._window is None or self.scene is None:
            return
        column, row = self._cursor[0] + columns, self._cursor[1] + rows
        width, height = self._window.width, self._window.height
        if not (0 <= column < width and 0 <= row < height):
            across = (column >= width) - (column < 0)
            down = (row >= height) - (row < 0)
            self._window = self._window.panned(across * width // 4, down * height // 4)
            column, row = column - across * (width // 4), row - down * (height // 4)
            self.redraw()
        self._cursor = min(max(column, 0), width - 1), min(max(row, 0), height - 1)
        self._point_at_cursor()

    def step(self, by: int) -> None:
        """Go to the next point as one reads the map, also to those behind others."""
        if self._window is None or self.scene is None:
            return
        order = reading_order(self.scene, self._window).tolist()
        if not order:
            return
        at = order.index(self.selected) + by if self.selected in order else 0
        self.select(order[at % len(order)])

    def select(self, index: int) -> None:
        """Go to a point; the window follows where it lies outside."""
        if self.scene is None or self._window is None or not 0 <= index < len(self.scene.points):
            return
        x, y = (float(value) for value in self.scene.points[index])
        if not self._window.contains(x, y):
            shift_x, shift_y = x - self._window.x, y - self._window.y
            cell = self._window.unit
            self._window = self._window.panned(
                round(shift_x / cell / 2), round(-shift_y / cell / 4)
            )
            self.redraw()
        self._cursor = self._cell_of(index) or self._cursor
        self._take(index)

    def _point_at_cursor(self) -> None:
        assert self._window is not None and self.scene is not None
        index = nearest_point(self.scene, *self._window.place(*self._cursor))
        if index is not None:
            self._take(index)

    def _take(self, index: int) -> None:
        if index != self.selected:
            self.selected, self._marks = index, {}
            self.post_message(self.Pointed(index))
        self._lay_over()
        self.refresh()

    def here(self) -> int:
        """Return how many visible points lie in the cursor's cell."""
        if self._window is None or self.scene is None:
            return 0
        return len(points_in_cell(self.scene, self._window, *self._cursor))

    def _cell_of(self, index: int) -> tuple[int, int] | None:
        if self.scene is None or self._window is None:
            return None
        x, y = (float(value) for value in self.scene.points[index])
        if not self._window.contains(x, y):
            return None
        return self._window.cell(x, y)

    def on_click(self, event: events.Click) -> None:
        """Go to the point nearest to the click."""
        place = event.get_content_offset(self)
        if place is None or self._window is None or self.scene is None:
            return
        if place.y < self._window.height:
            self._cursor = (place.x, place.y)
            self._point_at_cursor()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._zoom_at(event, 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._zoom_at(event, -1)

    def _zoom_at(self, event: events.MouseEvent, steps: int) -> None:
        place = event.get_content_offset(self)
        if place is not None and self._window is not None:
            event.stop()
            self._look(self._window.zoomed(ZOOM**steps, *self._window.place(place.x, place.y)))

    # What lies over the drawing

    def _lay_over(self) -> None:
        """Work out which cells the cursor and the marks take."""
        self._overlay = {}
        if self.scene is None or self._window is None:
            return
        colored = not self.app.no_color
        for index, mark in self._marks.items():
            cell = self._cell_of(index) if index < len(self.scene.points) else None
            if cell is not None:
                color = Color.from_rgb(
                    *self.scene.coloring.color(self.scene.coloring.values[index])
                )
                style = Style(bold=True, color=color if colored else None)
                self._overlay.setdefault(cell[1], []).append((cell[0], mark, style))
        if self.selected is not None:
            cell = self._cell_of(self.selected)
            if cell is not None and cell != self._cursor:
                self._overlay.setdefault(cell[1], []).append((cell[0], "◉", Style(bold=True)))
            column, row = self._cursor
            self._overlay.setdefault(row, []).append((column, "┼", _CURSOR))

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        for column, mark, style in self._overlay.get(y, ()):
            under = next(iter(strip.crop(column, column + 1)), Segment(" "))
            ground = Style(bgcolor=under.style.bgcolor if under.style else None)
            cell = Strip([Segment(mark, self.rich_style + ground + style)], 1)
            strip = Strip.join((strip.crop(0, column), cell, strip.crop(column + 1)))
        return strip


def legend_strips(
    coloring: Coloring, hidden: frozenset[int], width: int, colored: bool
) -> list[Strip]:
    """Write what the colours mean in at most two lines; classes that are not shown are struck."""
    glyphs = not colored or coloring.needs_glyphs
    lines: list[list[Segment]] = [[]]
    used = 0
    for index, name in enumerate(coloring.names):
        text = clip(name, _NAME)
        size = cell_len(text) + 4
        if used + size > width:
            if len(lines) == _LEGEND_LINES:
                rest = f"… {len(coloring.names) - index} more"
                if used + len(rest) <= width:
                    lines[-1].append(Segment(rest, Style(dim=True)))
                break
            lines.append([])
            used = 0
        away = coloring.name == "class" and index in hidden
        mark = class_glyph(index) if glyphs else "○" if away else "●"
        color = Color.from_rgb(*coloring.color(index)) if colored else None
        lines[-1] += [
            Segment(f"{mark} ", Style(color=color)),
            Segment(text, Style(strike=away or None, dim=away or None)),
            Segment("  "),
        ]
        used += size
    rows = [Strip(line).adjust_cell_length(width) for line in lines]
    return rows + [Strip.blank(width)] * (_LEGEND_LINES - len(rows))
