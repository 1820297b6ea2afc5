"""How well the latent space is used, and metrics without a panel of their own, over time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui_latent.runs.metric_specs import MetricSpec, in_group, spec_in_run
from tui_latent.runs.missing import missing_lines
from tui_latent.runs.schema import Curve
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.charts.line_chart import value_at
from tui_latent.tui.charts.panel import ChartPanel, Drawing, message_strips
from tui_latent.tui.charts.spark_lines import spark_lines
from tui_latent.tui.format import number
from tui_latent.tui.screens.dashboard.space_limits import Limit, limits

_ELSEWHERE: Final = ("latent/collapsed", "val/view_retrieval_")
"""beginnings of metrics that are flagged, or have a chart of their own"""
_FIGURES: Final = [spec for spec in in_group("space") if not spec.name.startswith(_ELSEWHERE)]
_NAME: Final = 11
_VALUE: Final = 6
_LIMIT: Final = 9
_TALL: Final = 4
"""lines of a sparkline at most"""
_LEAST: Final = 8
"""cells of a sparkline, below which the limits give way"""
_ARROWS: Final = {"higher": "↑", "lower": "↓", "": " "}
_DIM: Final = Style(dim=True)
_WORSE: Final = Style(bold=True, reverse=True)


class SpacePanel(ChartPanel):
    """Shows a line per metric: name, better direction, newest value, limit and history."""

    def __init__(self, drawer: WorkerThread) -> None:
        super().__init__(drawer, "space")
        self._curves: dict[MetricSpec, Curve] = {}
        self._hint = ""
        self._missing: Mapping[str, str] = {}
        self._dimensions: int | None = None
        self._measured: Mapping[MetricSpec, float] = {}
        self._at: int | None = None

    def look_at(self, step: int | None) -> None:
        """Show the metrics of a step; None for the newest."""
        if step != self._at:
            self._at = step
            self.redraw()

    def show(
        self,
        curves: Mapping[str, Curve],
        terms: Collection[str],
        hint: str,
        missing: Mapping[str, str],
        dimensions: int | None = None,
        measured: Mapping[MetricSpec, float] = {},
    ) -> None:
        """Show metrics of the full-width latents, and those that no panel shows; else `hint`.

        `terms` are the run's loss terms, which the loss panel shows; `missing` says why the newest
        evaluation lacks some metrics; the limits depend on the latents' `dimensions`; `measured`
        are the figures of the newest evaluation, which have no history.
        """
        known = {spec.name for spec in _FIGURES}
        others = [
            spec
            for name in curves
            if name not in known
            and not name.startswith(_ELSEWHERE)
            and (spec := spec_in_run(name, terms)).group in ("other", "space")
        ]
        new = {spec: curves[spec.name] for spec in (*_FIGURES, *others) if spec.name in curves}
        names = [spec.name for spec in (*_FIGURES, *others)]
        why = {metric: reason for metric, reason in missing.items() if metric in names}
        measured = {spec: value for spec, value in measured.items() if spec not in new}
        shown = (self._curves, self._hint, self._missing, self._dimensions, self._measured)
        if (new, hint, why, dimensions, measured) != shown:
            self._curves, self._hint, self._missing = new, hint, why
            self._dimensions, self._measured = dimensions, measured
            self.redraw()

    def plan(self, width: int, height: int) -> Callable[[], Drawing]:
        """Write the newest metrics."""
        curves, hint, at, missing = self._curves, self._hint, self._at, self._missing
        known = limits(self._dimensions)
        note = "; ".join(missing_lines(missing))
        measured = self._measured if at is None else {}
        if not curves and not measured:
            return lambda: Drawing(message_strips(note or hint, width, height), ("Space",))

        def draw() -> Drawing:
            # Blank lines separate the metrics if all of them fit; more room makes them taller.
            count = len(curves) + len(measured)
            tall = min(max((height + 1) // count - 1, 1), _TALL)
            air = height >= 2 * count - 1
            lines: list[Strip] = []
            for spec, curve in curves.items():
                lines += [Strip.blank(width)] * (air and bool(lines))
                why = missing.get(spec.name, "") if at is None else ""
                limit = known.get(spec.name, Limit(spec.direction))
                lines += metric_strips(spec.short, curve, limit, width, tall, at, why)
            for spec, value in measured.items():
                lines += [Strip.blank(width)] * (air and bool(lines))
                lines.append(measured_strip(spec, value, width))
            return Drawing(lines[:height], _TITLES)

        return draw


_TITLES: Final = (
    "Space · held out · ↑ ↓ better direction · ! too low or too high",
    "Space · held out · ↑ ↓ better · ! beyond limit",
    "Space · held out",
    "Space",
)


def metric_strips(
    name: str, curve: Curve, limit: Limit, width: int, height: int, at: int | None, why: str
) -> list[Strip]:
    """Write a metric with its history in `height` lines, or why its newest value is missing."""
    value = None if why else value_at(curve, at)
    worse = limit.is_passed(value)
    arrow = " " if why else "!" if worse else _ARROWS[limit.better]
    head = [
        Segment(f" {name[:_NAME]:<{_NAME}}", _DIM),
        Segment(f"{arrow} ", _WORSE if worse else _DIM),
        Segment(f"{number(value):<{_VALUE}} ", Style(bold=True) if worse else Style()),
    ]
    room = width - _NAME - _VALUE - 5
    if why:
        return [Strip([*head, Segment(why[: max(room, 0)], _DIM)]).adjust_cell_length(width)]
    if room - _LIMIT >= _LEAST:
        head.append(Segment(f"{limit.words:<{_LIMIT}}", _DIM))
        room -= _LIMIT
    seen = curve.steps <= at if at is not None else np.ones(len(curve.steps), np.bool_)
    drawn = spark_lines(curve.steps[seen], curve.means[seen], max(room, 0), height, limit.line)
    indent = " " * (width - 1 - room)
    first = Strip([*head, *drawn[0]]).adjust_cell_length(width)
    rest = [Strip([Segment(indent), *line]).adjust_cell_length(width) for line in drawn[1:]]
    return [first, *rest]


def measured_strip(spec: MetricSpec, value: float, width: int) -> Strip:
    """Write a figure that an evaluation measured once."""
    return Strip(
        [
            Segment(f" {spec.short[:_NAME]:<{_NAME}}{_ARROWS[spec.direction]} ", _DIM),
            Segment(f"{number(value):<{_VALUE}} "),
            Segment("by the newest evaluation", _DIM),
        ]
    ).adjust_cell_length(width)
