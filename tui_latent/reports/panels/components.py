"""The terms of a loss, each in a chart of its own."""

from __future__ import annotations

from tui_latent.reports.legend import Entry, draw_legend
from tui_latent.reports.numbers import ReportNumbers, Term
from tui_latent.reports.page import Box, Page
from tui_latent.reports.panels.chart import draw_line, make_logarithmic, spans_decades, step_axes
from tui_latent.reports.style import INK, series_paint
from tui_latent.reports.wording import number

_GAP = 0.3
_DOTTED = (0, (1, 1.6))


def draw_components(page: Page, box: Box, numbers: ReportNumbers) -> None:
    """Draw the total and every term on axes of their own, held-out values dotted."""
    terms = [term for term in numbers.loss if _lines(term)]
    if not terms:
        page.message(page.title(box, "Loss terms"), "the loss comes with the first steps")
        return
    width = (box.width - _GAP * (len(terms) - 1)) / len(terms)
    for index, term in enumerate(terms):
        place = Box(box.left + index * (width + _GAP), box.top, width, box.height)
        _draw_term(page, place, index, term)


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


def _lines(term: Term) -> list:  # type: ignore[type-arg]
    return [line for line in (term.train, term.val) if line is not None and len(line.steps)]
