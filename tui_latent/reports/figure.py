"""A report as one page: header, map and curves, images, the method's panels, footer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from matplotlib.figure import Figure

from tui_latent.reports.layouts import (
    LayoutData,
    by_reason,
    draw_rows,
    layout_rows,
    left_out,
    rows_height,
    shown_rows,
)
from tui_latent.reports.numbers import ReportNumbers
from tui_latent.reports.page import GAP, MARGIN, Box, Page
from tui_latent.reports.panels.components import draw_others, others_height
from tui_latent.reports.panels.confusion import draw_confusion
from tui_latent.reports.panels.curves import draw_knn, draw_loss, draw_retrieval
from tui_latent.reports.panels.evaluation import draw_figures
from tui_latent.reports.panels.footer import draw_footing, footing_height
from tui_latent.reports.panels.header import draw_heading, heading_height
from tui_latent.reports.panels.latent_map import draw_map, map_height
from tui_latent.reports.panels.sheets import SHEETS_HEIGHT, draw_neighbours, draw_views
from tui_latent.reports.samples import Samples
from tui_latent.reports.style import WIDTH
from tui_latent.runs.schema import LatentMap

_MAP_WIDTH: Final = 8.6
_VIEWS_WIDTH: Final = 6.6
_LOSS: Final = 2.8
_KNN: Final = 2.5
_LEAST_MIDDLE: Final = 9.5


def draw_report(
    numbers: ReportNumbers,
    latent_map: LatentMap | None,
    samples: Samples,
    findings: dict[str, Any] | None = None,
) -> Figure:
    """Draw a report's page; with `findings` also the method's own panels."""
    width = WIDTH - 2 * MARGIN
    head = heading_height(numbers, width)
    middle = max(map_height(numbers, _MAP_WIDTH), _LEAST_MIDDLE)
    rows = layout_rows(numbers.about.method) if findings is not None else ()
    without = [*_samples_left_out(samples), *left_out(rows, findings or {})]
    beside = beside_map(numbers, findings or {})
    rows = shown_rows(rows, findings or {}, but={"evaluation"} if beside.figures else set())
    own = rows_height(rows)
    sheets = sheets_height(samples)
    foot = footing_height(numbers.about, width, without)
    others = others_height(numbers.others)
    fixed = 2 * MARGIN + middle + GAP + sheets
    page = Page(fixed + head + others + own + foot)

    top = MARGIN
    draw_heading(page, Box(MARGIN, top, width, head), numbers)
    top += head
    draw_map(page, Box(MARGIN, top, _MAP_WIDTH, middle), numbers, latent_map)
    right = MARGIN + _MAP_WIDTH + GAP
    side = WIDTH - MARGIN - right
    _draw_beside(page, Box(right, top, side, middle), beside, numbers, findings or {})
    top += middle + GAP
    _draw_sheets(page, Box(MARGIN, top, width, sheets), samples, numbers)
    top += sheets
    draw_others(page, Box(MARGIN, top, width, others), numbers.others)
    top += others
    facts = LayoutData(numbers, latent_map, findings or {})
    draw_rows(page, Box(MARGIN, top, width, own), rows, facts)
    top += own
    draw_footing(page, Box(MARGIN, top, width, foot), numbers.about, without)
    return page.figure


@dataclass(frozen=True)
class BesideMap:
    """What stands to the right of the map: curves above, and below them what fills the rest."""

    curves: tuple[tuple[float, Callable[[Page, Box, ReportNumbers], None]], ...]
    """inches, and what draws them"""
    confusion: bool
    figures: bool
    """whether the figures of the evaluation stand here"""


def beside_map(numbers: ReportNumbers, findings: dict[str, Any]) -> BesideMap:
    """Choose what there is to show; nothing of classes where there are no labels."""
    own = numbers.about.origin == "trained"
    curves: list[tuple[float, Callable[[Page, Box, ReportNumbers], None]]] = []
    if numbers.loss or own:
        curves.append((_LOSS, draw_loss))
    known = not numbers.unlabelled and (own or bool(numbers.confusion))
    if numbers.knn or (own and known):
        curves.append((_KNN, draw_knn))
    if numbers.retrieval and not numbers.knn:
        curves.append((_KNN, draw_retrieval))
    figures = not known and isinstance(findings.get("evaluation"), dict)
    return BesideMap(tuple(curves), known, figures)


def _draw_beside(
    page: Page, box: Box, beside: BesideMap, numbers: ReportNumbers, findings: dict[str, Any]
) -> None:
    last = not beside.confusion and not beside.figures
    for position, (height, draw) in enumerate(beside.curves):
        tall = box.height if last and position == len(beside.curves) - 1 else height
        draw(page, Box(box.left, box.top, box.width, tall), numbers)
        box = box.below(tall)
    if beside.confusion:
        draw_confusion(page, box, numbers)
    elif beside.figures:
        draw_figures(page, box, "Evaluation", findings["evaluation"], numbers)


def sheets_height(samples: Samples) -> float:
    """Return the height in inches of the images and the gap below them; 0 without images."""
    empty = isinstance(samples.views, str) and isinstance(samples.neighbours, str)
    return 0.0 if empty else SHEETS_HEIGHT + GAP


def _draw_sheets(page: Page, box: Box, samples: Samples, numbers: ReportNumbers) -> None:
    """Draw the views and the neighbours side by side; one alone takes the whole width."""
    left = box.left
    if not isinstance(samples.views, str):
        wide = _VIEWS_WIDTH if not isinstance(samples.neighbours, str) else box.width
        draw_views(page, Box(left, box.top, wide, SHEETS_HEIGHT), samples.views)
        left += wide + GAP
    if not isinstance(samples.neighbours, str):
        side = box.left + box.width - left
        draw_neighbours(page, Box(left, box.top, side, SHEETS_HEIGHT), samples.neighbours, numbers)


def _samples_left_out(samples: Samples) -> list[str]:
    """Return which images are left out, and why."""
    parts = {"Augmentations": samples.views, "Neighbours": samples.neighbours}
    return by_reason((title, part) for title, part in parts.items() if isinstance(part, str))
