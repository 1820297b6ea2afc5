"""Projections of wider latents to the plane."""

from __future__ import annotations

from tui_latent.reports.inputs import Flat
from tui_latent.reports.map_frame import map_frame
from tui_latent.reports.numbers import ReportNumbers
from tui_latent.reports.page import LINE_HEIGHT, Box, Page
from tui_latent.reports.panels.scatter import draw_scatter
from tui_latent.reports.style import BODY, FAINT
from tui_latent.reports.text import wrap

LEFT, BOTTOM = 0.5, 0.4
"""inches for the labels of a square's axes"""
_LINES = 2


def draw_flat(page: Page, box: Box, title: str, flat: Flat, numbers: ReportNumbers) -> None:
    """Draw a projection as a square, with how faithful it is above."""
    inner = page.title(box, title)
    for row, line in enumerate(wrap(flat.faithful.split(), box.width, BODY)[:_LINES]):
        page.text(inner.left, inner.top + 0.06 + row * LINE_HEIGHT, line, color=FAINT)
    inner = inner.below(_LINES * LINE_HEIGHT)
    side = min(inner.width - LEFT, inner.height - BOTTOM)
    square = Box(inner.left + LEFT, inner.top, side, side)
    draw_scatter(page, square, flat.map, map_frame(flat.map))
