"""A comparison of runs: their numbers, the settings that differ, their maps.

Plain values without torch, which the screen, the PNG and the command line all show.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tui_latent import number_format
from tui_latent.comparability import comparability
from tui_latent.compared_maps import ComparedMap, compared_maps
from tui_latent.differing_settings import (
    SettingRow,
    differing_settings,
    has_preset,
    setting_text,
)
from tui_latent.runs.events import LR_FACTOR, settings_now
from tui_latent.runs.failure import failure_line
from tui_latent.runs.metric_specs import (
    GROUPS,
    METRICS,
    MetricSpec,
    spec_in_run,
    term_names,
)
from tui_latent.runs.missing import missing_lines
from tui_latent.runs.schema import RunSnapshot

MOST_RUNS: Final = 8
"""runs whose colours can be distinguished"""

_LOSSES: Final = ("loss", "term")
_STAMP: Final = re.compile(r"\d{8}-\d{6}-(?=.)")


@dataclass(frozen=True)
class MetricRow:
    """One metric of every run; None where a run has not recorded it."""

    spec: MetricSpec
    comparable: bool
    """whether the runs' values are of the same thing"""
    last: tuple[float | None, ...]
    best: tuple[float | None, ...]
    """each run's own; None also if no value of the metric is better than another"""

    @property
    def metric(self) -> str:
        """The metric's name as it is recorded."""
        return self.spec.name

    def differences(self) -> tuple[float | None, ...]:
        """Return each run's newest value minus the first run's; None where unknown."""
        first = self.last[0] if self.comparable else None
        return tuple(
            None if first is None or value is None else value - first for value in self.last
        )

    def winners(self) -> frozenset[int]:
        """Return the runs with the best value of all; none where all have the same."""
        return self._ahead(self.best)

    def ahead_now(self) -> frozenset[int]:
        """Return the runs whose newest value is the best; none if all are the same."""
        judged = any(value is not None for value in self.best)
        return self._ahead(self.last) if judged else frozenset()

    def _ahead(self, values: Sequence[float | None]) -> frozenset[int]:
        known = [value for value in values if value is not None and math.isfinite(value)]
        if not self.comparable or len(known) < 2:
            return frozenset()
        top = max(known) if self.spec.direction == "higher" else min(known)
        won = frozenset(index for index, value in enumerate(values) if value == top)
        return won if len(won) < len(known) else frozenset()


@dataclass(frozen=True, eq=False)
class Comparison:
    """Everything to show of several runs side by side."""

    runs: tuple[RunSnapshot, ...]
    labels: tuple[str, ...]
    """short names that distinguish the runs"""
    metrics: tuple[MetricRow, ...]
    settings: tuple[SettingRow, ...]
    maps: tuple[ComparedMap, ...]
    notes: tuple[str, ...]
    """which numbers must not be compared, and why"""

    @property
    def compares_settings(self) -> bool:
        """Whether there are settings to compare: runs from elsewhere may have none."""
        return bool(self.settings) or sum(has_preset(run.preset) for run in self.runs) > 1


def compare(runs: Sequence[RunSnapshot], earlier: Comparison | None = None) -> Comparison:
    """Compare runs, in their order; maps that have not changed are taken from `earlier`."""
    maps = [run.map for run in runs]
    same = earlier is not None and all(map(operator.is_, maps, (run.map for run in earlier.runs)))
    presets = [run.preset for run in runs]
    settings = differing_settings(presets)
    differ = comparability(settings, runs)
    labels = short_names([run.name for run in runs])
    failed = [
        f"{label}: {line}"
        for label, run in zip(labels, runs, strict=True)
        if (line := failure_line(run.status))
    ]
    changed = [
        f"{label}: changed during training: {names}"
        for label, run in zip(labels, runs, strict=True)
        if (names := _changed_meanwhile(run))
    ]
    missing = [
        f"{label}: missing: {line}"
        for label, run in zip(labels, runs, strict=True)
        for line in missing_lines(run.missing)
    ]
    return Comparison(
        runs=tuple(runs),
        labels=labels,
        metrics=tuple(
            _row(
                spec,
                runs,
                not differ.images and (not differ.losses or spec.group not in _LOSSES),
            )
            for spec in shared_metrics(runs)
        ),
        settings=settings,
        maps=earlier.maps
        if earlier is not None and same
        else compared_maps(maps, differ.maps_alike),
        notes=tuple(filter(None, (*failed, *changed, *differ.notes, *missing))),
    )


def _changed_meanwhile(run: RunSnapshot) -> str:
    """Name the settings that were changed during training, with their newest values."""
    newest = settings_now(run.events, run.status.step)
    named = {"learning rate ×" if k == LR_FACTOR else k: v for k, v in newest.items()}
    return ", ".join(f"{key} {setting_text(value)}" for key, value in named.items())


def short_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names without their time, and without first words that all share."""
    short = [_STAMP.sub("", name, count=1) for name in names]
    words = [name.split("-") for name in (short if len(set(short)) == len(short) else names)]
    alike = 0
    while all(len(w) > alike + 1 for w in words) and len({w[alike] for w in words}) == 1:
        alike += 1
    return tuple("-".join(w[alike:]) for w in words)


def shared_metrics(runs: Sequence[RunSnapshot]) -> tuple[MetricSpec, ...]:
    """Return the metrics of any run by group: accuracies, losses, their terms, others, space."""
    recorded = dict.fromkeys(name for run in runs for name in (*run.curves, *run.missing))
    terms = {term for run in runs for term in term_names(run.curves)}
    specs = [spec_in_run(name, terms) for name in recorded]
    specs.sort(key=lambda spec: (GROUPS.index(spec.group), _place(spec)))
    return tuple(spec for spec in specs if spec.group != "system")


def _place(spec: MetricSpec) -> int:
    """Return a metric's place within its group: the table's, or 0 to keep the order of records."""
    return METRICS.index(spec) if spec.group in ("accuracy", "loss") and spec in METRICS else 0


def difference_text(row: MetricRow, index: int) -> str:
    """Return the difference between a run's newest value and the first run's, with its sign."""
    difference = row.differences()[index]
    if index == 0 or difference is None or not math.isfinite(difference):
        return ""
    return number_format.difference(
        difference, max(abs(row.last[0] or 0.0), abs(row.last[index] or 0.0))
    )


def _row(spec: MetricSpec, runs: Sequence[RunSnapshot], comparable: bool) -> MetricRow:
    curves = [run.curves.get(spec.name) for run in runs]
    return MetricRow(
        spec,
        comparable,
        tuple(run.newest(spec.name) for run in runs),
        tuple(curve.best if curve is not None and spec.direction else None for curve in curves),
    )
