"""All runs as lines across their settings: parallel coordinates in braille dots."""

from __future__ import annotations

import math
from typing import Any, Final

from textual.content import Content

from tui_latent.differing_settings import setting_text
from tui_latent.number_format import short_number
from tui_latent.palettes import RGB, css_color, palette
from tui_latent.runs.metric_specs import spec_of
from tui_latent.sweeps.axes import varied
from tui_latent.tui.format import clip, column
from tui_latent.tui.screens.sweep.view import SweepView

_BRAILLE: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""bit of each dot, by row and column within a cell"""
_LOG: Final = 30.0
"""ratio of the largest to the smallest value above which an axis is logarithmic"""


def parallel_lines(
    view: SweepView, size: tuple[int, int], colored: bool, dark: bool
) -> list[Content]:
    """Draw a line for each group through its settings to its value, the best ones on top."""
    groups = [group for group in view.groups if group.spread.count]
    keys = varied(view.sweep)
    axes = [_Axis([group.values.get(key) for group in groups]) for key in keys]
    axes.append(_Axis([group.spread.mean for group in groups], factors=False))
    width, height = size[0], max(4, size[1] - 3)
    at = [round(place * (2 * width - 1) / (len(axes) - 1)) for place in range(len(axes))]
    cells: dict[tuple[int, int], int] = {}
    colors: dict[tuple[int, int], RGB] = {}
    ramp = palette(dark).ramp
    ranked = list(enumerate(groups))
    for rank, _ in reversed(ranked):  # the best is drawn last
        share = rank / max(len(groups) - 1, 1)
        color = ramp[min(4, int(5 * (1 - share)))]
        heights = [round((1 - axis.places[rank]) * (4 * height - 1)) for axis in axes]
        for (x, y), (x1, y1) in zip(
            zip(at, heights, strict=True), zip(at[1:], heights[1:], strict=True), strict=False
        ):
            for dot in range(x, x1 + 1):
                row = round(y + (y1 - y) * (dot - x) / max(x1 - x, 1))
                cell = dot // 2, row // 4
                cells[cell] = cells.get(cell, 0) | _BRAILLE[row % 4][dot % 2]
                colors[cell] = color
    names = [key.rpartition(".")[2] for key in keys] + [spec_of(view.metric).short]
    lines = [_along(names, width), _along([axis.top for axis in axes], width)]
    for y in range(height):
        parts: list[Any] = []
        for x in range(width):
            if (dots := cells.get((x, y))) is None:
                parts.append(("│", "dim") if x in {place // 2 for place in at} else " ")
            else:
                style = css_color(colors[x, y]) if colored else ""
                parts.append((chr(0x2800 + dots), style))
        lines.append(Content.assemble(*parts))
    return [*lines, _along([axis.bottom for axis in axes], width)]


def _along(texts: list[str], width: int) -> Content:
    """Write texts under one another's axes: the first to the left, the last to the right."""
    room = max(3, width // max(len(texts), 1) - 1)
    cells = [" "] * width
    for place, text in enumerate(texts):
        text = clip(text, room)
        middle = round(place * (width - 1) / max(len(texts) - 1, 1))
        first = min(max(0, middle - len(text) // 2), width - len(text))
        cells[first : first + len(text)] = text
    return Content.styled(column("".join(cells), width), "dim")


class _Axis:
    """Places of values on one axis, 0 at its foot to 1."""

    def __init__(self, values: list[Any], factors: bool = True) -> None:
        numbers = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)
        if not numbers:
            order = list(dict.fromkeys(map(setting_text, values)))
            last = max(len(order) - 1, 1)
            self.places = [order.index(setting_text(value)) / last for value in values]
            self.bottom, self.top = order[0], order[-1] if len(order) > 1 else ""
            return
        low, high = min(values), max(values)
        if factors and low > 0 and high / low >= _LOG:
            scaled = [math.log(value) for value in values]
        else:
            scaled = [float(value) for value in values]
        foot, size = min(scaled), max(scaled) - min(scaled)
        self.places = [(v - foot) / size if size > 0 else 0.5 for v in scaled]
        written = setting_text if factors else short_number
        self.bottom, self.top = written(low), written(high)
