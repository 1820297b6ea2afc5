"""Cells drawn by plotext and turned into finished strips, once per change.

plotext keeps one figure for the whole process: call these from the drawing thread only.
Places are given in cells, so that plotext puts each character exactly where it was reduced
to, and axes carry the labels they are given.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui_latent.palettes import RGB, ink_on
from tui_latent.tui.charts.canvas import overlay
from tui_latent.tui.charts.raster import Cells

_ESCAPE: Final = re.compile(r"\x1b\[([0-9;]*)m")
_BOLD: Final = 1
_AXIS: Final = Style(dim=True)
_PLAIN: Final = "bold"
"""plotext's style for uncoloured data: it distinguishes data from axes, and is not drawn bold"""
_TAG_CELLS: Final = 16
"""a longer name on the map is cut"""
_TAG_SHARE: Final = 6
"""the tags of a map cover at most this part of it"""
_SHIFTS: Final = sorted(
    ((down, across) for down in range(-3, 4) for across in (0, -1, 1, -2, 2)),
    key=lambda shift: (2 * abs(shift[0]) + 3 * abs(shift[1]), shift[0] < 0),
)
"""rows and half widths by which a tag may be moved, the smallest shifts first"""


@dataclass(frozen=True, eq=False)
class Layer:
    """One series of a plot; a later layer covers an earlier one."""

    cells: Cells
    colors: RGB | Sequence[RGB] | None
    """one for all cells, one each, or the text's"""
    dim: bool = False
    """draw the text's colour dimly; a colour of its own is not changed"""


@dataclass(frozen=True)
class Axis:
    """Where an axis has ticks, in cells from its start, and what they say."""

    places: tuple[int, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Tag:
    """A name laid over a plot, centred on a cell."""

    column: int
    row: int
    text: str
    color: RGB | None
    """None swaps the text's and the background's"""


def canvas_size(width: int, height: int, x: Axis | None, y: Axis | None) -> tuple[int, int]:
    """Return the columns and rows that a plot of `width` x `height` leaves to its data."""
    labels = max((len(label) for label in y.labels), default=0) + 1 if y else 0
    return width - labels, height - (2 if x else 0)


def draw_plot(
    layers: Sequence[Layer], width: int, height: int, x: Axis | None = None, y: Axis | None = None
) -> list[Strip]:
    """Draw layers with axes at the bottom and left as `height` strips of `width` cells.

    Columns and rows of the layers and axes count within `canvas_size`; a canvas smaller
    than 2x2 stays blank.
    """
    columns, rows = canvas_size(width, height, x, y)
    if columns < 2 or rows < 2:
        return [Strip.blank(width)] * max(height, 0)
    # Importing it takes 70 ms, which would delay the first frame.
    import plotext

    plotext.clear_figure()
    plotext.limit_size(False, False)
    plotext.plot_size(width, height)
    for name in ("canvas_color", "axes_color", "ticks_color"):
        getattr(plotext, name)("default")
    plotext.xlim(0, columns - 1)
    plotext.ylim(0, rows - 1)
    plotext.xaxes(x is not None, False)
    plotext.yaxes(y is not None, False)
    plotext.xticks(list(x.places), list(x.labels)) if x else plotext.xfrequency(0)
    plotext.yticks(list(y.places), list(y.labels)) if y else plotext.yfrequency(0)
    for layer in layers:
        colors = layer.colors
        plain = {"color": "default", "style": "dim" if layer.dim else _PLAIN}
        plotext.scatter(
            layer.cells.columns.tolist(),
            layer.cells.rows.tolist(),
            marker=list(layer.cells.marks),
            **(plain if colors is None else {"color": colors}),
        )
    return strips_of(plotext.build(), width, height)


def strips_of(text: str, width: int, height: int) -> list[Strip]:
    """Parse plotext's output into `height` strips of `width` cells."""
    strips = []
    for line in text.split("\n")[:height]:
        segments, style = [], _AXIS
        for index, part in enumerate(_ESCAPE.split(line)):
            if index % 2:
                style = _style(part)
            elif part:
                segments.append(Segment(part, style))
        strips.append(Strip(segments).adjust_cell_length(width))
    return strips + [Strip.blank(width)] * (height - len(strips))


def lay_tags(
    strips: Sequence[Strip], tags: Sequence[Tag], left: int, columns: int, rows: int
) -> list[Strip]:
    """Lay tags over the canvas of `columns` x `rows` that begins `left` cells in.

    A tag goes to the free place nearest to its own, with a blank cell between two tags. It is
    left out where none is near, or once the tags cover a sixth of the canvas.
    """
    result = list(strips)
    taken: list[tuple[int, int, int]] = []
    room = max(columns * rows // _TAG_SHARE, _TAG_CELLS)
    for tag in tags:
        name = tag.text.replace("\n", " ") or " "
        text = set_cell_size(name, min(cell_len(name), _TAG_CELLS, columns))
        size = cell_len(text)
        room -= size
        if room < 0:
            break
        place = _free_place(tag, size, taken, columns, rows)
        if place is not None:
            row, start = place
            taken.append((row, start, start + size))
            over = Strip([Segment(text, _tag_style(tag.color))])
            result[rows - 1 - row] = overlay(result[rows - 1 - row], left + start, over)
    return result


def _free_place(
    tag: Tag, size: int, taken: Sequence[tuple[int, int, int]], columns: int, rows: int
) -> tuple[int, int] | None:
    """Return the (row, first column) nearest to a tag that no other needs; None if none is near."""
    for down, across in _SHIFTS:
        row = tag.row + down
        start = min(max(tag.column - size // 2 + across * (size + 1) // 2, 0), columns - size)
        free = all(row != r or start > end or start + size < s for r, s, end in taken)
        if free and 0 <= row < rows:
            return row, start
    return None


@lru_cache(maxsize=256)
def _style(codes: str) -> Style:
    """Turn the codes plotext writes into a style: its colours are `38;2;r;g;b`."""
    numbers = [int(code) for code in codes.split(";") if code]
    if numbers[:2] == [38, 2] and len(numbers) >= 5:
        return Style(color=Color.from_rgb(*numbers[2:5]))
    return Style() if numbers == [_BOLD] else _AXIS


@lru_cache(maxsize=256)
def _tag_style(color: RGB | None) -> Style:
    if color is None:
        return Style(bold=True, reverse=True)
    ink = Color.from_rgb(*ink_on(color))
    return Style(color=ink, bgcolor=Color.from_rgb(*color), bold=True)
