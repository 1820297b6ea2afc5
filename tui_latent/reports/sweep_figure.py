"""A sweep as one page: what may be said, the settings ranked, heat maps, the best maps."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure

from tui_latent.compared_maps import ComparedMap
from tui_latent.differing_settings import setting_text
from tui_latent.reports.page import GAP, INDENT, LINE_HEIGHT, MARGIN, Box, Page, foot_height
from tui_latent.reports.page import TITLE_HEIGHT as TITLE
from tui_latent.reports.panels.comparison import draw_maps, maps_height
from tui_latent.reports.panels.table import Cell, Column, draw_table, table_height
from tui_latent.reports.style import BODY, FAILURE, FAINT, HEADLINE, WIDTH, series_paint
from tui_latent.reports.text import wrap
from tui_latent.reports.wording import number
from tui_latent.runs.metric_specs import spec_of
from tui_latent.sweeps.axes import listed_axes, values_of
from tui_latent.sweeps.groups import Group, is_higher_better, nothing_drawn
from tui_latent.sweeps.reading import SweepSnapshot

_HEAD: Final = 0.75
_MOST_ROWS: Final = 30
"""settings in the table"""
_HEAT: Final = 3.2
_HEATS_IN_ROW: Final = 3
_LONGEST: Final = 36
"""characters of a map's title that fit above four maps in a row"""


def draw_sweep(
    sweep: SweepSnapshot,
    metric: str,
    groups: Sequence[Group],
    verdict: str,
    maps: Sequence[tuple[Group, ComparedMap]],
) -> Figure:
    """Draw a sweep's page."""
    width = WIDTH - 2 * MARGIN
    words = wrap(verdict.split(), width, BODY)
    shown = [group for group in groups if group.spread.count][:_MOST_ROWS]
    pairs = list(itertools.combinations(listed_axes(sweep, shown), 2))
    heat_rows = -(-len(pairs) // _HEATS_IN_ROW)
    command = wrap(sweep.manifest.command.split(), width - INDENT, BODY)
    aligned = [compared for _, compared in maps]
    heights = [
        _HEAD + len(words) * LINE_HEIGHT,
        TITLE + table_height(max(len(shown), 1)),
        *([heat_rows * (_HEAT + GAP)] if pairs else []),
        *([TITLE + maps_height(aligned, width)] if maps else []),
        foot_height(len(command)),
    ]
    page = Page(2 * MARGIN + sum(heights) + (len(heights) - 1) * GAP)
    tops = [MARGIN + sum(heights[:i]) + i * GAP for i in range(len(heights))]
    boxes = [Box(MARGIN, top, width, tall) for top, tall in zip(tops, heights, strict=True)]
    _draw_head(page, boxes[0], sweep, words)
    _draw_settings(page, boxes[1], metric, groups, shown)
    rest = boxes[2:]
    if pairs:
        _draw_heats(page, rest.pop(0), metric, shown, pairs)
    if maps:
        labels, note = [group.label for group, _ in maps], ""
        if any(len(label) > _LONGEST for label in labels):  # cut, they would not differ
            labels = [group.short_label for group, _ in maps]
            note = f" · by {' · '.join(maps[0][0].short_keys)}"
        inner = page.title(rest[0], "Maps", f"the best run of the best settings, aligned{note}")
        draw_maps(page, inner, aligned, labels, [series_paint(0)] * len(maps))
        rest.pop(0)
    page.foot(rest[0], [("reproduce", command)])
    return page.figure


def _draw_head(page: Page, box: Box, sweep: SweepSnapshot, words: Sequence[str]) -> None:
    page.text(box.left, box.top + 0.24, f"Sweep {sweep.name}", HEADLINE, weight="bold")
    done, failed = sweep.count("finished"), sweep.count("failed", "interrupted", "unreadable")
    parts = [f"{sweep.manifest.preset}", f"{done} of {len(sweep.rows)} runs finished"]
    page.text(box.left, box.top + 0.52, " · ".join(parts), color=FAINT)
    if failed:
        where = box.left + box.width
        page.text(where, box.top + 0.52, f"{failed} failed", color=FAILURE, ha="right")
    for row, line in enumerate(words):
        page.text(box.left, box.top + _HEAD + 0.05 + row * LINE_HEIGHT, line, weight="bold")


def _draw_settings(
    page: Page, box: Box, metric: str, groups: Sequence[Group], shown: Sequence[Group]
) -> None:
    """Draw the settings as a table, and beside it each run's value on one scale."""
    spec = spec_of(metric)
    left_out = len(groups) - len(shown)
    seeded = any(group.spread.count > 1 for group in shown)
    note = f"mean {spec.short} over seeds" if seeded else spec.short
    note += f"; {left_out} more in the CSV" if left_out and shown else ""
    inner = page.title(box, "Settings", note)
    if not shown:
        page.message(inner, nothing_drawn(groups))
        return
    table = inner.width * 0.62
    widths = [0.42, 0.08, 0.13, 0.12, 0.25] if seeded else [0.8, 0.2]
    lefts = [sum(widths[:i]) * table for i in range(len(widths))]
    columns = [
        Column(left, share * table, right=place > 0)
        for place, (left, share) in enumerate(zip(lefts, widths, strict=True))
    ]
    named = ("", "seeds", f"mean {spec.short}", "sd", "minus best (95 %)")
    titles = [Cell(title) for title in (named if seeded else ("", spec.short))]
    rows = [_cells(group, place == 0, seeded) for place, group in enumerate(shown)]
    draw_table(page, Box(inner.left, inner.top, table, inner.height), columns, titles, rows)
    _draw_spread(page, inner, table, shown)


def _cells(group: Group, first: bool, seeded: bool) -> list[Cell]:
    interval = ""
    if group.difference is not None:
        low, high = (f"{end:+.3f}".replace("-", "−") for end in group.difference)
        interval = f"{low} to {high}"
    sd = "" if group.spread.deviation is None else number(group.spread.deviation)
    bold: dict[str, Any] = {"weight": "bold"} if first else {}
    mean = number(group.value)
    if not seeded:
        return [Cell(group.label, bold), Cell(mean, bold)]
    return [
        Cell(group.label, bold),
        Cell(str(group.spread.count)),
        Cell(mean, bold),
        Cell(sd),
        Cell(interval),
    ]


def _draw_spread(page: Page, box: Box, table: float, shown: Sequence[Group]) -> None:
    row = (table_height(len(shown)) - 0.1) / (len(shown) + 1)
    place = Box(box.left + table + 0.3, box.top + row, box.width - table - 0.4, row * len(shown))
    axes = page.axes(place)
    for at, group in enumerate(shown):
        values = group.spread.values
        axes.plot([min(values), max(values)], [at, at], color=FAINT, linewidth=1.2)
        axes.plot(values, [at] * len(values), "o", color=series_paint(0), markersize=4, alpha=0.5)
        axes.plot([group.spread.mean], [at], "|", color="black", markersize=11, mew=2)
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.set_yticks([])
    axes.xaxis.tick_top()
    axes.set_title("")


def _draw_heats(
    page: Page,
    box: Box,
    metric: str,
    groups: Sequence[Group],
    pairs: Sequence[tuple[str, str]],
) -> None:
    width = (box.width - (_HEATS_IN_ROW - 1) * GAP) / _HEATS_IN_ROW
    for index, (down, across) in enumerate(pairs):
        row, column = divmod(index, _HEATS_IN_ROW)
        left, top = box.left + column * (width + GAP), box.top + row * (_HEAT + GAP)
        names = [key.rpartition(".")[2] for key in (down, across)]
        title = f"Mean {spec_of(metric).short}: {names[0]} by {names[1]}"
        _draw_heat(
            page, page.title(Box(left, top, width, _HEAT), title), metric, groups, down, across
        )


def _draw_heat(
    page: Page, box: Box, metric: str, groups: Sequence[Group], down: str, across: str
) -> None:
    rows, columns = values_of(groups, down), values_of(groups, across)
    means = np.full((len(rows), len(columns)), math.nan)
    for (i, row), (j, at) in itertools.product(enumerate(rows), enumerate(columns)):
        found = [
            value
            for group in groups
            if group.values.get(down) == row and group.values.get(across) == at
            for value in group.spread.values
        ]
        if found:
            means[i, j] = math.fsum(found) / len(found)
    axes = page.axes(Box(box.left + 0.9, box.top, box.width - 1.0, box.height - 0.35))
    axes.grid(visible=False)
    colors = "viridis" if is_higher_better(metric) else "viridis_r"
    image = axes.imshow(means, aspect="auto", cmap=colors)
    for i, j in itertools.product(range(len(rows)), range(len(columns))):
        if math.isfinite(means[i, j]):
            red, green, blue, _ = image.cmap(image.norm(means[i, j]))
            dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
            ink = "white" if dark else "black"
            axes.text(j, i, number(means[i, j]), ha="center", va="center", color=ink, fontsize=BODY)
    axes.set_xticks(range(len(columns)), [setting_text(value) for value in columns])
    axes.set_yticks(range(len(rows)), [setting_text(value) for value in rows])
