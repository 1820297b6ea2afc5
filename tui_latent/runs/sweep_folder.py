"""`sweep.json`: what makes a folder of runs a sweep, and says what each of its runs varies.

The folder has a `status.json` and a `control.json` as a run has: a step is one run that has ended.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tui_latent.runs.atomic_files import replace_file
from tui_latent.runs.schema import RunError, UnreadableError
from tui_latent.runtime.regular_files import SizeError, read_small
from tui_latent.runtime.sanitize import plain_name, plain_text, plain_values

SWEEP_FILE: Final = "sweep.json"
SWEEP: Final = "sweep"
"""stands for the method of a sweep in the list of runs"""
SEED: Final = "train.seed"
_FORMAT: Final = 1
_MOST_BYTES: Final = 1 << 26


@dataclass(frozen=True)
class SweepRun:
    """One run of a sweep."""

    name: str
    """of its folder within the sweep's"""
    values: Mapping[str, Any]
    """what is set in it, by key"""
    number: int | None = None
    """of the trial in the storage of a search; None without a search"""
    pruned: bool = False
    """whether the search stopped it because other trials were better at that step"""


@dataclass(frozen=True)
class Search:
    """How the values of the runs are searched for."""

    engine: str
    metric: str
    maximise: bool
    trials: int


@dataclass(frozen=True)
class SweepManifest:
    """What a sweep varies, and its runs."""

    preset: str
    """the name or file that it was started with"""
    created: float
    """Unix time"""
    command: str
    axes: Mapping[str, Sequence[Any]]
    """values of each setting that is varied; of a range, its text"""
    base: Mapping[str, Any] = field(default_factory=dict)
    """the preset without what is varied, resolved"""
    runs: tuple[SweepRun, ...] = ()
    search: Search | None = None


def is_sweep(path: Path) -> bool:
    """Return whether a folder is a sweep's."""
    with suppress(OSError, ValueError):
        return (path / SWEEP_FILE).is_file()
    return False


def write_sweep(path: Path, manifest: SweepManifest) -> None:
    """Replace the manifest of the sweep at `path`; OSError when it cannot be written."""
    table = {
        "format": _FORMAT,
        "preset": manifest.preset,
        "created": manifest.created,
        "command": manifest.command,
        "axes": {key: list(values) for key, values in manifest.axes.items()},
        "search": None if manifest.search is None else vars(manifest.search),
        "base": dict(manifest.base),
        "runs": [
            {
                "run": run.name,
                "set": dict(run.values),
                **({} if run.number is None else {"number": run.number}),
                **({"pruned": True} if run.pruned else {}),
            }
            for run in manifest.runs
        ],
    }
    replace_file(path / SWEEP_FILE, json.dumps(table, indent=1, default=str).encode(), durable=True)


def read_sweep(path: Path) -> SweepManifest:
    """Read the manifest of the sweep at `path`; RunError when it is not a sweep or unreadable."""
    file = path / SWEEP_FILE
    try:
        table = json.loads(read_small(file, _MOST_BYTES))
        if table["format"] > _FORMAT:
            raise RunError(f"{file}: written by a newer tui-latent: update tui-latent to use it")
        search = table.get("search")
        return SweepManifest(
            str(table["preset"]),
            float(table["created"]),
            plain_text(str(table["command"])),
            {plain_name(key): plain_values(values) for key, values in table["axes"].items()},
            plain_values(table["base"]),
            tuple(_run(row) for row in table["runs"]),
            None if search is None else Search(**search),
        )
    except (FileNotFoundError, NotADirectoryError) as error:
        what = f"has no {SWEEP_FILE}" if path.is_dir() else "no such folder"
        raise RunError(f"{path}: not a sweep: {what}") from error
    except PermissionError as error:
        raise UnreadableError(path, error) from error
    except (OSError, SizeError) as error:
        raise RunError(f"{file}: cannot be read: {error}") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise RunError(
            f"{file}: damaged ({type(error).__name__}: {error}): run the sweep's command under "
            "another --name"
        ) from error


def _run(row: Mapping[str, Any]) -> SweepRun:
    name = row["run"]
    if not isinstance(name, str) or name != Path(name).name or name in ("", "..", "."):
        raise ValueError(f"{name!r} names no run")
    values = {plain_name(key): value for key, value in plain_values(row["set"]).items()}
    return SweepRun(name, values, row.get("number"), row.get("pruned") is True)


def not_a_run(path: Path) -> str:
    """Return what to say where a run is needed but `path` is a sweep."""
    first = ""
    with suppress(RunError):
        runs = [run.name for run in read_sweep(path).runs]
        found = (name for name in runs if os.path.isdir(path / name))  # noqa: PTH112
        first = next(found, "")
    name = f", as {path.name}/{first}" if first else ""
    return f"{path}: a sweep, not a run: name one of its runs{name}"
