"""A comparison as one page: runs, curves, numbers, settings, maps, footer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from matplotlib.figure import Figure

from tui_latent.analysis.paired_runs import PairedRun
from tui_latent.analysis.paired_words import all_paired_sentences
from tui_latent.comparison import Comparison
from tui_latent.palettes import run_colors
from tui_latent.reports.page import GAP, INDENT, LINE_HEIGHT, MARGIN, Box, Page, foot_height
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
from tui_latent.reports.style import BODY, HEADLINE, WIDTH, paint
from tui_latent.reports.text import wrap
from tui_latent.reports.wording import UNKNOWN
from tui_latent.verdict.comparing import comparison_line

_HEADLINE: Final = 0.45
_BESIDE: Final = 2
"""largest number of runs for which both tables fit side by side"""


def draw_comparison(shown: Comparison, paired: Sequence[PairedRun] = ()) -> Figure:
    """Draw a comparison's page; `paired` compares each run but the first with the first."""
    width = WIDTH - 2 * MARGIN
    colors = run_colors((run.name for run in shown.runs), dark=False)
    paints = [paint(colors[run.name]) for run in shown.runs]
    beside = len(shown.runs) <= _BESIDE
    tables = [numbers_height(shown), settings_height(shown)]
    verdict = comparison_line(shown)
    common = all_paired_sentences(shown, paired) if paired else []
    notes = [*([verdict] if verdict else []), *common, *shown.notes]
    notes = [line for note in notes for line in wrap(note.split(), width, BODY)]
    commands = _command_lines(shown, width - INDENT)
    heights = [
        _HEADLINE + runs_height(shown) + len(notes) * LINE_HEIGHT,
        charts_height(shown),
        maps_height(shown.maps, width),
        max(tables) if beside else sum(tables) + GAP,
        foot_height(len(commands)),
    ]
    page = Page(2 * MARGIN + sum(heights) + (len(heights) - 1) * GAP)
    tops = [MARGIN + sum(heights[:i]) + i * GAP for i in range(len(heights))]
    boxes = [Box(MARGIN, top, width, tall) for top, tall in zip(tops, heights, strict=True)]
    head, charts, maps, numbers, foot = boxes
    _draw_head(page, head, shown, notes, paints)
    draw_charts(page, charts, shown, paints)
    draw_maps(page, maps, shown.maps, shown.labels, paints)
    if beside:
        half = (width - GAP) / 2
        draw_numbers(page, Box(MARGIN, numbers.top, half, tables[0]), shown, paints)
        settings = Box(MARGIN + half + GAP, numbers.top, half, tables[1])
    else:
        draw_numbers(page, Box(MARGIN, numbers.top, width, tables[0]), shown, paints)
        settings = Box(MARGIN, numbers.top + tables[0] + GAP, width, tables[1])
    draw_settings(page, settings, shown, paints)
    page.foot(foot, [("reproduce", commands)])
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


def _command_lines(shown: Comparison, width: float) -> list[str]:
    commands = [about_run(run).command or UNKNOWN for run in shown.runs]
    return [line for command in commands for line in wrap(command.split(" "), width, BODY)]
