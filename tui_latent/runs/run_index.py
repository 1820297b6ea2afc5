"""The lines of the list of runs, kept in the cache, so that thousands of runs are listed at once.

Each line is stored with the signatures of the files that it was read from, and is valid only while
they stay the same: a missing, old or damaged index costs time and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import sys
import zlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import fields
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

from tui_latent.runs.atomic_files import replace_file
from tui_latent.runs.run_summary import Known, Summaries
from tui_latent.runs.schema import NOTHING_NOTED, Labels, RunSummary, Status
from tui_latent.runtime.regular_files import read_small

WORTH_KEEPING: Final = 50
"""lines read anew after which the index is written again"""

_STATUS: Final = [field.name for field in fields(Status)]
_LABELS: Final = [field.name for field in fields(Labels)]
_LINE: Final = [
    field.name
    for field in fields(RunSummary)
    if field.name not in ("path", "status", "labels", "queued")
]
_HEAD: Final = {"format": 1, "status": _STATUS, "labels": _LABELS, "line": _LINE}
_MOST_BYTES: Final = 1 << 26
_status_values: Final = attrgetter(*_STATUS)
_labels_values: Final = attrgetter(*_LABELS)
_line_values: Final = attrgetter(*_LINE)
_UNLABELLED: Final = [[] if value == () else value for value in _labels_values(NOTHING_NOTED)]


class RunIndex:
    """The stored lines of one folder of runs."""

    def __init__(self, cache: Path, folder: Path, summaries: Summaries) -> None:
        """`cache` is the folder that contains the indices of all folders of runs."""
        self._folder = folder.absolute()
        digest = hashlib.sha256(str(self._folder).encode("utf-8", "surrogateescape"))
        self._file = cache / f"{digest.hexdigest()[:16]}.json"
        self._summaries = summaries
        self._kept_at = 0

    def load(self, folder: Path) -> None:
        """Read the stored lines; `folder` is the path that `list_runs` is called with."""
        with suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
            checksum, _, lines = read_small(self._file, _MOST_BYTES).partition(b"\n")
            if checksum != _checksum(lines):
                raise ValueError("the index is damaged")
            table = json.loads(lines)
            if {name: table[name] for name in _HEAD} == _HEAD:
                for name, *parts in table["runs"]:
                    path = folder / name
                    self._summaries.known.setdefault(str(path), _known(path, *parts))
        self._kept_at = self._summaries.read

    def keep(self, runs: Iterable[RunSummary]) -> None:
        """Store the lines of these runs if enough of them were read anew."""
        if self._summaries.read - self._kept_at < WORTH_KEEPING:
            return
        known = self._summaries.known
        rows = [
            [
                run.path.name,
                known[str(run.path)].signatures,
                _status_values(run.status),
                _labels_values(run.labels),
                _line_values(run),
            ]
            for run in runs
            if str(run.path) in known
        ]
        self._kept_at = self._summaries.read
        with suppress(OSError, ValueError):  # a full disk or odd bytes in a name
            self._file.parent.mkdir(parents=True, exist_ok=True)
            lines = json.dumps({**_HEAD, "runs": rows}).encode()
            replace_file(self._file, _checksum(lines) + b"\n" + lines)


def _checksum(lines: bytes) -> bytes:
    """Return what shows that a value was changed, which JSON alone does not."""
    return f"{zlib.crc32(lines):08x}".encode()


def _known(path: Path, signatures: Any, status: Any, labels: Any, line: Any) -> Known:
    found = tuple([None if each is None else tuple(each) for each in signatures])
    values = dict(zip(_LINE, line, strict=True))
    values["changes"] = tuple(values["changes"])
    for name in ("preset", "method"):
        values[name] = sys.intern(values[name])
    said = dict(zip(_STATUS, status, strict=True))
    for name in ("state", "device", "host"):
        said[name] = sys.intern(said[name])
    noted = NOTHING_NOTED
    if labels != _UNLABELLED:
        named = dict(zip(_LABELS, labels, strict=True))
        named["tags"] = tuple(named["tags"])
        noted = Labels(**named)
    return Known(found, RunSummary(path, status=Status(**said), labels=noted, **values))
