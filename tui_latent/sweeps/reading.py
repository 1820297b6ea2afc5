"""Read a sweep's folder into one immutable snapshot; runs at rest are read once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from tui_latent.runs.atomic_files import Signature, signature
from tui_latent.runs.failure import failure_line
from tui_latent.runs.metric_specs import (
    GROUPS,
    METRICS,
    MetricSpec,
    in_group,
    spec_in_run,
    term_names,
)
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import LIVE_STATES, RunError, RunSnapshot, Status
from tui_latent.runs.status import StatusError, StatusFile, read_status
from tui_latent.runs.sweep_folder import SWEEP_FILE, SweepManifest, SweepRun, read_sweep
from tui_latent.runs.sweep_results import kept_results

WAITING = "waiting"
"""state of a run that no process has begun yet"""
GONE = "gone"
"""state of a run whose folder is missing after the sweep has ended"""
PRUNED = "pruned"
_OVER = ("finished", "failed", PRUNED, "unreadable", GONE)
"""states of a run that has ended for good"""
_UNBEGUN = ("starting", "interrupted")
"""states of a folder that was made and that no process has taken"""


@dataclass(frozen=True, eq=False)
class SweepRow:
    """One run of a sweep, as numbers."""

    run: SweepRun
    path: Path
    state: str
    """of the run; `waiting`, `gone`, or `pruned` by the search"""
    status: Status = field(default_factory=Status)
    metrics: Mapping[str, float] = field(default_factory=dict)
    """the newest values, finite ones only"""
    missing: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    """why it failed or cannot be read"""

    @property
    def live(self) -> bool:
        """Whether it trains."""
        return self.state in LIVE_STATES

    @property
    def over(self) -> bool:
        """Whether it has ended for good; one that was stopped or interrupted can go on."""
        return self.state in _OVER


@dataclass(frozen=True, eq=False)
class SweepSnapshot:
    """A sweep as it is now."""

    path: Path
    manifest: SweepManifest
    status: Status
    rows: tuple[SweepRow, ...]
    metrics: tuple[MetricSpec, ...]
    """what any run has recorded, accuracies first"""

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.path.name

    @property
    def live(self) -> bool:
        """Whether some process works on it."""
        return self.status.state in LIVE_STATES

    @property
    def metric(self) -> str:
        """The metric that it is judged by, unless another is chosen."""
        if self.manifest.search is not None:
            return self.manifest.search.metric
        names = [spec.name for spec in self.metrics]
        usual = [in_group("accuracy")[0].name, "val/view_retrieval_1", "val/loss", "train/loss"]
        return next((name for name in usual if name in names), names[0] if names else usual[0])

    def count(self, *states: str) -> int:
        """Return how many runs are in one of these states."""
        return sum(row.state in states for row in self.rows)

    def seconds_left(self) -> float | None:
        """Return the seconds until the sweep ends, by its pace so far; None if unknown."""
        done, total = self.status.step, self.status.total_steps
        if not self.live or not done or not self.status.seconds:
            return None
        parts = sum(
            row.status.step / row.status.total_steps
            for row in self.rows
            if row.live and row.status.total_steps
        )
        return self.status.seconds / (done + parts) * max(total - done - parts, 0.0)


class SweepReader:
    """Follows the folder of one sweep."""

    def __init__(self, path: Path) -> None:
        """RunError when it is not a sweep."""
        self._path = path
        self._signature: Signature | None = None
        self._manifest = read_sweep(path)
        self._status = StatusFile(path)
        self._kept = kept_results(path)
        self._rows: dict[str, tuple[Signature | None, SweepRow]] = {}
        self._readers: dict[str, RunReader] = {}
        self._specs: dict[str, MetricSpec] = {}
        self._names: set[str] = set()
        self._waits = True
        """whether a run that no process has begun may still begin"""
        self._shown: SweepSnapshot | None = None

    def refresh(self) -> SweepSnapshot:
        """Return the sweep as it is now, the same object while nothing has changed."""
        now = signature(self._path / SWEEP_FILE)
        if now != self._signature:
            self._manifest, self._signature = read_sweep(self._path), now
        status = self._status.refresh()
        absent = GONE if status.state == "finished" else WAITING
        if self._shown is not None and self._shown.status.state != status.state:
            self._rows.clear()  # what waited may wait no longer
        self._waits = status.state not in ("finished", "failed")
        rows = [self._row(run, absent) for run in self._manifest.runs]
        shown = self._shown
        same = shown is not None and shown.manifest is self._manifest and shown.status == status
        if (
            shown is not None
            and same
            and all(a is b for a, b in zip(shown.rows, rows, strict=True))
        ):
            return shown
        specs = sorted(
            self._specs.values(), key=lambda spec: (GROUPS.index(spec.group), _place(spec))
        )
        self._shown = SweepSnapshot(self._path, self._manifest, status, tuple(rows), tuple(specs))
        return self._shown

    def _row(self, run: SweepRun, absent: str) -> SweepRow:
        path = self._path / run.name
        try:
            now = signature(path / "status.json")
        except OSError as error:  # a folder that this user may not enter
            return SweepRow(run, path, "unreadable", problem=error.strerror or str(error))
        before = self._rows.get(run.name)
        settled = before is not None and not before[1].live and now is not None and before[0] == now
        if settled and before is not None and before[1].run == run:
            return before[1]
        if now is None:
            row = SweepRow(run, path, absent)
        else:
            row = self._read(run, path, now)
            if before is not None and _alike(before[1], row):
                row = before[1]
        self._rows[run.name] = now, row
        return row

    def _read(self, run: SweepRun, path: Path, now: Signature) -> SweepRow:
        kept = self._kept.get(run.name)
        if kept is not None and kept.signature == now:
            with suppress(StatusError, OSError):
                status = read_status(path)
                self._know(kept.metrics)
                return _row(run, path, status, kept.metrics, kept.missing)
        try:
            reader = self._readers.pop(run.name, None) or RunReader(path)
            snapshot = reader.refresh()
        except RunError as error:
            return SweepRow(run, path, "unreadable", problem=str(error))
        row = row_of(run, path, snapshot)
        untouched = not (row.status.pid or snapshot.curves) and row.state in _UNBEGUN
        if untouched and self._waits:  # for a place in a cluster's queue, often for hours
            return SweepRow(run, path, WAITING)
        if row.live:
            self._readers[run.name] = reader
        self._know(snapshot.curves)
        return row

    def _know(self, recorded: Mapping[str, object]) -> None:
        """Take note of the metrics of a run."""
        if all(name in self._names for name in recorded):
            return
        self._names |= recorded.keys()
        terms = set(term_names(recorded))
        for name in recorded:
            if name not in self._specs and (spec := spec_in_run(name, terms)).group != "system":
                self._specs[name] = spec


def row_of(run: SweepRun, path: Path, snapshot: RunSnapshot) -> SweepRow:
    """Reduce a run to its numbers."""
    values = {name: snapshot.newest(name) for name in snapshot.curves}
    known = {n: v for n, v in values.items() if v is not None and math.isfinite(v)}
    return _row(run, path, snapshot.status, known, snapshot.missing)


def _row(
    run: SweepRun,
    path: Path,
    status: Status,
    metrics: Mapping[str, float],
    missing: Mapping[str, str],
) -> SweepRow:
    state = PRUNED if run.pruned and status.state not in LIVE_STATES else status.state
    problem = failure_line(status) or ""
    return SweepRow(run, path, state, status, dict(metrics), dict(missing), problem)


def _alike(before: SweepRow, now: SweepRow) -> bool:
    def told(row: SweepRow) -> object:
        still = replace(row.status, heartbeat=0.0, images_per_second=None, memory_bytes=None)
        return row.run, row.state, replace(still, seconds=0.0), row.metrics, row.missing

    return told(before) == told(now)


def _place(spec: MetricSpec) -> int:
    return METRICS.index(spec) if spec in METRICS else len(METRICS)
