"""A small map beside the images, with the places on it that they are about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tui_latent.palettes import class_color
from tui_latent.runs.schema import LatentMap
from tui_latent.tui.charts.canvas import NO_COLOR, Canvas, packed
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.charts.panel import ChartPanel, Drawing
from tui_latent.tui.charts.raster import Frame, finite_points, map_cells, settle_frame
from tui_latent.tui.charts.scatter import Window
from tui_latent.tui.charts.scatter_panel import message_strips
from tui_latent.tui.screens.images.sheet import Marks


class MarkedScatter(ChartPanel, can_focus=False):
    """Shows the newest map in class colours, and marks upon it in the text's colour."""

    def __init__(self, drawer: WorkerThread) -> None:
        super().__init__(drawer, "marks")
        self._marks: Marks | None = None
        self._frame: Frame | None = None  # the drawing thread's alone

    def show(self, marks: Marks) -> None:
        """Show a map with marks."""
        self._marks = marks
        self.redraw()

    def plan(self, width: int, height: int) -> Callable[[], Drawing]:
        """Draw the map and the marks held now."""
        marks = self._marks
        if marks is None:
            return lambda: Drawing((), ("",))
        colored = not self.app.no_color

        def draw() -> Drawing:
            self._frame = settle_frame(marks.latent_map.points, self._frame)
            return draw_marks(marks, self._frame, width, height, colored)

        return draw


def draw_marks(
    marks: Marks, frame: Frame | None, width: int, height: int, colored: bool
) -> Drawing:
    """Draw a map with its marks, none of them outside: the frame is widened where it must be."""
    known = finite_points(marks.points)
    points = marks.points[known]
    if frame is None or not len(points):
        strips = message_strips("nothing here is a finite number", width, height)
        return Drawing(strips, marks.titles)
    window = Window.around(_including(frame, points), width, height)
    canvas = _ground(marks.latent_map, window, colored)
    for place in np.flatnonzero(known).tolist():
        column, row = window.cell(*marks.points[place].tolist())
        if 0 <= column < width and 0 <= row < height:
            canvas.put(row, column, ord(marks.glyphs[place]), NO_COLOR)
            canvas.bold[row, column] = True
    return Drawing(canvas.strips(), marks.titles)


def _ground(latent_map: LatentMap, window: Window, colored: bool) -> Canvas:
    """Draw the map itself: dots, which no mark is mistaken for, in class colours if there are."""
    canvas = Canvas(window.width, window.height)
    labels = np.asarray(latent_map.labels, np.int64)
    groups = labels if colored else np.zeros_like(labels)
    cells = map_cells(latent_map.points, groups, window.frame, window.width, window.height)
    colors = [packed(class_color(c)) if colored else NO_COLOR for c in cells.classes.tolist()]
    rows = window.height - 1 - cells.rows
    canvas.put(rows, cells.columns, [ord(mark) for mark in cells.marks], colors)
    return canvas


def _including(frame: Frame, points: np.ndarray) -> Frame:
    (left, bottom), (right, top) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return replace(
        frame,
        left=min(frame.left, left),
        right=max(frame.right, right),
        bottom=min(frame.bottom, bottom),
        top=max(frame.top, top),
    )
