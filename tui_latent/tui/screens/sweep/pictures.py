"""Pictures of a sweep in text: a heat map of two settings, the spread over seeds, and all runs
as lines across their settings."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, Final

from textual.content import Content

from tui_latent.differing_settings import setting_text
from tui_latent.number_format import short_number
from tui_latent.palettes import RAMP_GLYPHS, css_color, ink_on, palette
from tui_latent.runs.metric_specs import spec_of
from tui_latent.sweeps.axes import listed_axes, values_of, varied
from tui_latent.sweeps.groups import Group, nothing_drawn
from tui_latent.tui.format import clip, column
from tui_latent.tui.screens.sweep.parallel import parallel_lines
from tui_latent.tui.screens.sweep.view import SweepView

SPREAD: Final = ("spread",)
PARALLEL: Final = ("parallel",)
Picture = tuple[str, ...]
"""`spread`, `parallel`, or the keys of the two settings of a heat map"""
_LABEL: Final = 24


def pictures_of(view: SweepView) -> list[Picture]:
    """Return the pictures that a sweep has, the most telling first."""
    pairs: list[Picture] = list(itertools.combinations(listed_axes(view.sweep, view.groups), 2))
    if len(varied(view.sweep)) < 2:
        return [SPREAD]
    return [*pairs, PARALLEL, SPREAD]


def title_of(picture: Picture, view: SweepView) -> str:
    """Return the title of a picture."""
    short = spec_of(view.metric).short
    if picture == SPREAD:
        return f"{short}: mean and range of the seeds" if _seeded(view) else short
    if picture == PARALLEL:
        return f"{short} across all settings"
    down, across = (key.rpartition(".")[2] for key in picture)
    return f"Mean {short} · {down} by {across}"


def picture_lines(
    picture: Picture, view: SweepView, size: tuple[int, int], colored: bool, dark: bool
) -> list[Content]:
    """Draw a picture in `size` (columns, rows) cells."""
    if not any(group.spread.count for group in view.groups):
        return [Content.styled(nothing_drawn(view.groups), "dim")]
    if picture == SPREAD:
        return _spread_lines(view, size[0])
    if picture == PARALLEL:
        return parallel_lines(view, size, colored, dark)
    return _heat_lines(picture, view, size[0], colored, dark)


def _seeded(view: SweepView) -> bool:
    return any(group.spread.count > 1 for group in view.groups)


def level(value: float, values: Sequence[float], higher: bool) -> int:
    """Return the level of a value on the ramp, 4 for the best of `values`."""
    low, high = min(values), max(values)
    share = (value - low) / (high - low) if high > low else 1.0
    return min(4, int(5 * (share if higher else 1 - share)))


def _heat_lines(
    keys: Picture, view: SweepView, width: int, colored: bool, dark: bool
) -> list[Content]:
    down, across = keys
    cells: dict[tuple[str, str], list[float]] = {}
    for group in view.groups:
        if group.spread.count and down in group.values and across in group.values:
            place = repr(group.values[down]), repr(group.values[across])
            cells.setdefault(place, []).extend(group.spread.values)
    means = {place: math.fsum(values) / len(values) for place, values in cells.items()}
    rows, columns = values_of(view.groups, down), values_of(view.groups, across)
    label = min(max(len(setting_text(value)) for value in (*rows, down.rpartition(".")[2])), 14)
    size = max(6, min(10, (width - label - 1) // max(len(columns), 1)))
    head = [(column(down.rpartition(".")[2], label) + " ", "dim")]
    head += [(column(setting_text(v), size - 1, right=True) + " ", "dim") for v in columns]
    lines = [Content.assemble(*head)]
    ramp = palette(dark).ramp
    for row in rows:
        parts: list[Any] = [(column(setting_text(row), label, right=True) + " ", "dim")]
        for at in columns:
            mean = means.get((repr(row), repr(at)))
            if mean is None:
                parts.append((column("–", size - 1, right=True) + " ", "dim"))
                continue
            step = level(mean, list(means.values()), view.higher)
            text = short_number(mean)
            if colored:
                color = ramp[step]
                style = f"{css_color(ink_on(color))} on {css_color(color)}"
                parts.append((column(text, size - 1, right=True) + " ", style))
            else:
                air = " " * (len(text) < size - 2)
                parts.append(column(f"{RAMP_GLYPHS[step]}{air}{text}", size - 1, right=True) + " ")
        lines.append(Content.assemble(*parts))
    counts = {len(values) for values in cells.values()}
    least, most = min(counts), max(counts)
    of = f"{least}" if least == most else f"{least} to {most}"
    plural = "" if most == 1 else "s"
    lines.append(Content.styled(f"{'':{label}} each: mean of {of} run{plural}", "dim"))
    return lines


def _spread_lines(view: SweepView, width: int) -> list[Content]:
    known = [group for group in view.groups if group.spread.count]
    values = [value for group in known for value in group.spread.values]
    low, high = min(values), max(values)
    most, head = min(_LABEL, max(8, width // 3)), []
    labels = [group.label for group in known]
    if max(map(len, labels)) > most:  # cut, they would not differ
        head = [Content.styled(clip(" · ".join(known[0].short_keys), width), "dim")]
        labels = [group.short_label for group in known]
    label = min(max(map(len, labels)), most)
    room = max(10, width - label - 10)
    named = zip(known, labels, strict=True)
    lines = [_spread_line(group, name, label, room, low, high) for group, name in named]
    scale = f"{short_number(low)}{short_number(high):>{room - len(short_number(low))}}"
    return [*head, *lines, Content.styled(f"{'':{label + 1}}{scale}", "dim")]


def _spread_line(group: Group, label: str, cut: int, room: int, low: float, high: float) -> Content:
    def place(value: float) -> int:
        share = (value - low) / (high - low) if high > low else 0.5
        return min(room - 1, max(0, round(share * (room - 1))))

    values = group.spread.values
    cells = [" "] * room
    first, last = place(min(values)), place(max(values))
    for cell in range(first, last + 1):
        cells[cell] = "─"
    if last > first:
        cells[first], cells[last] = "├", "┤"
    cells[place(group.spread.mean)] = "●"
    name = column(clip(label, cut), cut)
    return Content.assemble(
        (f"{name} ", "dim"), "".join(cells), f" {short_number(group.spread.mean)}"
    )
