"""Read a run folder, live or finished, into one immutable snapshot."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from tui_latent.runs.events import FILE as EVENTS_FILE
from tui_latent.runs.events import EventsReader
from tui_latent.runs.line_files import GrowingLines
from tui_latent.runs.manifest import read_manifest
from tui_latent.runs.map_store import MapFolder
from tui_latent.runs.metrics import MetricsReader
from tui_latent.runs.ranks_file import RanksFile
from tui_latent.runs.schema import LIVE_STATES, LatentMap, RunError, RunSnapshot, Status
from tui_latent.runs.status import StatusFile
from tui_latent.runtime.sanitize import plain_line

LOG_LINES: Final = 1000
_LOG_BYTES: Final = 1 << 20
_NOTHING: Final[Mapping[str, str]] = {}


class RunReader:
    """Follows one run folder; `refresh` belongs to one thread at a time, `map_at` to any."""

    def __init__(self, path: Path) -> None:
        """Open the folder `path`; RunError when it is not a run."""
        identity = read_manifest(path)
        self.path = path
        self._snapshot = RunSnapshot(path, identity.preset, identity.provenance)
        self._status = StatusFile(path)
        self._metrics = MetricsReader(path / "metrics.jsonl")
        try:
            self._log = _LogFile(path / "train.log")
        except OSError as error:
            raise RunError(
                f"{path / 'train.log'}: cannot be read: {error.strerror or error}"
            ) from error
        self._events = EventsReader(path / EVENTS_FILE)
        self._maps = MapFolder(path)
        self._ranks = RanksFile(path)

    def refresh(self) -> RunSnapshot:
        """Read what is new; the same snapshot if nothing is. RunError when the folder is gone."""
        try:
            parts = self._parts()
        except OSError as error:
            self._metrics = MetricsReader(self._metrics.path)  # it may have stopped halfway
            raise RunError(
                f"{error.filename or self.path}: can no longer be read: {error.strerror or error}"
            ) from error
        old = self._snapshot
        changes = {
            name: value
            for name, value in parts.items()
            if value is not getattr(old, name) and not _equal(value, getattr(old, name))
        }
        if changes:
            self._snapshot = replace(old, **changes)
        return self._snapshot

    def map_at(self, step: int) -> LatentMap | None:
        """Return the map written at `step`; None when there is none that can be read."""
        evaluation = self._maps.at(step)
        return evaluation.map if evaluation else None

    def _parts(self) -> dict[str, Any]:
        if not self.path.is_dir():
            raise FileNotFoundError(2, "the folder is gone")
        status = self._status.refresh()
        self._metrics.refresh()
        replaced_after = self._metrics.last_step if self._metrics.rewound else None
        map_steps, newest = self._maps.refresh(up_to=replaced_after)
        return {
            "status": status,
            "curves": self._metrics.curves,
            "map": newest.map if newest else None,
            "map_steps": map_steps,
            "log": self._log.refresh(),
            "confusion": newest.confusion if newest else None,
            "missing": newest.missing if newest else _NOTHING,
            "class_names": newest.map.class_names if newest else (),
            "events": self._events.refresh(),
            "reports": tuple(sorted((self.path / "reports").glob("[!.]*.png"))),
            "ranks": self._ranks.refresh(),
            "problems": self._problems(status),
        }

    def _problems(self, status: Status) -> tuple[str, ...]:
        problems = [self._status.problem] if self._status.problem else []
        if skipped := self._metrics.skipped:
            problems.append(f"metrics.jsonl: invalid lines skipped: {skipped}")
        if status.state in (*LIVE_STATES, "interrupted") and _read_only(self.path):
            problems.append(
                f"{self.path} is on a read-only file system: training waits until it is "
                "writable, and requests have no effect"
            )
        return (*problems, *self._maps.problems())


def _read_only(path: Path) -> bool:
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def _equal(new: Any, old: Any) -> bool:
    """Compare what has values to compare; maps and curves count as equal when they are the same."""
    return isinstance(new, (tuple, dict, Status)) and new == old


class _LogFile:
    """The last lines of `train.log`, found from its end."""

    def __init__(self, path: Path) -> None:
        self._file = GrowingLines(path)
        self._file.start_near_end(LOG_LINES, _LOG_BYTES)
        self._lines: deque[str] = deque(maxlen=LOG_LINES)
        self._shown: tuple[str, ...] = ()

    def refresh(self) -> tuple[str, ...]:
        changed = self._file.replaced()
        if changed:
            self._lines.clear()
            self._file.start_near_end(LOG_LINES, _LOG_BYTES)
        for _, line in self._file.lines():
            changed = True
            self._lines.append(plain_line(line.decode("utf-8", "replace")))
        if changed:
            self._shown = tuple(self._lines)
        return self._shown
