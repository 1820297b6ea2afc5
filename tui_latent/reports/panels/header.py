"""The header of a report: which run, how far, and the figures that sum it up."""

from __future__ import annotations

from datetime import datetime

from tui_latent.reports.numbers import ReportNumbers
from tui_latent.reports.page import LINE_HEIGHT, Box, Page
from tui_latent.reports.run_summary import About
from tui_latent.reports.style import BODY, FAILURE, FAINT, FIGURE, HEADLINE, INK, TITLE
from tui_latent.reports.text import fit, text_width, wrap
from tui_latent.reports.wording import UNKNOWN, duration, number
from tui_latent.runs.failure import failure_line
from tui_latent.runs.metric_specs import METRICS, MetricSpec
from tui_latent.runs.missing import missing_lines

_HEADLINE, _FIGURES, _SPACE = 0.38, 0.62, 0.22
_TILE = 1.9


def heading_height(numbers: ReportNumbers, width: float) -> float:
    """Return the inches that the header takes."""
    about = numbers.about
    lines = bool(about.title) + len(_fact_lines(about, width)) + len(_error_lines(numbers, width))
    lines += len(_missing_lines(numbers, width)) + len(_verdict_lines(numbers, width))
    return _HEADLINE + lines * LINE_HEIGHT + _FIGURES * bool(_known_figures(numbers)) + _SPACE


def draw_heading(page: Page, box: Box, numbers: ReportNumbers) -> None:
    """Draw the run's name, its title, its facts and the newest figures."""
    about = numbers.about
    y = box.top + 0.24
    page.text(box.left, y, fit(about.run, box.width, HEADLINE, "bold"), HEADLINE, weight="bold")
    y = box.top + _HEADLINE + 0.14
    if about.title:
        page.text(box.left, y, fit(about.title, box.width, TITLE), TITLE)
        y += LINE_HEIGHT
    for line in _verdict_lines(numbers, box.width):
        paint = FAILURE if numbers.severity == "bad" else INK
        page.text(box.left, y, line, weight="bold", color=paint)
        y += LINE_HEIGHT
    for line in _fact_lines(about, box.width):
        page.text(box.left, y, line, color=FAINT)
        y += LINE_HEIGHT
    for line in _error_lines(numbers, box.width):
        page.text(box.left, y, line, color=FAILURE)
        y += LINE_HEIGHT
    for line in _missing_lines(numbers, box.width):
        page.text(box.left, y, line, color=FAINT)
        y += LINE_HEIGHT
    _draw_figures(page, box, y + 0.06, numbers)


def _draw_figures(page: Page, box: Box, y: float, numbers: ReportNumbers) -> None:
    """Draw the key figures in a row, each under its name; `–` for a missing one."""
    metrics = numbers.metrics
    known = _known_figures(numbers)
    for column, spec in enumerate(known[: int(box.width / _TILE)]):
        x = box.left + column * _TILE
        value = number(metrics.get(spec.name))
        page.text(x, y, spec.title, color=FAINT)
        page.text(x, y + 0.29, value, FIGURE, weight="bold")
        if spec.group == "accuracy":  # beside the figure: above it, names would touch
            page.text(x + text_width(value, FIGURE, "bold") + 0.06, y + 0.29, "newest", color=FAINT)


def _known_figures(numbers: ReportNumbers) -> list[MetricSpec]:
    """Return the key figures that there are, or that should be: none of a run from elsewhere."""
    key = [spec for spec in METRICS if spec.key]
    known = [spec for spec in key if spec.name in numbers.metrics or spec.name in numbers.missing]
    return known if known or numbers.about.origin != "trained" else key[:1]


def _fact_lines(about: About, width: float) -> list[str]:
    dimensions = f", {about.latent_dim}-D latent" if about.latent_dim else ""
    facts = [
        *(_origin_facts(about) if about.origin != "trained" else _preset_facts(about, dimensions)),
        *([f"{datetime.fromisoformat(about.created):%Y-%m-%d %H:%M}"] if about.created else []),
    ]
    return wrap(facts, width, BODY, joint=" · ")


def _preset_facts(about: About, dimensions: str) -> list[str]:
    return [
        f"preset {about.preset or UNKNOWN}",
        f"dataset {about.dataset or UNKNOWN}",
        f"{about.method or 'unknown method'}{dimensions}",
        about.device or "device unknown",
        f"trained {duration(about.seconds)}",
        f"seed {UNKNOWN if about.seed is None else about.seed}",
        f"step {about.step:,} of {about.total_steps:,}" if about.total_steps else "not started",
        f"epoch {about.epoch:,.1f}".removesuffix(".0"),
        about.state,
    ]


def _origin_facts(about: About) -> list[str]:
    """Return what is known of a run that was not trained here."""
    wide = [f"{about.latent_dim}-D latents"] if about.latent_dim else []
    if about.origin == "opened":
        return ["opened from files", *wide]
    of = f" of {about.total_steps:,}" if about.total_steps else ""
    return [
        "watched in its own loop",
        *wide,
        *([about.device] if about.device else []),
        f"trained {duration(about.seconds)}",
        f"step {about.step:,}{of}",
        *([f"epoch {about.epoch:,.1f}".removesuffix(".0")] if about.epoch else []),
        about.state,
    ]


def _verdict_lines(numbers: ReportNumbers, width: float) -> list[str]:
    return wrap(numbers.verdict.split(), width, BODY)[:3]


def _error_lines(numbers: ReportNumbers, width: float) -> list[str]:
    if any(finding["kind"] == "failed" for finding in numbers.findings):
        return []  # the verdict says it
    return wrap(failure_line(numbers.about).split(), width, BODY)[:3]


def _missing_lines(numbers: ReportNumbers, width: float) -> list[str]:
    words = " · ".join(missing_lines(numbers.missing))
    return wrap(f"missing: {words}".split(), width, BODY)[:3] if words else []
