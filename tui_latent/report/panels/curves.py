"""Loss and kNN accuracy over the steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from tui_latent.report.legend import Entry, draw_legend
from tui_latent.report.numbers import Accuracy, Line, ReportNumbers, Term
from tui_latent.report.page import Box, Page, PlainTicks
from tui_latent.report.style import BODY, FAINT, INK, series_paint
from tui_latent.report.wording import number

_LEFT, _BOTTOM, _ABOVE = 0.62, 0.44, 0.1
_LOG_FROM = 20.0
"""times that the largest value must be the smallest for an axis to be logarithmic"""
_MARKED = 12
"""records up to which each is marked"""


def draw_loss(page: Page, box: Box, numbers: ReportNumbers) -> None:
    """Draw the total loss and its terms, held-out values dotted."""
    terms = numbers.loss
    lines = [line for term in terms for line in (term.train, term.val) if line is not None]
    logarithmic = _spans_decades(lines)
    dotted = ", held out dotted" if any(term.val for term in terms) else ""
    scale = " · logarithmic" if logarithmic else ""
    inner = page.title(box, "Loss", f"train{dotted} · terms before weighting{scale}")
    if not any(len(line.steps) for line in lines):
        page.message(inner, _nothing(numbers, bool(lines), "the loss comes with the first steps"))
        return
    entries = [_loss_entry(position, term) for position, term in enumerate(terms)]
    axes = _axes(page, draw_legend(page, inner, entries), lines)
    for position, term in enumerate(terms):
        style = _loss_style(position)
        if term.train is not None:
            _draw_line(axes, term.train, style, band=True)
        if term.val is not None:
            _draw_line(axes, term.val, style | {"linestyle": (0, (1, 1.6))}, band=False)
    if logarithmic:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=6))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_formatter(PlainTicks())


def draw_knn(page: Page, box: Box, numbers: ReportNumbers) -> None:
    """Draw the accuracy of the kNN vote on the held-out images for each k."""
    inner = page.title(box, "kNN accuracy", "held out")
    lines = [accuracy.line for accuracy in numbers.knn]
    if not any(len(line.steps) for line in lines):
        message = _nothing(numbers, bool(lines), "kNN comes with the first evaluation")
        page.message(inner, message)
        return
    entries = [_knn_entry(position, accuracy) for position, accuracy in enumerate(numbers.knn)]
    axes = _axes(page, draw_legend(page, inner, entries), lines)
    for position, line in enumerate(lines):
        _draw_line(axes, line, {"color": series_paint(position + 1)}, band=False)


def _loss_entry(position: int, term: Term) -> Entry:
    shown = term.train or term.val
    assert shown is not None, "a term is recorded somewhere"
    name = "total" if term.name == "loss" else term.name
    lost = f" ({shown.not_finite:,} not finite)" if shown.not_finite else ""
    return Entry(f"{name} {number(shown.last)}{lost}", _loss_style(position))


def _knn_entry(position: int, accuracy: Accuracy) -> Entry:
    line = accuracy.line
    text = f"k={accuracy.k} {number(line.last)}, best {number(line.best)}"
    return Entry(text, {"color": series_paint(position + 1)})


def _loss_style(position: int) -> dict[str, Any]:
    if position == 0:  # under its terms, which may run along it
        return {"color": INK, "linewidth": 2.6, "alpha": 0.45}
    return {"color": series_paint(position)}


def _axes(page: Page, box: Box, lines: Sequence[Line]) -> Axes:
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


def _draw_line(axes: Axes, line: Line, style: dict[str, Any], band: bool) -> None:
    marker = "o" if len(line.steps) <= _MARKED else ""
    axes.plot(line.steps, line.means, marker=marker, markersize=4, **style)
    if band and (line.highs > line.lows).any():
        axes.fill_between(
            line.steps, line.lows, line.highs, color=style["color"], alpha=0.15, linewidth=0
        )


def _spans_decades(lines: Sequence[Line]) -> bool:
    """Say whether a logarithmic axis shows more: all values positive and over a decade apart."""
    lows = np.concatenate([line.lows for line in lines] or [np.array([])])
    highs = np.concatenate([line.highs for line in lines] or [np.array([])])
    return bool(len(lows) and lows.min() > 0 and highs.max() / lows.min() >= _LOG_FROM)


def _nothing(numbers: ReportNumbers, recorded: bool, when: str) -> str:
    """Say why there is no curve."""
    if recorded:
        return "no recorded value is finite"
    live = numbers.about.state in ("starting", "running", "paused")
    return when if live else f"none was recorded: {when}"
