"""`results.jsonl` in a sweep's folder: the result of each run, so that hundreds are read at once.

A cache: a line holds as long as the run's status is the file that it was written for, and the
whole may be deleted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tui_latent.runs.atomic_files import Signature, signature
from tui_latent.runtime.regular_files import SizeError, read_small
from tui_latent.runtime.sanitize import plain_name, plain_text

_FILE: Final = "results.jsonl"
_MOST_BYTES: Final = 1 << 26


@dataclass(frozen=True)
class KeptResult:
    """The newest values of a run that has ended."""

    signature: Signature
    """of its `status.json`"""
    metrics: Mapping[str, float]
    """in the order in which they were recorded; finite ones only"""
    missing: Mapping[str, str]


def keep_result(sweep: Path, name: str, metrics: Mapping[str, Any], missing: Any) -> None:
    """Add a run that has ended; a disk that refuses it costs time and nothing else."""
    with suppress(OSError, ValueError):
        now = signature(sweep / name / "status.json")
        known = {key: value for key, value in metrics.items() if value is not None}
        line = {"run": name, "signature": now, "metrics": known, "missing": dict(missing)}
        with (sweep / _FILE).open("ab") as file:
            file.write(json.dumps(line, allow_nan=False).encode() + b"\n")


def kept_results(sweep: Path) -> dict[str, KeptResult]:
    """Return what is kept of the runs of the sweep, by name; the newest line of each counts."""
    found: dict[str, KeptResult] = {}
    try:
        lines = read_small(sweep / _FILE, _MOST_BYTES).splitlines()
    except (OSError, SizeError):  # then all runs are read
        return found
    for line in lines:
        with suppress(ValueError, TypeError, KeyError, AttributeError, RecursionError):
            row = json.loads(line)
            inode, size, changed = map(int, row["signature"])
            metrics = {plain_name(key): float(value) for key, value in row["metrics"].items()}
            missing = {plain_name(k): plain_text(str(v)) for k, v in row["missing"].items()}
            found[str(row["run"])] = KeptResult((inode, size, changed), metrics, missing)
    return found
