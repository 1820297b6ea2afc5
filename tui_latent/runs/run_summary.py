"""One line of the list of runs, read once and again only when one of its files changes."""

from __future__ import annotations

import math
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from tui_latent.runs.atomic_files import Signature, signature
from tui_latent.runs.labels import LABELS_FILE, read_labels
from tui_latent.runs.manifest import PRESET_FILE
from tui_latent.runs.run_facts import RunFacts, newest_knn, read_facts
from tui_latent.runs.schema import (
    LIVE_STATES,
    Labels,
    RunError,
    RunSummary,
    Status,
    UnreadableError,
)
from tui_latent.runs.status import Beats, StatusError
from tui_latent.runtime.sanitize import plain_name

_FILES: Final = ("status.json", PRESET_FILE, LABELS_FILE)
_SETTLED_AFTER: Final = 2.0
"""seconds after which a file's signature tells it apart from all later ones"""


class Known(NamedTuple):
    """A line, and the signatures of the files that it was read from."""

    signatures: tuple[Signature | None, ...]
    summary: RunSummary


class Summaries:
    """The lines of all runs listed so far; a run at rest costs the status of three files."""

    def __init__(self) -> None:
        self.known: dict[str, Known] = {}
        """lines of runs at rest, by the paths of their folders"""
        self.read = 0
        """number of lines read so far because they were not known or had changed"""
        self._facts: dict[Path, tuple[Signature | None, RunFacts]] = {}
        self._beats = Beats()

    def summarise(self, path: Path) -> RunSummary:
        """Return the line of one run; `problem` says why the folder cannot be read as one."""
        key = str(path)
        try:
            now = tuple([_signature(f"{key}/{name}") for name in _FILES])
        except OSError:
            return self._read(path)
        known = self.known.get(key)
        if known is not None and known.signatures == now:
            return known.summary
        self.read += 1
        summary = self._read(path)
        if _rests(summary, now):
            self.known[key] = Known(now, summary)
            self._facts.pop(path, None)
        else:
            self.known.pop(key, None)
        return summary

    def _read(self, path: Path) -> RunSummary:
        problem = ""
        status = Status(state="interrupted")
        try:
            status = self._beats.status(path)
        except StatusError as error:
            problem = str(error)
        except OSError as error:
            problem = f"status.json cannot be read: {error.strerror}"
        changed = _changed(path)
        facts, labels = RunFacts(created=changed), Labels()
        try:
            facts = self._read_facts(path)
            labels = read_labels(path)
        except RunError as error:
            problem = str(error)
        except OSError as error:
            problem = str(UnreadableError(path, error))
        newest = status.knn_20
        if newest is None and status.best_knn_20 is not None:
            newest = newest_knn(path)
        return RunSummary(
            path,
            plain_name(path.name),
            facts.preset,
            status,
            facts.created,
            best_knn_20=status.best_knn_20,
            loss=status.loss,
            problem=plain_name(problem),
            changed=changed,
            knn_20=newest if newest is not None and math.isfinite(newest) else None,
            seed=facts.seed,
            method=facts.method,
            latent_dim=facts.latent_dim,
            changes=facts.changes,
            labels=labels,
        )

    def _read_facts(self, path: Path) -> RunFacts:
        now = signature(path / PRESET_FILE)
        before = self._facts.get(path)
        if before is None or before[0] != now:
            before = self._facts[path] = now, read_facts(path)
        return before[1]


def _rests(summary: RunSummary, signatures: tuple[Signature | None, ...]) -> bool:
    """Return whether a line stays valid until one of its files changes: the run is not live."""
    newest = max((found[2] for found in signatures if found), default=0) / 1e9
    settled = abs(time.time() - newest) > _SETTLED_AFTER
    return settled and summary.status.state not in LIVE_STATES and not summary.problem


def _signature(file: str) -> Signature | None:
    try:
        stat = os.stat(file)  # noqa: PTH116 - a Path costs as much again, thousands of times
    except FileNotFoundError:
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _changed(path: Path) -> float:
    """Return when the run's preset (or, without one, its folder) was written, 0 if unknown."""
    for file in (path / PRESET_FILE, path):
        with suppress(OSError):
            if (now := signature(file)) is not None:
                return now[2] / 1e9
    return 0.0
