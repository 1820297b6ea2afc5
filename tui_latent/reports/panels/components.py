"""Charts of one metric each: the terms of a loss, and metrics that no other panel shows."""

from __future__ import annotations

from collections.abc import Sequence

from tui_latent.reports.legend import Entry, draw_legend
from tui_latent.reports.numbers import Line, ReportNumbers, Term
from tui_latent.reports.page import GAP, Box, Page
from tui_latent.reports.panels.chart import draw_line, make_logarithmic, spans_decades, step_axes
from tui_latent.reports.style import INK, series_paint
from tui_latent.reports.wording import number
from tui_latent.runs.metric_specs import spec_of

_CHART = 2.7
_IN_ROW = 3
_DOTTED = (0, (1, 1.6))


def draw_components(page: Page, box: Box, numbers: ReportNumbers) -> None:
    """Draw the total and every term on axes of their own, held-out values dotted."""
    terms = [term for term in numbers.loss if _lines(term)]
    if not terms:
        page.message(page.title(box, "Loss terms"), "the loss appears after the first steps")
        return
    for index, (place, term) in enumerate(zip(_places(box, len(terms)), terms, strict=True)):
        _draw_term(page, place, index, term)


def draw_others(page: Page, box: Box, lines: Sequence[Line]) -> None:
    """Draw metrics that no other panel shows, on axes of their own, in rows."""
    for start in range(0, len(lines), _IN_ROW):
        row = Box(box.left, box.top + start // _IN_ROW * _CHART, box.width, _CHART - GAP)
        some = lines[start : start + _IN_ROW]
        for place, line in zip(_places(row, _IN_ROW), some, strict=False):
            inner = page.title(place, spec_of(line.metric).title, number(line.last))
            if len(line.steps):
                draw_line(step_axes(page, inner, [line]), line, {"color": INK}, band=True)
            else:
                page.message(inner, "no recorded value is finite")


def others_height(lines: Sequence[Line]) -> float:
    """Return the inches that `draw_others` takes."""
    return -(-len(lines) // _IN_ROW) * _CHART


def _places(box: Box, count: int) -> list[Box]:
    """Divide a box into `count` equal ones, side by side."""
    width = (box.width - GAP * (count - 1)) / count
    return [
        Box(box.left + index * (width + GAP), box.top, width, box.height) for index in range(count)
    ]


def _draw_term(page: Page, box: Box, index: int, term: Term) -> None:
    lines = _lines(term)
    logarithmic = spans_decades(lines)
    name = "total" if term.name == "loss" else term.name
    inner = page.title(box, name, "logarithmic" if logarithmic else "")
    color = INK if index == 0 else series_paint(index)
    entries = []
    if term.train is not None:
        entries.append(Entry(f"train {number(term.train.last)}", {"color": color}))
    if term.val is not None:
        mark = {"color": color, "linestyle": _DOTTED}
        entries.append(Entry(f"held out {number(term.val.last)}", mark))
    axes = step_axes(page, draw_legend(page, inner, entries), lines)
    if term.train is not None:
        draw_line(axes, term.train, {"color": color}, band=True)
    if term.val is not None:
        draw_line(axes, term.val, {"color": color, "linestyle": _DOTTED}, band=False)
    if logarithmic:
        make_logarithmic(axes)


def _lines(term: Term) -> list[Line]:
    return [line for line in (term.train, term.val) if line is not None and len(line.steps)]
