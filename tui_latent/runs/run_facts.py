"""What the list of runs shows from a run's `preset.toml` and its last evaluation."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from tui_latent.runs.line_files import GrowingLines
from tui_latent.runs.manifest import Manifest, read_manifest
from tui_latent.runs.origin import origin_of
from tui_latent.runs.records import parse_record
from tui_latent.runs.sweep_folder import SWEEP, is_sweep, read_sweep

_KNN: Final = "val/knn_20"
_READ: Final = {
    "method": ("name", "latent_dim"),
    "train": ("seed",),
    "provenance": ("preset", "created", "command", "format", "origin"),
}
"""the values that the list needs, by table"""
_SIMPLE: Final = re.compile(r"[^\\'\"]*")
"""a command whose words are those between spaces"""
_TAIL_LINES: Final = 400
_TAIL_BYTES: Final = 1 << 17
_MOST_CHANGES: Final = 12
_LONGEST_CHANGE: Final = 80


@dataclass(frozen=True, slots=True)
class RunFacts:
    """The parts of a run's preset that its line in the list shows."""

    preset: str = ""
    created: float = 0.0
    seed: int | None = None
    method: str = ""
    """the method's name; `watched` or `opened` for a run that was not trained here"""
    latent_dim: int | None = None
    changes: tuple[str, ...] = ()


def read_facts(path: Path) -> RunFacts:
    """Read the facts of the run or the sweep at `path`; RunError when it is neither."""
    if is_sweep(path):
        sweep = read_sweep(path)
        return RunFacts(Path(sweep.preset).stem, sweep.created, method=SWEEP)
    return facts_of(read_manifest(path, _READ))


def facts_of(manifest: Manifest) -> RunFacts:
    """Reduce a manifest to what the list shows."""
    method = _table(manifest.preset, "method")
    seed, dim = _table(manifest.preset, "train").get("seed"), method.get("latent_dim")
    origin = origin_of(manifest.provenance)
    return RunFacts(
        manifest.preset_name,
        manifest.created,
        seed if type(seed) is int else None,
        str(method.get("name", "")) if origin == "trained" else origin,
        dim if type(dim) is int else None,
        changes_in(str(manifest.provenance.get("command", ""))),
    )


def changes_in(command: str) -> tuple[str, ...]:
    """Return the settings of its preset that a run's command changes, without the seed."""
    try:
        words = command.split() if _SIMPLE.fullmatch(command) else shlex.split(command)
    except ValueError:
        return ()
    changes = [after for word, after in pairwise(words) if word == "--set"]
    shown = [change[:_LONGEST_CHANGE] for change in changes if not change.startswith("train.seed=")]
    return tuple(shown[:_MOST_CHANGES])


def newest_knn(path: Path) -> float | None:
    """Return the newest `val/knn_20` near the end of a run's records, for runs from before 0.2."""
    lines = GrowingLines(path / "metrics.jsonl")
    found = None
    with suppress(OSError):
        lines.start_near_end(_TAIL_LINES, _TAIL_BYTES)
        for _, line in lines.lines():
            record = parse_record(line) if _KNN.encode() in line else None
            if record is not None and _KNN in record.values:
                found = record.values[_KNN]
    return found if found is not None and math.isfinite(found) else None


def _table(preset: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = preset.get(name)
    return table if isinstance(table, Mapping) else {}
