"""A film of a run: its evaluations as small maps side by side, all in one frame of the plane."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui_latent.map_frame import Frame, settle_frame
from tui_latent.runs.schema import LatentMap
from tui_latent.tui.charts.canvas import NO_COLOR, Canvas, packed
from tui_latent.tui.charts.raster import map_cells
from tui_latent.tui.charts.scatter import Coloring, class_coloring
from tui_latent.tui.charts.window import Window

WIDTH: Final = 14
"""cells of a small map, with the blank after it"""
HEIGHT: Final = 5
"""rows of the film: the small maps, and below them their steps"""
_POINTS: Final = 1000
"""points of a small map at most: it has no room for more"""
_CAPTION: Final = Style(dim=True)
_SHOWN: Final = Style(bold=True, reverse=True)


def film_steps(steps: Sequence[int], shown: int | None, width: int) -> list[int]:
    """Return which evaluations a film of `width` cells shows: evenly spaced, and `shown` itself."""
    room = min(width // WIDTH, len(steps))
    if room < 1:
        return []
    last = len(steps) - 1
    at = [round(place * last / max(room - 1, 1)) for place in range(room)]
    if room == 1:
        at = [last]
    if shown is not None and shown in steps:
        place = bisect_left(steps, shown)
        if place not in at:
            nearest = min(range(room), key=lambda index: abs(at[index] - place))
            at[nearest] = place
    return [steps[place] for place in sorted(set(at))]


def film_step_at(shown: Sequence[int], column: int) -> int | None:
    """Return the evaluation whose small map covers a column, None beyond the last."""
    place = column // WIDTH
    return shown[place] if 0 <= place < len(shown) else None


def draw_film(
    maps: Mapping[int, LatentMap | None],
    steps: Sequence[int],
    shown: int | None,
    width: int,
    colored: bool,
    dark: bool,
) -> list[Strip]:
    """Draw the maps of some steps as `HEIGHT` strips of `width` cells; a missing one is blank."""
    thinned = {step: _thinned(found) for step in steps if (found := maps.get(step)) is not None}
    frame = settle_frame(np.concatenate([points for points, _ in thinned.values()] or [_NONE]))
    rows: list[list[Segment]] = [[] for _ in range(HEIGHT)]
    for step in steps:
        picture = _picture(*thinned[step], frame, colored, dark) if step in thinned else _BLANK
        caption = f"step {step:,}" if cell_len(f"step {step:,}") < WIDTH else f"{step:,}"
        caption = set_cell_size(caption.center(WIDTH - 1), WIDTH - 1)
        under = Strip([Segment(caption, _SHOWN if step == shown else _CAPTION)])
        for row, strip in zip(rows, [*picture, under], strict=True):
            row += [*strip, Segment(" ")]
    return [Strip(row).adjust_cell_length(width) for row in rows]


_NONE: Final = np.empty((0, 2), np.float32)
_BLANK: Final = [Strip.blank(WIDTH - 1)] * (HEIGHT - 1)


def _thinned(latent_map: LatentMap) -> tuple[np.ndarray, Coloring]:
    every = max(1, -(-len(latent_map.points) // _POINTS))
    labels = np.asarray(latent_map.labels[::every], np.int64)
    return latent_map.points[::every], class_coloring(labels, latent_map.class_names)


def _picture(
    points: np.ndarray, coloring: Coloring, frame: Frame | None, colored: bool, dark: bool
) -> list[Strip]:
    """Draw one small map."""
    canvas = Canvas(WIDTH - 1, HEIGHT - 1)
    if frame is not None:
        window = Window.around(frame, WIDTH - 1, HEIGHT - 1)
        cells = map_cells(points, coloring.values, window.frame, WIDTH - 1, HEIGHT - 1, False)
        inks = np.array([packed(color) for color in coloring.colors(dark)], np.int32)
        ink = inks[cells.classes % len(inks)] if colored else NO_COLOR
        marks = [ord(mark) for mark in cells.marks]
        canvas.put(HEIGHT - 2 - cells.rows, cells.columns, marks, ink)
    return canvas.strips()
