"""A comparison of runs: their numbers, the settings that differ, their maps.

Plain values without torch, which the screen, the PNG and the command line all show.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from tui_latent import number_format
from tui_latent.config.methods import method_class
from tui_latent.differing_settings import (
    SettingRow,
    differing_settings,
    has_preset,
    setting_text,
)
from tui_latent.procrustes import align, disparity
from tui_latent.runs.events import LR_FACTOR, settings_now
from tui_latent.runs.failure import failure_line
from tui_latent.runs.latents_file import UNLABELLED
from tui_latent.runs.metric_specs import (
    GROUPS,
    METRICS,
    MetricSpec,
    spec_in_run,
    term_names,
)
from tui_latent.runs.missing import missing_lines
from tui_latent.runs.row_ids import read_row_ids
from tui_latent.runs.schema import LatentMap, RunError, RunSnapshot

MOST_RUNS: Final = 8
"""runs whose colours can be distinguished"""

_LOSSES: Final = ("loss", "term")
_IMAGES: Final = ("data.source", "data.path", "data.classes", "data.merge.", "data.val_fraction")
"""settings that choose and label the held-out images; the seed does not"""
_DRAW: Final = "data.draw"
"""how they are drawn if the source has none of its own: then only the maps tell"""
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
        known = [value for value in self.best if value is not None and math.isfinite(value)]
        if not self.comparable or len(known) < 2:
            return frozenset()
        top = max(known) if self.spec.direction == "higher" else min(known)
        won = frozenset(index for index, value in enumerate(self.best) if value == top)
        return won if len(won) < len(known) else frozenset()


@dataclass(frozen=True, eq=False)
class ComparedMap:
    """The newest map of a run, aligned to the first one of the same images."""

    map: LatentMap | None
    onto: int | None = None
    """position of the run whose map it was aligned to; None for that map itself"""
    disparity: float | None = None
    """0 for two maps of the same shape, 1 for unrelated ones"""
    problem: str = ""
    """why there is no map, or why it is not aligned"""


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


@dataclass(frozen=True)
class _Rows:
    """What is known about the rows from which the vectors of opened files come; any may be
    empty."""

    same: str = ""
    different: str = ""
    untold: str = ""
    other_order: bool = False

    @property
    def alike(self) -> bool:
        """Whether a point of one map may be compared with that of another."""
        return not self.different and not self.other_order


def compare(runs: Sequence[RunSnapshot], earlier: Comparison | None = None) -> Comparison:
    """Compare runs, in their order; maps that have not changed are taken from `earlier`."""
    maps = [run.map for run in runs]
    same = earlier is not None and all(map(operator.is_, maps, (run.map for run in earlier.runs)))
    presets = [run.preset for run in runs]
    settings = differing_settings(presets)
    other_maps, untold = _unsure_notes(runs)
    rows = _rows_told(runs)
    other_images = _other_images_note(settings) or _other_draw_note(settings, runs)
    images = other_images or rows.different or other_maps
    if rows.same or rows.untold:
        untold = rows.untold
    objectives = _other_losses_note(settings, runs)
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
            _row(spec, runs, not images and (not objectives or spec.group not in _LOSSES))
            for spec in shared_metrics(runs)
        ),
        settings=settings,
        maps=earlier.maps if earlier is not None and same else compared_maps(maps, rows.alike),
        notes=tuple(
            filter(None, (*failed, *changed, images, rows.same, untold, objectives, *missing))
        ),
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


def compared_maps(maps: Sequence[LatentMap | None], alike: bool = True) -> tuple[ComparedMap, ...]:
    """Align every map to the first one, where both show the same held-out images.

    Maps whose points are not `alike` are known to show other images, whatever else they say.
    """
    first = next((i for i, m in enumerate(maps) if m is not None and _finite(m)), None)
    found = (_compared_map(maps, index, first if alike else index) for index in range(len(maps)))
    return tuple(
        each if alike or each.problem else replace(each, problem="not aligned: other vectors")
        for each in found
    )


def _compared_map(maps: Sequence[LatentMap | None], index: int, first: int | None) -> ComparedMap:
    own = maps[index]
    reference = maps[first] if first is not None else None
    if own is None:
        return ComparedMap(None, problem="no map yet: the first evaluation makes it")
    if not _finite(own):
        return ComparedMap(own, problem="no point on this map is finite: training has diverged")
    if reference is None or first is None or index == first:
        return ComparedMap(own)
    if difference := _other_images(own, reference):
        return ComparedMap(own, problem=f"not aligned: {difference}")
    found = disparity(own.points, reference.points)
    turned = replace(own, points=align(own.points, reference.points))
    return ComparedMap(turned, first, None if math.isnan(found) else found)


def _other_images(own: LatentMap, reference: LatentMap) -> str:
    """Return why two maps cannot show the same images; empty if they can."""
    if len(own.points) != len(reference.points):
        return f"{len(own.points):,} images, but the first map has {len(reference.points):,}"
    if not np.array_equal(own.indices, reference.indices):
        return _OTHERS
    if not _told(own, reference):
        return ""
    if own.class_names != reference.class_names:
        return "its classes differ from those of the first map"
    known = (own.labels != UNLABELLED) & (reference.labels != UNLABELLED)
    return "" if np.array_equal(own.labels[known], reference.labels[known]) else _OTHERS


_OTHERS: Final = "its held-out images differ from those of the first map"


def _finite(latent_map: LatentMap) -> bool:
    return bool(np.isfinite(latent_map.points).all(axis=1).any())


def _row(spec: MetricSpec, runs: Sequence[RunSnapshot], comparable: bool) -> MetricRow:
    curves = [run.curves.get(spec.name) for run in runs]
    return MetricRow(
        spec,
        comparable,
        tuple(run.newest(spec.name) for run in runs),
        tuple(curve.best if curve is not None and spec.direction else None for curve in curves),
    )


def _other_images_note(settings: Sequence[SettingRow]) -> str:
    keys = [row.key for row in settings if row.key.startswith(_IMAGES)]
    return f"different data ({_listed(keys)}): no numbers are comparable" if keys else ""


def _other_draw_note(settings: Sequence[SettingRow], runs: Sequence[RunSnapshot]) -> str:
    """Return a note if runs draw their images in different ways and their maps show different
    ones."""
    if not any(row.key == _DRAW for row in settings):
        return ""
    maps = [run.map for run in runs if run.map is not None]
    if any(_other_images(own, maps[0]) for own in maps[1:]):
        return f"different data ({_DRAW}): no numbers are comparable"
    return ""


def _unsure_notes(runs: Sequence[RunSnapshot]) -> tuple[str, str]:
    """Return what the maps tell about runs whose presets do not name their images.

    First a note that their images differ, then one that nothing tells: either may be empty.
    """
    maps = [run.map for run in runs if run.map is not None]
    if all(run.origin == "trained" for run in runs) or len(maps) < 2:
        return "", ""
    for own in maps[1:]:
        if different := _other_images(own, maps[0]):
            return f"different data ({different}): no numbers are comparable", ""
    if all(_told(own, maps[0]) for own in maps[1:]):
        return "", ""
    return "", "without labels in both, nothing tells whether two maps show the same images"


def _rows_told(runs: Sequence[RunSnapshot]) -> _Rows:
    """Return what is known about the rows from which opened vectors come."""
    if any(run.origin != "opened" or run.map is None for run in runs):
        return _Rows()
    commands = {str(run.provenance.get("command")) for run in runs}
    if len(commands) == 1 and "None" not in commands:
        return _Rows("they were opened together: each vector is of the same row in all")
    ids = [_ids(run.path) for run in runs]
    if not all(ids):
        return _Rows(
            untold="without ids in all, nothing tells whether the files have the same rows"
        )
    if all(each == ids[0] for each in ids):
        return _Rows("the vectors have the same ids in all")
    if all(set(each) == set(ids[0]) for each in ids):
        return _Rows(
            "the vectors have the same ids in another order: their maps are not aligned",
            other_order=True,
        )
    common = len(set(ids[0]).intersection(*ids[1:]))
    return _Rows(different=f"different data ({common:,} ids in common): no numbers are comparable")


def _ids(path: Path) -> tuple[str, ...]:
    """Return the ids of an opened run's vectors; empty if it has none."""
    with suppress(RunError):
        return next((of.ids for split, of in read_row_ids(path).items() if split == "val"), ())
    return ()


def _told(own: LatentMap, reference: LatentMap) -> bool:
    return bool(((own.labels != UNLABELLED) & (reference.labels != UNLABELLED)).any())


def _other_losses_note(settings: Sequence[SettingRow], runs: Sequence[RunSnapshot]) -> str:
    if {"trained", "watched"} <= {run.origin for run in runs}:
        return "different training programs: their losses are not comparable"
    presets = [run.preset for run in runs if run.origin == "trained"]
    methods = next((row.values for row in settings if row.key == "method.name"), ())
    if methods:
        names = ", ".join(dict.fromkeys(map(setting_text, methods)))
        return f"different methods ({names}): their losses are not comparable"
    method = method_class(presets[0]) if presets else None
    same_loss = method.same_loss if method is not None else frozenset()
    keys = [
        row.key
        for row in settings
        if row.key.startswith("method.") and row.key.removeprefix("method.") not in same_loss
    ]
    return (
        f"different objectives ({_listed(keys)}): their losses are not comparable" if keys else ""
    )


def _listed(keys: Sequence[str]) -> str:
    return ", ".join(keys[:3]) + (f" and {len(keys) - 3} more" if len(keys) > 3 else "")
