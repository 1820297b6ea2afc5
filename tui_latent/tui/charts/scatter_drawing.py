"""Scenes drawn into strips, for the drawing thread.

plotext draws maps with axes, the canvas all others: plotext has no backgrounds and takes ten
times as long. Both get their cells from `point_cells`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len
from rich.color import Color
from rich.style import Style
from textual.strip import Strip

from tui_latent.map_frame import Frame, Ints, finite_points
from tui_latent.palettes import RGB, palette
from tui_latent.tui.charts.axes import step_axis, value_axis
from tui_latent.tui.charts.canvas import NO_COLOR, Canvas, overlaid, packed
from tui_latent.tui.charts.legend import Entry, legend_strips
from tui_latent.tui.charts.outside_marks import lay_outside_marks
from tui_latent.tui.charts.panel import Drawing, message_strips
from tui_latent.tui.charts.plotext_plot import Axis, Layer, Tag, canvas_size, draw_plot, lay_tags
from tui_latent.tui.charts.raster import DOTS_X, DOTS_Y, MapCells, map_cells, sparse
from tui_latent.tui.charts.scatter import Mark, Rod, Scene, drawn_points
from tui_latent.tui.charts.thumbnails import paste_thumbnails
from tui_latent.tui.charts.window import Window
from tui_latent.tui.format import clip

LEGEND_LINES: Final = 2
DIVERGED: Final = "No point of this map is a finite number: the training has diverged."
_LEGEND_FROM: Final = 10
"""fewest lines at which a map has room for a legend"""
_AXES_FROM: Final = (60, 20)
"""fewest columns and lines at which it has room for axes"""
_NAME: Final = 18
"""cells of a name in the legend"""
_SHADE: Final = 0.28
"""how much of a value's colour its regions have"""
_BORDERS: Final = np.array([ord(character) for character in " │─┘"])
"""of a cell whose owner differs from the one at its right (1), below (2), both (3)"""
_DIM: Final = Style(dim=True)
_DISTANCES: Final = (0.4, 0.7, 1.0)
"""shares of their colour that far, middle and near points of a cloud have"""
_ROD: Final = 0.7
_STRUCK: Final = Style(strike=True, dim=True)


def draw_map(
    scene: Scene, frame: Frame | None, width: int, height: int, colored: bool, dark: bool = True
) -> Drawing:
    """Draw a whole scene; marks outside the frame widen it."""
    marked = np.array([(mark.x, mark.y) for mark in scene.marks]).reshape(-1, 2)
    marked = marked[finite_points(marked)]
    if frame is None or (scene.marks and not len(marked)):
        strips = message_strips(DIVERGED, width, height)
        return Drawing(strips, scene.titles(len(scene.points)))
    legend = scene_legend(scene, width, colored, dark) if height >= _LEGEND_FROM else []
    frame, rows = frame.including(marked), height - len(legend)
    if scene.axes:
        strips, hidden = plot_scene(scene, frame, width, rows, colored, dark)
    else:
        window = Window.around(frame, width, rows)
        strips, hidden = paint_scene(scene, window, colored, dark)
        strips = lay_outside_marks(strips, scene.points[drawn_points(scene)], window)
    return Drawing([*strips, *legend], scene.titles(hidden))


def point_cells(scene: Scene, window: Window, colored: bool) -> list[MapCells]:
    """Reduce a scene's points to cells: the ground's first, far ones before near ones.

    Without colour, or with more values than colours, each value is a character and no dots.
    """
    points, values, nearness = scene.points, scene.coloring.values, scene.nearness
    if not scene.visible.all():
        points, values = points[scene.visible], values[scene.visible]
        nearness = None if nearness is None else nearness[scene.visible]
    if scene.marks and not colored:
        values = np.zeros_like(values)
    glyphs = not scene.marks and (not colored or scene.coloring.needs_glyphs)
    frame, width, height = window.frame, window.width, window.height
    large = sparse(len(points), width, height)
    layers = []
    for chosen, near in _layers(values, scene.coloring.ground, nearness):
        cells = map_cells(points[chosen], values[chosen], frame, width, height, large)
        cells = replace(cells, near=near)
        if glyphs:
            cells = replace(cells, marks=tuple(map(scene.coloring.glyph, cells.classes.tolist())))
        layers.append(cells)
    return layers


def _layers(
    values: Ints, ground: int | None, nearness: NDArray[Any] | None
) -> list[tuple[Any, float]]:
    """Return what selects the points of each layer, and how much of their colour they have."""
    grounds = [slice(None)] if ground is None else [values == ground, values != ground]
    if nearness is None:
        return [(chosen, 1.0) for chosen in grounds]
    band = np.minimum(nearness * len(_DISTANCES), len(_DISTANCES) - 1).astype(np.int64)
    every = np.ones(len(values), np.bool_)
    return [
        ((every if ground is None else chosen) & (band == index), near)
        for chosen in grounds
        for index, near in enumerate(_DISTANCES)
    ]


def plot_scene(
    scene: Scene, frame: Frame, width: int, height: int, colored: bool, dark: bool = True
) -> tuple[list[Strip], int]:
    """Draw a scene with plotext, with axes if they fit; return also how many points are hidden."""
    x: Axis | None = None
    y: Axis | None = None
    if width >= _AXES_FROM[0] and height >= _AXES_FROM[1]:
        x, y = Axis((), ()), value_axis(0.0, 1.0, height)
    window = Window.around(frame, *canvas_size(width, height, x, y))
    if x and y:
        view = window.frame
        x = step_axis(view.left, view.right, window.width)
        y = value_axis(view.bottom, view.top, window.height)
    color = partial(scene.coloring.color, dark=dark)
    layers = point_cells(scene, window, colored)
    strips = draw_plot(
        [
            Layer(cells, [color(value) for value in cells.classes.tolist()] if colored else None)
            for cells in layers
        ],
        *(width, height, x, y),
    )
    tags = _tags(scene, window, colored, dark)
    left = width - window.width
    strips = lay_tags(strips, tags, left, window.width, window.height)
    strips = lay_outside_marks(strips, scene.points[drawn_points(scene)], window, left)
    return strips, sum(cells.hidden for cells in layers)


def _tags(scene: Scene, window: Window, colored: bool, dark: bool) -> list[Tag]:
    """Name each value at the median of its points, the most frequent first."""
    points = np.asarray(scene.points, dtype=np.float64)
    seen = drawn_points(scene)
    points, values = points[seen], scene.coloring.values[seen]
    found, counts = np.unique(values, return_counts=True)
    names, tags = scene.coloring.names, []
    for value in found[np.argsort(-counts, kind="stable")].tolist():
        column, row = window.cell(*np.median(points[values == value], axis=0).tolist())
        name = names[value] if 0 <= value < len(names) else str(value)
        if not name or value == scene.coloring.ground:
            continue
        color = scene.coloring.color(value, dark) if colored else None
        tags.append(Tag(column, window.height - 1 - row, name, color))
    return tags


def paint_scene(
    scene: Scene, window: Window, colored: bool, dark: bool = True
) -> tuple[list[Strip], int]:
    """Draw a scene on a canvas; return also how many visible points are hidden."""
    canvas = Canvas(window.width, window.height)
    colors = scene.coloring.colors(dark)
    if scene.regions and scene.visible.any():
        owners = scene.coloring.values[scene.visible][_owners(scene, window)]
        if colored:
            shades = np.array([packed(_mixed(color, _SHADE, dark)) for color in colors], np.int32)
            canvas.backgrounds[:] = shades[owners % len(shades)]
        else:
            canvas.marks[:] = borders(owners)
    _draw_rods(canvas, scene, window, colored, dark)
    hidden = 0
    for cells in point_cells(scene, window, colored):
        shades = np.array([packed(_mixed(color, cells.near, dark)) for color in colors], np.int32)
        ink = shades[cells.classes % len(shades)] if colored else NO_COLOR
        rows = window.height - 1 - cells.rows
        canvas.put(rows, cells.columns, [ord(mark) for mark in cells.marks], ink)
        canvas.bold[rows, cells.columns] = scene.nearness is not None and cells.near == 1.0
        # Without colours the terminal's own faint characters are what is left to show distance.
        canvas.dim[rows, cells.columns] = not colored and cells.near == _DISTANCES[0]
        hidden += cells.hidden
    strips = canvas.strips()
    if scene.images is not None:
        strips = paste_thumbnails(strips, scene, window, colored, dark)
    for row, cells_over in mark_cells(scene.marks, window, colored).items():
        strips[row] = overlaid(strips[row], cells_over)
    return strips, hidden


def _owners(scene: Scene, window: Window) -> Ints:
    """Return the visible point nearest to each cell, (height, width)."""
    from scipy.spatial import cKDTree

    left, top = window.place(0, 0)
    across = left + np.arange(window.width) * DOTS_X * window.unit
    down = top - np.arange(window.height) * DOTS_Y * window.unit
    places: NDArray[Any] = np.stack(np.meshgrid(across, down), axis=-1)
    _, owners = cKDTree(scene.points[scene.visible]).query(places)
    return np.asarray(owners, dtype=np.int64)


def borders(owners: Ints) -> Ints:
    """Return the characters (code points) of the borders between regions of equal owners.

    `owners` and the result are (height, width).
    """
    right, below = np.zeros(owners.shape, np.bool_), np.zeros(owners.shape, np.bool_)
    right[:, :-1] = owners[:, :-1] != owners[:, 1:]
    below[:-1] = owners[:-1] != owners[1:]
    return np.asarray(_BORDERS[right + 2 * below], dtype=np.int64)


def _draw_rods(canvas: Canvas, scene: Scene, window: Window, colored: bool, dark: bool) -> None:
    """Draw a scene's straight lines as dots, those of one colour together, and their names."""
    count = DOTS_X * (window.width + 2 * window.height)
    by_value: dict[int | None, list[Rod]] = {}
    for rod in scene.rods:
        by_value.setdefault(rod.value, []).append(rod)
    for value, rods in by_value.items():
        muted = palette(dark).muted if value is None else scene.coloring.color(value, dark)
        ink = packed(_mixed(muted, _ROD, dark)) if colored else NO_COLOR
        along = np.concatenate([np.linspace(rod.start, rod.end, count) for rod in rods])
        labels = np.zeros(len(along), np.int64)
        cells = map_cells(along, labels, window.frame, window.width, window.height, False)
        marks = [ord(mark) for mark in cells.marks]
        canvas.put(window.height - 1 - cells.rows, cells.columns, marks, ink)
        for rod in rods:
            if rod.name and window.contains(*rod.end):
                column, row = window.cell(*rod.end)
                canvas.write(row, column, rod.name, ink)


def _mixed(color: RGB, share: float, dark: bool) -> RGB:
    """Return a colour mixed with the background."""
    ground = 0 if dark else 255
    red, green, blue = (round(ground + share * (part - ground)) for part in color)
    return red, green, blue


def mark_cells(
    marks: Iterable[Mark], window: Window, colored: bool
) -> dict[int, list[tuple[int, str, Style]]]:
    """Return by row the (column, character, style) of those marks that lie in the window."""
    rows: dict[int, list[tuple[int, str, Style]]] = {}
    for mark in marks:
        if np.isfinite(mark.x + mark.y) and window.contains(mark.x, mark.y):
            column, row = window.cell(mark.x, mark.y)
            color = Color.from_rgb(*mark.color) if colored and mark.color else None
            rows.setdefault(row, []).append((column, mark.glyph, Style(bold=True, color=color)))
    return rows


def scene_legend(scene: Scene, width: int, colored: bool, dark: bool = True) -> list[Strip]:
    """Write what the colours mean; values that are not shown are struck out."""
    coloring = scene.coloring
    if not scene.legend or not any(coloring.names):
        return []
    glyphs = not colored or coloring.needs_glyphs
    names = [clip(name, _NAME) for name in coloring.names]
    cells, count = sum(map(cell_len, names)), len(names)
    roomy = cells + 4 * count - 2 <= width
    # Without spaces after the marks only if that saves a line.
    space = "" if cells + 2 * count - 1 <= width < cells + 3 * count - 1 and not glyphs else " "
    entries = []
    for index, name in enumerate(names):
        if index and index - 1 == coloring.ground and coloring.others:
            entries.append(Entry("", coloring.others, None, _DIM))
        mark = coloring.glyph(index) if glyphs else "○" if index in scene.struck else "●"
        if mark == name:
            name = ""
        color = coloring.color(index, dark) if colored else None
        style = _STRUCK if index in scene.struck else Style()
        entries.append(Entry(mark + space, name, color, style))
    return legend_strips(entries, width, LEGEND_LINES, 2 if roomy else 1)
