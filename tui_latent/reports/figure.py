"""A report as one page: head, map and curves, images, foot."""

from __future__ import annotations

from typing import Any, Final

from matplotlib.figure import Figure

from tui_latent.reports.layouts import LayoutData, draw_rows, layout_rows, rows_height
from tui_latent.reports.numbers import ReportNumbers
from tui_latent.reports.page import Box, Page
from tui_latent.reports.panels.components import draw_others, others_height
from tui_latent.reports.panels.confusion import draw_confusion
from tui_latent.reports.panels.curves import draw_knn, draw_loss
from tui_latent.reports.panels.footer import draw_footing, footing_height
from tui_latent.reports.panels.header import draw_heading, heading_height
from tui_latent.reports.panels.latent_map import draw_map, map_height
from tui_latent.reports.panels.sheets import SHEETS_HEIGHT, draw_neighbours, draw_views
from tui_latent.reports.samples import Samples
from tui_latent.reports.style import WIDTH
from tui_latent.runs.schema import LatentMap

_MARGIN: Final = 0.4
_GAP: Final = 0.3
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
    """Draw a report's page; with `findings` also the figures of the method's family."""
    width = WIDTH - 2 * _MARGIN
    head = heading_height(numbers, width)
    middle = max(map_height(numbers, _MAP_WIDTH), _LEAST_MIDDLE)
    foot = footing_height(numbers.about, width)
    rows = layout_rows(numbers.about.method) if findings is not None else ()
    family = rows_height(rows, findings or {})
    others = others_height(numbers.others)
    fixed = 2 * _MARGIN + middle + _GAP + SHEETS_HEIGHT + _GAP
    page = Page(fixed + head + others + family + foot)

    top = _MARGIN
    draw_heading(page, Box(_MARGIN, top, width, head), numbers)
    top += head
    draw_map(page, Box(_MARGIN, top, _MAP_WIDTH, middle), numbers, latent_map)
    right = _MARGIN + _MAP_WIDTH + _GAP
    side = WIDTH - _MARGIN - right
    draw_loss(page, Box(right, top, side, _LOSS), numbers)
    draw_knn(page, Box(right, top + _LOSS, side, _KNN), numbers)
    above = _LOSS + _KNN
    draw_confusion(page, Box(right, top + above, side, middle - above), numbers)
    top += middle + _GAP
    draw_views(page, Box(_MARGIN, top, _VIEWS_WIDTH, SHEETS_HEIGHT), samples.views)
    right = _MARGIN + _VIEWS_WIDTH + _GAP
    side = WIDTH - _MARGIN - right
    draw_neighbours(page, Box(right, top, side, SHEETS_HEIGHT), samples, numbers)
    top += SHEETS_HEIGHT + _GAP
    draw_others(page, Box(_MARGIN, top, width, others), numbers.others)
    top += others
    facts = LayoutData(numbers, latent_map, findings or {})
    draw_rows(page, Box(_MARGIN, top, width, family), rows, facts)
    top += family
    draw_footing(page, Box(_MARGIN, top, width, foot), numbers.about)
    return page.figure
