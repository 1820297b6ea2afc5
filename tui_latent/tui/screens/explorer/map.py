"""The explorer's map: a scene in a window, with a cursor that keys and mouse move."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.style import Style
from textual.message import Message
from textual.strip import Strip

from tui_latent.map_frame import Frame, settle_frame, whole_frame
from tui_latent.palettes import RGB
from tui_latent.tui.charts.canvas import overlaid
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.charts.outside_marks import lay_outside_marks, outside_marks
from tui_latent.tui.charts.panel import Drawing, message_strips
from tui_latent.tui.charts.scatter import (
    Mark,
    Scene,
    drawn_points,
    nearest_point,
    points_in_cell,
    reading_order,
)
from tui_latent.tui.charts.scatter_drawing import (
    DIVERGED,
    LEGEND_LINES,
    mark_cells,
    paint_scene,
    scene_legend,
)
from tui_latent.tui.charts.window import Window
from tui_latent.tui.format import number
from tui_latent.tui.screens.explorer.mouse_map import MouseMap

_ZOOM: Final = 1.5
_CURSOR: Final = Style(reverse=True)
NEAREST, DISTANT, MARKED = "◆", "◇", "■"


class ExplorerMap(MouseMap):
    """A scatter panel with zoom, pan and a cursor that selects points."""

    class Pointed(Message):
        """The cursor moved to a point."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self, drawer: WorkerThread) -> None:
        super().__init__(drawer, "explorer-map")
        self.selected: int | None = None
        """the point at the cursor"""
        self._marks: Mapping[int, str] = {}
        self._kept: frozenset[int] = frozenset()
        self._window: Window | None = None
        self._cursor = (0, 0)
        self._settled: Frame | None = None
        self._overlay: dict[int, list[tuple[int, str, Style]]] = {}

    # What is shown

    def show(
        self, scene: Scene | None, hint: str = "", titles: Sequence[str] = ("Latent map",)
    ) -> None:
        """Show a scene; a window that was zoomed or panned stays."""
        before, moved_window = self.scene, self._window not in (None, self._home())
        if scene is not None and (before is None or scene.points is not before.points):
            self._settled = scene.frame or settle_frame(scene.points, self._settled)
            self._frame_points(scene)
            if not moved_window:
                self._window = self._home()
        super().show(scene, hint, titles)
        self._leave_hidden_point()
        if self._window is not None:
            middle = self._window.width // 2, self._window.height // 2
            self._cursor = middle if self.selected is None else self._cursor
        self._follow_selected()

    def _leave_hidden_point(self) -> None:
        """Go from a point that is not shown any more to the nearest one that is."""
        scene, index = self.scene, self.selected
        if scene is None or index is None or index >= len(scene.points) or scene.visible[index]:
            return
        nearest = nearest_point(scene, *scene.points[index].tolist())
        if nearest is not None:
            self._take(nearest)

    def mark(self, marks: Mapping[int, str]) -> None:
        """Mark points with characters: the neighbours of the selected one."""
        self._marks = marks
        self._lay_over()
        self.refresh()

    def keep_marked(self, rows: frozenset[int]) -> None:
        """Mark points until told otherwise, wherever the cursor goes."""
        if rows != self._kept:
            self._kept = rows
            self._lay_over()
            self.refresh()

    def in_view(self) -> NDArray[np.int64] | None:
        """Return the visible points in the window; None while that is the whole map."""
        if self.scene is None or self._window is None or self._window == self._home():
            return None
        return reading_order(self.scene, self._window)

    def plan(self, width: int, height: int) -> Callable[[], Drawing]:
        """Draw the part of the scene that is in the window."""
        scene, window = self.scene, self._fitted(width, height)
        if scene is None:
            return super().plan(width, height)
        if window is None:
            return lambda: Drawing(message_strips(DIVERGED, width, height), scene.titles(0))
        colored, dark = not self.app.no_color, self.app.current_theme.dark
        home = self._home()
        moved = window != home
        zoom = f" · ×{number(home.unit / window.unit)}" if home and window.unit != home.unit else ""

        def draw() -> Drawing:
            strips, hidden = paint_scene(scene, window, colored, dark)
            if not moved:
                strips = lay_outside_marks(strips, scene.points[drawn_points(scene)], window)
            legend = scene_legend(scene, width, colored, dark)
            blank = [Strip.blank(width)] * (LEGEND_LINES - len(legend))
            titles = [f"{title}{zoom}" for title in scene.titles(hidden)]
            return Drawing([*strips, *legend, *blank], titles)

        return draw

    # The window

    def _canvas(self, width: int, height: int) -> tuple[int, int]:
        return width, max(height - LEGEND_LINES, 1)

    def _home(self) -> Window | None:
        width, height = self._canvas(*self.content_size)
        if self._frame is None or width < 2 or height < 2:
            return None
        return Window.around(self._frame, width, height)

    def _fitted(self, width: int, height: int) -> Window | None:
        canvas = self._canvas(width, height)
        if self._window is None or (self._window.width, self._window.height) != canvas:
            self._window = self._home()
        return self._window

    def on_resize(self) -> None:
        """Show the whole map in the new size."""
        self._window = None
        self._fitted(*self.content_size)
        self._follow_selected()

    def zoom(self, steps: int) -> None:
        """Zoom in about the cursor; negative steps zoom out."""
        if self._window is not None:
            x, y = self._window.place(*self._cursor)
            self._look(self._window.zoomed(_ZOOM**steps, x, y))

    def pan(self, columns: int, rows: int) -> None:
        """Move the window by cells; the cursor stays on its point."""
        if self._window is not None:
            self._look(self._window.panned(columns, rows))

    def _frame_points(self, scene: Scene) -> None:
        self._frame = whole_frame(scene.points) if self._all else self._settled

    def toggle_frame(self) -> None:
        """Show every point, however far from the others, or again the frame of most of them.

        In a window that was zoomed or panned, go back to what was shown before.
        """
        home = self._home()
        if self.scene is None or home is None:
            return
        if self._window == home:
            self._all = not self._all
            self._frame_points(self.scene)
        self.whole()

    def whole(self) -> None:
        """Show the whole map."""
        home = self._home()
        if home is not None:
            self._look(home)

    def _look(self, window: Window) -> None:
        self._window = window
        self._follow_selected()
        self.redraw()

    def _follow_selected(self) -> None:
        """Put the cursor where the selected point is now."""
        if self.selected is not None:
            self._cursor = self._cell_of(self.selected) or self._cursor
        self._lay_over()

    # The cursor

    def move(self, columns: int, rows: int) -> None:
        """Move the cursor by cells and snap to the nearest point; at an edge the window follows."""
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
        """Go to the next point in reading order, including those behind others."""
        if self._window is None or self.scene is None:
            return
        order = reading_order(self.scene, self._window).tolist()
        if not order:
            return
        at = order.index(self.selected) + by if self.selected in order else 0
        self.select(order[at % len(order)])

    def select(self, index: int) -> None:
        """Go to a point; the window follows if the point is outside."""
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
        if self.scene is None or self._window is None or index >= len(self.scene.points):
            return None
        x, y = self.scene.points[index].tolist()
        return self._window.cell(x, y) if self._window.contains(x, y) else None

    def clicked(self, column: int, row: int) -> None:
        """Go to the point nearest to the click."""
        if self._window is not None and self.scene is not None and row < self._window.height:
            self._cursor = (column, row)
            self._point_at_cursor()

    def wheeled(self, column: int, row: int, steps: int) -> None:
        """Zoom about the mouse."""
        if self._window is not None:
            self._look(self._window.zoomed(_ZOOM**steps, *self._window.place(column, row)))

    # Overlay

    def _lay_over(self) -> None:
        """Find the cells of the cursor and the marks."""
        self._overlay = {}
        scene, window = self.scene, self._window
        if scene is None or window is None:
            return
        values, known = scene.coloring.values, len(scene.points)
        dark = self.app.current_theme.dark
        marks = [
            self._mark(index, glyph, scene.coloring.color(values[index], dark))
            for index, glyph in {**self._marks, **dict.fromkeys(self._kept, MARKED)}.items()
            if index < known
        ]
        if self.selected is not None and self._cell_of(self.selected) not in (None, self._cursor):
            marks.append(self._mark(self.selected, "◉"))
        self._overlay = mark_cells(marks, window, not self.app.no_color)
        if self.selected is not None:
            column, row = self._cursor
            self._overlay.setdefault(row, []).append((column, "┼", _CURSOR))
        self._uncover_outside_marks(scene, window)

    def _uncover_outside_marks(self, scene: Scene, window: Window) -> None:
        """Remove cells that would cover the counts of points outside."""
        if window == self._home():
            for row, start, text in outside_marks(scene.points[drawn_points(scene)], window):
                cells = self._overlay.get(row, [])
                end = start + len(text)
                self._overlay[row] = [cell for cell in cells if not start <= cell[0] < end]

    def _mark(self, index: int, glyph: str, color: RGB | None = None) -> Mark:
        assert self.scene is not None
        x, y = self.scene.points[index].tolist()
        return Mark(x, y, glyph, color)

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        cells = self._overlay.get(y)
        return overlaid(strip, cells).apply_style(self.rich_style) if cells else strip
