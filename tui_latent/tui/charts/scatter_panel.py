"""The latent space as a map: held-out images as dots, coloured by class, in a stable frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from textwrap import wrap
from typing import Final

import numpy as np
from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui_latent.palettes import CLASS_COLORS, class_color, class_glyph
from tui_latent.runs.schema import LatentMap
from tui_latent.tui.charts.axes import step_axis, value_axis
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.charts.panel import ChartPanel, Drawing
from tui_latent.tui.charts.plotext_plot import Axis, Layer, Tag, canvas_size, draw_plot, lay_tags
from tui_latent.tui.charts.raster import Cells, Frame, finite_points, map_cells, settle_frame
from tui_latent.tui.format import clip

_NAME: Final = 12
"""cells of a class name in the legend"""
_LEGEND_LINES: Final = 2


class ScatterPanel(ChartPanel):
    """Shows the newest map; draws it again only when it, the size or the colours change."""

    def __init__(self, drawer: WorkerThread) -> None:
        super().__init__(drawer, "map")
        self._map: LatentMap | None = None
        self._hint = ""
        self._frame: Frame | None = None  # the drawing thread's alone

    def show(self, latent_map: LatentMap | None, hint: str) -> None:
        """Show a map, or say in `hint` when one will come."""
        if latent_map is not self._map or (latent_map is None and hint != self._hint):
            self._map, self._hint = latent_map, hint
            self.redraw()

    def plan(self, width: int, height: int) -> Callable[[], Drawing]:
        """Reduce and draw the map held now."""
        latent_map, hint = self._map, self._hint
        if latent_map is None:
            return lambda: Drawing(message_strips(hint, width, height), ("Latent map",))
        colored = not self.app.no_color

        def draw() -> Drawing:
            self._frame = settle_frame(latent_map.points, self._frame)
            return draw_map(latent_map, self._frame, width, height, colored)

        return draw


def draw_map(
    latent_map: LatentMap, frame: Frame | None, width: int, height: int, colored: bool
) -> Drawing:
    """Draw a map with its legend.

    Without colour, or with more classes than colours, each class is a character and no dots.
    """
    glyphs = not colored or len(latent_map.class_names) > len(CLASS_COLORS)
    legend = legend_strips(latent_map.class_names, width, _LEGEND_LINES, glyphs, colored)
    legend = legend if height >= 10 else []
    rows = height - len(legend)
    count = len(latent_map.points)
    if frame is None:
        hint = "No point of this map is a finite number: the training has diverged."
        return Drawing(message_strips(hint, width, height), _titles(latent_map, count))
    x: Axis | None = None
    y: Axis | None = None
    if width >= 60 and rows >= 20:
        x, y = Axis((), ()), value_axis(0.0, 1.0, rows)
    columns, lines = canvas_size(width, rows, x, y)
    view = frame.fitted(columns, lines)
    if x and y:
        x = step_axis(view.left, view.right, columns)
        y = value_axis(view.bottom, view.top, lines)
    cells = map_cells(latent_map.points, latent_map.labels, view, columns, lines)
    classes = cells.classes.tolist()
    marks = tuple(class_glyph(c) for c in classes) if glyphs else cells.marks
    colors = [class_color(c) for c in classes] if colored else None
    layer = Layer(Cells(cells.columns, cells.rows, marks), colors)
    strips = draw_plot([layer], width, rows, x, y)
    tags = _class_tags(latent_map, view, columns, lines, colored)
    strips = lay_tags(strips, tags, width - columns, columns, lines)
    return Drawing([*strips, *legend], _titles(latent_map, cells.hidden))


def _class_tags(
    latent_map: LatentMap, view: Frame, columns: int, rows: int, colored: bool
) -> list[Tag]:
    """Name each class at the median of its points, the largest class first."""
    points = np.asarray(latent_map.points, dtype=np.float64)
    seen = finite_points(points)
    points, labels = points[seen], latent_map.labels[seen]
    classes, counts = np.unique(labels, return_counts=True)
    tags = []
    for index in classes[np.argsort(-counts, kind="stable")].tolist():
        x, y = np.median(points[labels == index], axis=0).tolist()
        column = round((x - view.left) / (view.right - view.left) * (columns - 1))
        row = round((y - view.bottom) / (view.top - view.bottom) * (rows - 1))
        color = class_color(index) if colored else None
        tags.append(Tag(column, row, _class_name(latent_map, index), color))
    return tags


def _class_name(latent_map: LatentMap, index: int) -> str:
    names = latent_map.class_names
    return names[index] if 0 <= index < len(names) else str(index)


def _titles(latent_map: LatentMap, hidden: int) -> tuple[str, ...]:
    count = len(latent_map.points)
    share = 100 * hidden / max(count, 1)
    text = f"{share:.0f}" if share >= 1 or not hidden else "<1"
    way = f" · {latent_map.projection}" if latent_map.projection != "native" else ""
    step = f"step {latent_map.step:,}"
    return (
        f"Latent map{way} · {step} · {count:,} held-out images · {text} % hidden",
        f"Latent map{way} · {step} · {count:,} images · {text} % hidden",
        f"Map{way} · {step} · {count:,} · {text} % hidden",
        f"Map · {step} · {text} % hidden",
        f"Map · {step}",
    )


def legend_strips(
    names: Sequence[str], width: int, lines: int, glyphs: bool, colored: bool
) -> list[Strip]:
    """Write the classes with their colours in at most `lines` lines; say how many are left out."""
    items = [clip(name, _NAME) for name in names]
    sizes = [cell_len(item) for item in items]
    gap = 2 if sum(sizes) + 4 * len(sizes) - 2 <= width else 1
    first = 2 if glyphs else gap
    rows: list[list[Segment]] = [[]]
    used = 0
    for index, (item, size) in enumerate(zip(items, sizes, strict=True)):
        rest = f"… {len(items) - index} more"
        last_line = len(rows) == lines
        reserved = len(rest) + gap if last_line and index + 1 < len(items) else 0
        if used + first + size + reserved > width:
            if last_line:
                rows[-1].append(Segment(rest, Style(dim=True)))
                break
            rows.append([])
            used = 0
        mark = class_glyph(index) if glyphs else "●"
        style = Style(color=Color.from_rgb(*class_color(index))) if colored else Style()
        rows[-1] += [Segment(f"{mark:<{first}}", style), Segment(item + " " * gap)]
        used += first + size + gap
    return [Strip(row).adjust_cell_length(width) for row in rows if row]


def message_strips(text: str, width: int, height: int) -> list[Strip]:
    """Centre a sentence in an empty panel, wrapped at words."""
    lines: list[str] = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}".strip()
        if cell_len(joined) > max(width - 4, 8) and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = joined
    above = [Strip.blank(width)] * max((height - len(lines)) // 2, 0)
    body = [Strip([Segment(_centred(line, width), Style(dim=True))]) for line in lines]
    return [*above, *body][:height]


def note_strips(text: str, width: int) -> list[Strip]:
    """Write a sentence dimly, wrapped at words, in as many lines as it takes."""
    lines = wrap(text, max(width - 1, 8))
    return [
        Strip([Segment(f" {line}", Style(dim=True))]).adjust_cell_length(width) for line in lines
    ]


def _centred(line: str, width: int) -> str:
    return " " * max((width - cell_len(line)) // 2, 0) + line
