"""Axes over the steps of a run, and lines in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from tui_latent.reports.numbers import Line
from tui_latent.reports.page import Box, Page
from tui_latent.reports.style import BODY, FAINT

_LEFT, _BOTTOM, _ABOVE = 0.62, 0.44, 0.1
_LOG_FROM = 20.0
"""ratio of largest to smallest value above which an axis is logarithmic"""
_DECADES_ONLY_FROM = 300.0
_MARKED = 12
"""most records of a curve that are marked one by one"""


def step_axes(page: Page, box: Box, lines: Sequence[Line]) -> Axes:
    """Return axes over the steps from 0 to the last, inside a box that also holds their labels."""
    axes = page.axes(
        Box(
            box.left + _LEFT,
            box.top + _ABOVE,
            box.width - _LEFT - 0.1,
            box.height - _BOTTOM - _ABOVE,
        )
    )
    axes.set_xlim(0, 1.01 * max(line.steps.max(initial=1) for line in lines))
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.set_xlabel("step", fontsize=BODY, color=FAINT, labelpad=2)
    return axes


def draw_line(axes: Axes, line: Line, style: dict[str, Any], band: bool) -> None:
    """Draw a curve; `band` shades it from its lowest to its highest records."""
    marker = "o" if len(line.steps) <= _MARKED else ""
    axes.plot(line.steps, line.means, marker=marker, markersize=4, **style)
    if band and (line.highs > line.lows).any():
        axes.fill_between(
            line.steps, line.lows, line.highs, color=style["color"], alpha=0.15, linewidth=0
        )


def spans_decades(lines: Sequence[Line]) -> bool:
    """Return whether an axis should be logarithmic: all values positive, over a decade apart."""
    lows = np.concatenate([line.lows for line in lines] or [np.array([])])
    highs = np.concatenate([line.highs for line in lines] or [np.array([])])
    return bool(len(lows) and lows.min() > 0 and highs.max() / lows.min() >= _LOG_FROM)


def make_logarithmic(axes: Axes) -> None:
    """Give axes a logarithmic scale with plain numbers."""
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    subs = (1.0, 2.0, 5.0) if high / low < _DECADES_ONLY_FROM else (1.0,)
    axes.yaxis.set_major_locator(LogLocator(subs=subs, numticks=6))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
