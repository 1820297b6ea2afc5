"""A comparison as one page: runs, curves, numbers, settings, maps, foot."""

from __future__ import annotations

from typing import Final

from matplotlib.figure import Figure

from tui_latent.comparison import Comparison
from tui_latent.palettes import run_colors
from tui_latent.reports.page import LINE_HEIGHT, Box, Page
from tui_latent.reports.panels.comparison import (
    charts_height,
    draw_charts,
    draw_maps,
    draw_numbers,
    draw_runs,
    draw_settings,
    maps_height,
    numbers_height,
    runs_height,
    settings_height,
)
from tui_latent.reports.run_summary import about_run
from tui_latent.reports.style import AXIS, BODY, FAINT, HEADLINE, WIDTH, paint
from tui_latent.reports.text import wrap
from tui_latent.reports.wording import UNKNOWN

_MARGIN: Final = 0.4
_GAP: Final = 0.3
_HEADLINE: Final = 0.45
_INDENT: Final = 1.0
_BESIDE: Final = 2
"""runs up to which both tables fit side by side"""


def draw_comparison(shown: Comparison) -> Figure:
    """Draw a comparison's page."""
    width = WIDTH - 2 * _MARGIN
    colors = run_colors(run.name for run in shown.runs)
    paints = [paint(colors[run.name]) for run in shown.runs]
    beside = len(shown.runs) <= _BESIDE
    tables = [numbers_height(shown), settings_height(shown)]
    notes = [line for note in shown.notes for line in wrap(note.split(), width, BODY)]
    commands = _command_lines(shown, width - _INDENT)
    heights = [
        _HEADLINE + runs_height(shown) + len(notes) * LINE_HEIGHT,
        charts_height(shown),
        maps_height(shown, width),
        max(tables) if beside else sum(tables) + _GAP,
        0.3 + len(commands) * LINE_HEIGHT,
    ]
    page = Page(2 * _MARGIN + sum(heights) + (len(heights) - 1) * _GAP)
    tops = [_MARGIN + sum(heights[:i]) + i * _GAP for i in range(len(heights))]
    boxes = [Box(_MARGIN, top, width, tall) for top, tall in zip(tops, heights, strict=True)]
    head, charts, maps, numbers, foot = boxes
    _draw_head(page, head, shown, notes, paints)
    draw_charts(page, charts, shown, paints)
    draw_maps(page, maps, shown, paints)
    if beside:
        half = (width - _GAP) / 2
        draw_numbers(page, Box(_MARGIN, numbers.top, half, tables[0]), shown, paints)
        settings = Box(_MARGIN + half + _GAP, numbers.top, half, tables[1])
    else:
        draw_numbers(page, Box(_MARGIN, numbers.top, width, tables[0]), shown, paints)
        settings = Box(_MARGIN, numbers.top + tables[0] + _GAP, width, tables[1])
    draw_settings(page, settings, shown, paints)
    _draw_foot(page, foot, commands)
    return page.figure


def _draw_head(
    page: Page,
    box: Box,
    shown: Comparison,
    notes: list[str],
    paints: list[tuple[float, float, float]],
) -> None:
    title = f"Comparison of {len(shown.runs)} runs"
    page.text(box.left, box.top + 0.24, title, HEADLINE, weight="bold")
    rows = runs_height(shown)
    draw_runs(page, Box(box.left, box.top + _HEADLINE, box.width, rows), shown, paints)
    y = box.top + _HEADLINE + rows + 0.14
    for line in notes:
        page.text(box.left, y, line)
        y += LINE_HEIGHT


def _draw_foot(page: Page, box: Box, commands: list[str]) -> None:
    """Write how to train each of the runs again."""
    axes = page.canvas(Box(box.left, box.top, box.width, 0.14))
    axes.plot([0, box.width], [0, 0], color=AXIS, linewidth=0.8, clip_on=False)
    page.text(box.left, box.top + 0.26, "reproduce", color=FAINT)
    for row, line in enumerate(commands):
        page.text(box.left + _INDENT, box.top + 0.26 + row * LINE_HEIGHT, line)


def _command_lines(shown: Comparison, width: float) -> list[str]:
    commands = [about_run(run).command or UNKNOWN for run in shown.runs]
    return [line for command in commands for line in wrap(command.split(" "), width, BODY)]
