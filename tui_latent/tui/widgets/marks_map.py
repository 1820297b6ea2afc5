"""A small map beside the images, with the places on it that they are about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tui_latent.tui.canvas import NO_COLOR
from tui_latent.tui.drawing import Drawer
from tui_latent.tui.map_scene import (
    Scene,
    Window,
    class_coloring,
    draw_scene,
    visible_points,
)
from tui_latent.tui.raster import Frame, finite_points, settle_frame
from tui_latent.tui.sheets import Marks
from tui_latent.tui.widgets.drawn_panel import Drawing, DrawnPanel
from tui_latent.tui.widgets.latent_map import message_strips


class MarksMap(DrawnPanel, can_focus=False):
    """Shows the newest map in class colours, and marks upon it in the text's colour."""

    def __init__(self, drawer: Drawer) -> None:
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
        colored, dark = not self.app.no_color, self.app.current_theme.dark

        def draw() -> Drawing:
            self._frame = settle_frame(marks.latent_map.points, self._frame)
            return draw_marks(marks, self._frame, width, height, colored, dark)

        return draw


def draw_marks(
    marks: Marks, frame: Frame | None, width: int, height: int, colored: bool, dark: bool
) -> Drawing:
    """Draw a map with its marks, none of them outside: the frame is widened where it must be."""
    points = marks.points[finite_points(marks.points)]
    if frame is None or not len(points):
        strips = message_strips("nothing here is a finite number", width, height)
        return Drawing(strips, marks.titles)
    window = Window.around(_including(frame, points), width, height)
    shown = marks.latent_map
    labels = np.asarray(shown.labels, np.int64)
    coloring = class_coloring(labels, shown.class_names)
    visible = visible_points(shown.points, labels, frozenset())
    scene = Scene(shown.points, labels, coloring, visible)
    canvas, _ = draw_scene(scene, window, shaded=False, colored=colored, dark=dark)
    for (x, y), glyph in zip(marks.points, marks.glyphs, strict=True):
        if window.contains(x, y):
            column, row = window.cell(x, y)
            canvas.put(row, column, ord(glyph), NO_COLOR)
            canvas.bold[row, column] = True
    return Drawing(canvas.strips(), marks.titles)


def _including(frame: Frame, points: np.ndarray) -> Frame:
    (left, bottom), (right, top) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return replace(
        frame,
        left=min(frame.left, left),
        right=max(frame.right, right),
        bottom=min(frame.bottom, bottom),
        top=max(frame.top, top),
    )
