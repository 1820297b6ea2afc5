"""A run's map on a few cells: the points alone, in the colours of their classes."""

from __future__ import annotations

import numpy as np
from textual.strip import Strip

from tui_latent.map_frame import settle_frame
from tui_latent.runs.schema import LatentMap
from tui_latent.tui.charts.canvas import NO_COLOR, Canvas, packed
from tui_latent.tui.charts.raster import map_cells
from tui_latent.tui.charts.scatter import class_coloring


def map_strips(
    shown: LatentMap, width: int, height: int, *, colored: bool, dark: bool
) -> list[Strip]:
    """Draw a map on `width` x `height` cells; without colour, a class is a character.

    `dark` chooses the colours for a dark background, otherwise for a light one.
    """
    canvas = Canvas(width, height)
    frame = settle_frame(shown.points)
    if frame is not None:
        coloring = class_coloring(np.asarray(shown.labels, np.int64), shown.class_names)
        cells = map_cells(shown.points, coloring.values, frame, width, height)
        values = cells.classes.tolist()
        marks = cells.marks if colored else map(coloring.glyph, values)
        colors = [packed(coloring.color(each, dark)) if colored else NO_COLOR for each in values]
        codes = np.fromiter(map(ord, marks), np.int32, len(values))
        canvas.put(height - 1 - cells.rows, cells.columns, codes, np.array(colors, np.int32))
    return canvas.strips()
