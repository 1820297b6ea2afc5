"""Loss and kNN accuracy over the steps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tui_latent.loss_weights import factors
from tui_latent.reports.legend import Entry, draw_legend
from tui_latent.reports.numbers import Line, ReportNumbers, Term
from tui_latent.reports.page import Box, Page
from tui_latent.reports.panels.chart import draw_line, make_logarithmic, spans_decades, step_axes
from tui_latent.reports.style import INK, series_paint
from tui_latent.reports.wording import number
from tui_latent.runs.metric_specs import spec_of


def draw_loss(page: Page, box: Box, numbers: ReportNumbers) -> None:
    """Draw the total loss and its terms as they count in it, held-out values dotted.

    Terms whose weights are not known are drawn as they were recorded.
    """
    known = all(term.weights for term in numbers.loss if term.name != "loss")
    terms = [_as_it_counts(term) for term in numbers.loss] if known else list(numbers.loss)
    lines = [line for term in terms for line in (term.train, term.val) if line is not None]
    total = [line for line in (terms[0].train, terms[0].val) if line is not None] if terms else []
    # A term that counts for little lies near 0: no reason to stretch the loss over decades.
    logarithmic = spans_decades(total if known else lines)
    dotted = ", held out dotted" if any(term.val for term in terms) else ""
    scale = " · logarithmic" if logarithmic else ""
    shown = "terms as they count" if known else "terms before weighting"
    shown = f" · {shown}" if len(terms) > 1 else ""
    inner = page.title(box, "Loss", f"train{dotted}{shown}{scale}")
    if not any(len(line.steps) for line in lines):
        page.message(
            inner, _nothing(numbers, bool(lines), "the loss appears after the first steps")
        )
        return
    entries = [_loss_entry(position, term) for position, term in enumerate(terms)]
    axes = step_axes(page, draw_legend(page, inner, entries), lines)
    for position, term in enumerate(terms):
        style = _loss_style(position)
        if term.train is not None:
            draw_line(axes, term.train, style, band=True)
        if term.val is not None:
            draw_line(axes, term.val, style | {"linestyle": (0, (1, 1.6))}, band=False)
    if logarithmic:
        make_logarithmic(axes)


def draw_knn(page: Page, box: Box, numbers: ReportNumbers) -> None:
    """Draw the accuracy of the kNN vote on the held-out images for each k."""
    inner = page.title(box, "kNN accuracy", "held out")
    lines = [accuracy.line for accuracy in numbers.knn]
    if not any(len(line.steps) for line in lines):
        why = numbers.missing.get("val/knn_1", "")
        message = why or _nothing(numbers, bool(lines), "kNN appears after the first evaluation")
        page.message(inner, message)
        return
    entries = [
        _knn_entry(position, accuracy.line, accuracy.line.metric in numbers.missing)
        for position, accuracy in enumerate(numbers.knn)
    ]
    axes = step_axes(page, draw_legend(page, inner, entries), lines)
    for position, line in enumerate(lines):
        draw_line(axes, line, {"color": series_paint(position + 1)}, band=False)


def draw_retrieval(page: Page, box: Box, numbers: ReportNumbers) -> None:
    """Draw how often the latent nearest to an image's other view is its own: needs no labels."""
    inner = page.title(box, "View retrieval", "held out, without labels")
    lines = numbers.retrieval
    entries = [
        Entry(
            f"{spec_of(line.metric).short} {number(line.last)} newest, {number(line.best)} best",
            {"color": series_paint(position + 1)},
        )
        for position, line in enumerate(lines)
    ]
    axes = step_axes(page, draw_legend(page, inner, entries), lines)
    for position, line in enumerate(lines):
        draw_line(axes, line, {"color": series_paint(position + 1)}, band=False)


def _as_it_counts(term: Term) -> Term:
    """Return a term multiplied by its weights."""
    if not term.weights:
        return term

    def counted(line: Line | None) -> Line | None:
        if line is None or not len(line.steps):
            return line
        by = factors(term.weights, line.steps)
        return replace(
            line,
            last=line.last * float(by[-1]),
            means=line.means * by,
            lows=line.lows * by,
            highs=line.highs * by,
        )

    return replace(term, train=counted(term.train), val=counted(term.val))


def _loss_entry(position: int, term: Term) -> Entry:
    shown = term.train or term.val
    assert shown is not None, "a term is recorded somewhere"
    name = "total" if term.name == "loss" else term.name
    lost = f" ({shown.not_finite:,} not finite)" if shown.not_finite else ""
    return Entry(f"{name} {number(shown.last)}{lost}", _loss_style(position))


def _knn_entry(position: int, line: Line, missing: bool) -> Entry:
    name = spec_of(line.metric).short.replace("kNN@", "k=")
    newest = number(None if missing else line.last)
    text = f"{name} {newest} newest, {number(line.best)} best"
    return Entry(text, {"color": series_paint(position + 1)})


def _loss_style(position: int) -> dict[str, Any]:
    if position == 0:  # under its terms, which may run along it
        return {"color": INK, "linewidth": 2.6, "alpha": 0.45}
    return {"color": series_paint(position)}


def _nothing(numbers: ReportNumbers, recorded: bool, when: str) -> str:
    """Return why there is no curve."""
    if recorded:
        return "no recorded value is finite"
    live = numbers.about.state in ("starting", "running", "paused")
    return when if live else f"nothing was recorded: {when}"
