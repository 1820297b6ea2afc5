"""The spectrum of the latents: the variance along each principal axis, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from matplotlib.ticker import MaxNLocator

from tui_latent.analysis.spectrum_words import drawable_spectrum, spectrum_words
from tui_latent.reports.numbers import ReportNumbers
from tui_latent.reports.page import LINE_HEIGHT, TITLE_HEIGHT, Box, Page
from tui_latent.reports.panels.chart import make_logarithmic
from tui_latent.reports.style import BODY, FAINT, series_paint
from tui_latent.reports.text import wrap

SPECTRUM_HEIGHT: Final = TITLE_HEIGHT + 2 * LINE_HEIGHT + 2.4
_LEFT, _BOTTOM = 0.75, 0.42


def draw_spectrum(
    page: Page, box: Box, title: str, found: Mapping[str, Any], numbers: ReportNumbers
) -> None:
    """Draw the variances as bars below the sentences on them."""
    inner = page.title(box, title, f"step {found['step']:,} · held out · logarithmic")
    lines = wrap(spectrum_words(found).split(), inner.width, BODY)
    for row, line in enumerate(lines):
        page.text(inner.left, inner.top + 0.06 + row * LINE_HEIGHT, line, color=FAINT)
    inner = inner.below(len(lines) * LINE_HEIGHT)
    variances = drawable_spectrum(found)
    axes = page.axes(
        Box(inner.left + _LEFT, inner.top, inner.width - _LEFT - 0.1, inner.height - _BOTTOM)
    )
    ranks = np.arange(1, len(variances) + 1)
    low = variances.min() / 2
    axes.bar(ranks, variances - low, bottom=low, color=series_paint(1), width=0.8)
    axes.set_xlim(0.4, len(variances) + 0.6)
    axes.set_ylim(low, variances.max() * 1.5)
    make_logarithmic(axes)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.set_xlabel("principal axis", fontsize=BODY, color=FAINT, labelpad=2)


def why_no_spectrum(found: Any) -> str:
    """Return why an evaluation has no spectrum to draw; empty if it has one."""
    if len(drawable_spectrum(found)):
        return ""
    return "the latents have fewer than four dimensions, or were measured by an earlier version"
