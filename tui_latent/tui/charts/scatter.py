"""The explorer's map: points in their colours on a canvas, with a cursor that finds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.palettes import RGB, class_color, class_glyph
from tui_latent.tui.charts.canvas import NO_COLOR, Canvas, packed
from tui_latent.tui.charts.raster import DOTS_X, DOTS_Y, Frame, finite_points, map_cells, sparse

Ints = NDArray[np.int64]

ZOOM: Final = 1.5
_SHADE: Final = 0.28
"""how much of a class's colour its Voronoi cells have"""


@dataclass(frozen=True, eq=False)
class Coloring:
    """What the points are coloured by."""

    name: str
    values: Ints
    """(N,) positions in `names`"""
    names: tuple[str, ...]
    colors: tuple[RGB, ...]
    ground: int | None = None
    """a value that is drawn only where no other is"""

    def color(self, value: int) -> RGB:
        """Return the colour of a value; more values than colours begin again."""
        return self.colors[value % len(self.colors)]

    @property
    def needs_glyphs(self) -> bool:
        """Whether there are more values than colours."""
        return len(self.names) > len(set(self.colors))


@dataclass(frozen=True, eq=False)
class Scene:
    """What there is to see of a map."""

    points: NDArray[Any]
    """(N, 2)"""
    labels: Ints
    """(N,) classes, whatever the colours show"""
    coloring: Coloring
    visible: NDArray[np.bool_]
    """(N,) those that are not hidden by their class, and finite"""


@dataclass(frozen=True)
class Window:
    """The part of the plane that a canvas shows, and how places and cells go together."""

    x: float
    """middle, in the plane"""
    y: float
    unit: float
    """length in the plane of a braille dot"""
    width: int
    """cells"""
    height: int

    @classmethod
    def around(cls, frame: Frame, width: int, height: int) -> Window:
        """Return the window on a canvas that shows a whole frame."""
        fitted = frame.fitted(width, height)
        unit = (fitted.right - fitted.left) / max(width * DOTS_X - 1, 1)
        middle_x, middle_y = (fitted.left + fitted.right) / 2, (fitted.bottom + fitted.top) / 2
        return cls(middle_x, middle_y, unit, width, height)

    @property
    def frame(self) -> Frame:
        """The part of the plane."""
        half_x = self.unit * (self.width * DOTS_X - 1) / 2
        half_y = self.unit * (self.height * DOTS_Y - 1) / 2
        return Frame(self.x - half_x, self.x + half_x, self.y - half_y, self.y + half_y)

    def sized(self, width: int, height: int) -> Window:
        """Return a window with the same middle and scale on a canvas of another size."""
        return replace(self, width=width, height=height)

    def place(self, column: int, row: int) -> tuple[float, float]:
        """Return the middle of a cell in the plane; rows count from the top."""
        dots_x = (column + 0.5) * DOTS_X - self.width * DOTS_X / 2
        dots_y = self.height * DOTS_Y / 2 - (row + 0.5) * DOTS_Y
        return self.x + dots_x * self.unit, self.y + dots_y * self.unit

    def cell(self, x: float, y: float) -> tuple[int, int]:
        """Return the (column, row) of a place; it may lie outside the canvas."""
        columns, rows = self.cells(np.array([[x, y]]))
        return int(columns[0]), int(rows[0])

    def cells(self, points: NDArray[Any]) -> tuple[Ints, Ints]:
        """Return the columns and rows of (N, 2) places; outside, one beyond the canvas."""
        columns = ((points[:, 0] - self.x) / self.unit + self.width * DOTS_X / 2) // DOTS_X
        rows = (self.height * DOTS_Y / 2 - (points[:, 1] - self.y) / self.unit) // DOTS_Y
        columns, rows = np.clip(columns, -1, self.width), np.clip(rows, -1, self.height)
        return columns.astype(np.int64), rows.astype(np.int64)

    def contains(self, x: float, y: float) -> bool:
        """Say whether a place can be seen."""
        column, row = self.cell(x, y)
        return 0 <= column < self.width and 0 <= row < self.height

    def zoomed(self, factor: float, x: float, y: float) -> Window:
        """Return a window in which the place (x, y) stays where it is and lengths grow."""
        return replace(
            self,
            unit=self.unit / factor,
            x=x + (self.x - x) / factor,
            y=y + (self.y - y) / factor,
        )

    def panned(self, columns: int, rows: int) -> Window:
        """Return a window moved by cells, right and down."""
        return replace(
            self,
            x=self.x + columns * DOTS_X * self.unit,
            y=self.y - rows * DOTS_Y * self.unit,
        )


def class_coloring(labels: Ints, names: Sequence[str]) -> Coloring:
    """Colour points by their classes."""
    colors = tuple(class_color(index) for index in range(max(len(names), 1)))
    return Coloring("class", labels, tuple(names), colors)


def nearest_point(scene: Scene, x: float, y: float) -> int | None:
    """Return the visible point nearest to a place, None where none is visible."""
    squares = np.square(scene.points[:, 0] - x) + np.square(scene.points[:, 1] - y)
    squares = np.where(scene.visible, squares, np.inf)
    if not len(squares):
        return None
    nearest = int(squares.argmin())
    return nearest if np.isfinite(squares[nearest]) else None


def reading_order(scene: Scene, window: Window) -> Ints:
    """Return the visible points within the window as one reads them: by row, column, index."""
    chosen = np.flatnonzero(scene.visible)
    columns, rows = window.cells(np.asarray(scene.points[chosen], np.float64))
    inside = (columns >= 0) & (columns < window.width) & (rows >= 0) & (rows < window.height)
    chosen, columns, rows = chosen[inside], columns[inside], rows[inside]
    return np.asarray(chosen[np.lexsort((chosen, columns, rows))], dtype=np.int64)


def points_in_cell(scene: Scene, window: Window, column: int, row: int) -> Ints:
    """Return the visible points that lie in a cell."""
    x, y = window.place(column, row)
    near_x = np.abs(scene.points[:, 0] - x) <= window.unit * DOTS_X / 2
    near_y = np.abs(scene.points[:, 1] - y) <= window.unit * DOTS_Y / 2
    return np.flatnonzero(scene.visible & near_x & near_y)


def draw_scene(
    scene: Scene, window: Window, shaded: bool, colored: bool, dark: bool = True
) -> tuple[Canvas, int]:
    """Draw a scene; return the canvas and how many visible points are not seen as what they are.

    `shaded` lays the Voronoi cells of the visible points under them, in the colours of their
    values.
    """
    canvas = Canvas(window.width, window.height)
    coloring, visible = scene.coloring, scene.visible
    points, values = scene.points, coloring.values
    if not visible.all():
        points, values = points[visible], values[visible]
    palette = np.array([packed(color) for color in coloring.colors], np.int32)
    if shaded and colored and len(points):
        shades = np.array([packed(_shade(color, dark)) for color in coloring.colors], np.int32)
        owners = values[_owners(points, window)]
        canvas.backgrounds[:] = shades[owners % len(shades)]
    glyphs = not colored or coloring.needs_glyphs
    hidden = 0
    frame, width, height = window.frame, window.width, window.height
    large = sparse(len(points), width, height)
    for layer in _layers(values, coloring.ground):
        cells = map_cells(points[layer], values[layer], frame, width, height, large)
        marks = [class_glyph(value) for value in cells.classes.tolist()] if glyphs else cells.marks
        colors = palette[cells.classes % len(palette)] if colored else NO_COLOR
        rows = window.height - 1 - cells.rows
        canvas.put(rows, cells.columns, [ord(mark) for mark in marks], colors)
        hidden += cells.hidden
    return canvas, hidden


def _layers(values: Ints, ground: int | None) -> list[Any]:
    """Return what selects the points to draw, those of the ground first."""
    if ground is None:
        return [slice(None)]
    return [values == ground, values != ground]


def _owners(points: NDArray[Any], window: Window) -> Ints:
    """Return the point nearest to each cell, (height, width)."""
    from scipy.spatial import cKDTree

    frame = window.frame
    across = np.linspace(frame.left, frame.right, window.width * 2 + 1)[1::2]
    down = np.linspace(frame.top, frame.bottom, window.height * 2 + 1)[1::2]
    places = np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2)
    _, owners = cKDTree(points).query(places)
    return np.asarray(owners, dtype=np.int64).reshape(window.height, window.width)


def _shade(color: RGB, dark: bool) -> RGB:
    ground = 0 if dark else 255
    red, green, blue = (round(ground + _SHADE * (part - ground)) for part in color)
    return red, green, blue


def visible_points(
    points: NDArray[Any],
    labels: Ints,
    hidden_classes: frozenset[int],
    per_class: int | None = None,
) -> NDArray[np.bool_]:
    """Say which points are shown: finite ones whose class is not hidden.

    Of each class the first `per_class`, or all.
    """
    shown = finite_points(points)
    if hidden_classes:
        shown = shown & ~np.isin(labels, list(hidden_classes))
    if per_class is not None:
        order = np.flatnonzero(shown)
        order = order[np.argsort(labels[order], kind="stable")]
        sorted_labels = labels[order]
        turns = np.arange(len(order)) - np.searchsorted(sorted_labels, sorted_labels)
        shown = np.zeros(len(points), np.bool_)
        shown[order[turns < per_class]] = True
    return shown
