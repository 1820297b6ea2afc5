"""Scenes: the points of a map and everything drawn below and above them, as one value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.map_frame import Frame, Ints, finite_points
from tui_latent.palettes import (
    DARK,
    LIGHT,
    MUTED_GLYPH,
    RGB,
    class_color,
    class_glyph,
    colors_suffice,
)
from tui_latent.runs.schema import LatentMap
from tui_latent.tui.charts.image_cells import Pixels
from tui_latent.tui.charts.raster import DOTS_X, DOTS_Y
from tui_latent.tui.charts.window import Window

NO_LABEL: Final = "no label"
"""what legends and tables write for a point without a class"""
PLAIN_GLYPH: Final = "•"
"""of points that nothing tells apart, on screens without colour"""

Images = Callable[[Sequence[int]], Pixels]
"""returns (n, H, W, C) of n points"""


@dataclass(frozen=True, eq=False)
class Coloring:
    """What the points are coloured by."""

    name: str
    values: Ints
    """(N,) positions in `names`"""
    names: tuple[str, ...]
    """an empty one is not written"""
    dark: tuple[RGB, ...]
    """one per value on a dark background; more values than colours begin again"""
    light: tuple[RGB, ...]
    """the same on a light one"""
    glyphs: tuple[str, ...] = ()
    """one per value, for screens without colour; by default those of the classes"""
    ground: int | None = None
    """a value that is drawn only where no other is"""
    others: str = ""
    """what the legend writes between the ground and the values after it"""
    parts: bool = False
    """whether its values, and not the classes, can be shown alone and hidden"""

    def colors(self, dark: bool) -> tuple[RGB, ...]:
        """Return one colour per value for a dark or for a light background."""
        return self.dark if dark else self.light

    def color(self, value: int, dark: bool) -> RGB:
        """Return the colour of a value; more values than colours begin again."""
        colors = self.colors(dark)
        return colors[value % len(colors)]

    def glyph(self, value: int) -> str:
        """Return the character of a value."""
        return self.glyphs[value % len(self.glyphs)] if self.glyphs else class_glyph(value)

    @property
    def needs_glyphs(self) -> bool:
        """Whether there are more values than colours, or than the terminal can show."""
        return not colors_suffice(len(self.names), len(set(self.dark)))


@dataclass(frozen=True)
class Mark:
    """A character at a place of the plane."""

    x: float
    y: float
    glyph: str
    color: RGB | None = None
    """None is the text's"""


@dataclass(frozen=True)
class Rod:
    """A straight line of the plane, named at its end."""

    name: str
    start: tuple[float, float]
    end: tuple[float, float]
    value: int | None = None
    """of the colouring; None is muted"""


@dataclass(frozen=True, eq=False)
class Scene:
    """A map in layers, from the bottom up: regions, rods, points, class names, images, marks."""

    points: NDArray[Any]
    """(N, 2)"""
    coloring: Coloring
    visible: NDArray[np.bool_]
    """(N,) the points that are drawn"""
    regions: bool = False
    """whether each cell is shaded in the colour of its nearest point (Voronoi)"""
    axes: bool = False
    """whether there are axes, and the name of each value at the median of its points"""
    nearness: NDArray[Any] | None = None
    """(N,) from 0, far, to 1, near: points of a cloud are dimmer and lower the farther they are"""
    rods: Sequence[Rod] = ()
    frame: Frame | None = None
    """what is shown; None settles it by the points"""
    images: Images | None = None
    """thumbnails in place of points"""
    marks: Sequence[Mark] = ()
    """later ones cover earlier ones; on a map with marks a character is never a point"""
    legend: bool = False
    struck: frozenset[int] = frozenset()
    """values that the legend strikes out, because their points are not visible"""
    titles: Callable[[int], Sequence[str]] = field(default=lambda _: ("Map",))
    """titles from the fullest to the shortest, given the number of points that are hidden"""
    source: object = None
    """what the scene was made of; a scene of the same source is not drawn again"""


def class_coloring(labels: Ints, names: Sequence[str]) -> Coloring:
    """Colour points by their classes; labels beyond the names have colours of their own.

    Points without a label are muted behind the others; if no point has one, all are alike and
    the legend says nothing.
    """
    unlabelled = labels < 0
    if len(labels) and unlabelled.all():
        dark, light = class_colors(1)
        return Coloring("class", np.zeros_like(labels), ("",), dark, light, (PLAIN_GLYPH,))
    count = max(len(names), int(labels.max(initial=0)) + 1)
    dark, light = class_colors(count)
    if not unlabelled.any():
        return Coloring("class", labels, tuple(names), dark, light)
    known = (*names, *(str(label) for label in range(len(names), count)))
    return Coloring(
        "class",
        np.where(unlabelled, count, labels),
        (*known, NO_LABEL),
        (*dark, DARK.muted),
        (*light, LIGHT.muted),
        (*map(class_glyph, range(count)), MUTED_GLYPH),
        ground=count,
    )


def class_colors(count: int) -> tuple[tuple[RGB, ...], tuple[RGB, ...]]:
    """Return one colour per class on a dark and on a light background."""
    dark, light = ([class_color(index, dark) for index in range(count)] for dark in (True, False))
    return tuple(dark), tuple(light)


def map_scene(latent_map: LatentMap, **layers: Any) -> Scene:
    """Make a scene of a map in the colours of its classes."""
    coloring = class_coloring(np.asarray(latent_map.labels, np.int64), latent_map.class_names)
    every = np.ones(len(latent_map.points), np.bool_)
    return Scene(latent_map.points, coloring, every, **{"source": latent_map, **layers})


def drawn_points(scene: Scene) -> NDArray[np.bool_]:
    """Return which points of a scene are visible and finite, (N,)."""
    return np.asarray(finite_points(scene.points) & scene.visible)


def hidden_share(hidden: int, count: int) -> str:
    """Write how many of the points are hidden, in percent."""
    share = 100 * hidden / max(count, 1)
    return f"{share:.0f} % hidden" if share >= 1 or not hidden else "<1 % hidden"


def visible_points(
    points: NDArray[Any],
    labels: Ints,
    hidden_classes: frozenset[int],
    per_class: int | None = None,
) -> NDArray[np.bool_]:
    """Return which points are shown: finite ones whose class is not hidden.

    They are the first `per_class` of each class, or all.
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


def nearest_point(scene: Scene, x: float, y: float) -> int | None:
    """Return the visible point nearest to a place, None where none is visible."""
    squares = np.square(scene.points[:, 0] - x) + np.square(scene.points[:, 1] - y)
    squares = np.where(scene.visible, squares, np.inf)
    if not len(squares):
        return None
    nearest = int(squares.argmin())
    return nearest if np.isfinite(squares[nearest]) else None


def reading_order(scene: Scene, window: Window) -> Ints:
    """Return the visible points within the window in reading order: by row, column, index."""
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
