"""Train a preset once for every combination of some settings, one run after the other."""

from __future__ import annotations

import itertools
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tui_latent.comparison import differing_settings, setting_text
from tui_latent.preset_files import PresetError
from tui_latent.presets import load_preset, load_run_preset, parse_override
from tui_latent.records.identity import read_identity
from tui_latent.records.reader import RunReader
from tui_latent.records.schema import RunError
from tui_latent.settings import Preset

_LONGEST: Final = 100
"""characters of a run's name"""


@dataclass(frozen=True)
class Trial:
    """One combination."""

    values: Mapping[str, object]
    """what is set, by key"""
    preset: Preset


def parse_grid(text: str) -> tuple[str, list[object]]:
    """Read `key=v1,v2`; PresetError when it is not that. A value with commas is one in brackets."""
    key, equals, values = text.partition("=")
    if not equals or not values:
        raise PresetError("--grid", [(text, "write key=v1,v2, as in train.lr=1e-3,1e-2")])
    return key, [parse_override(f"{key}={value}")[1] for value in _split(values)]


def plan(
    preset_name: str, overrides: Mapping[str, object], grid: Sequence[tuple[str, Sequence[object]]]
) -> list[Trial]:
    """Return every combination, the last key changing fastest.

    PresetError names what is wrong with any of them before anything is trained.
    """
    keys = [key for key, _ in grid]
    trials = []
    for values in itertools.product(*(choices for _, choices in grid)):
        chosen = dict(zip(keys, values, strict=True))
        trials.append(Trial(chosen, load_preset(preset_name, {**overrides, **chosen})))
    return trials


def run_name(prefix: str, trial: Trial) -> str:
    """Return a run's name that says what was set, `sweep-lr_0.001-latent_dim_7`, if it is short."""
    parts = [f"{key.rpartition('.')[2]}_{_short(value)}" for key, value in trial.values.items()]
    name = "-".join([prefix, *parts])
    if len(name) <= _LONGEST:
        return name
    return f"{prefix}-{zlib.crc32(repr(sorted(trial.values.items())).encode()):08x}"


def train_or_keep(
    runs: Path, preset_name: str, preset: Preset, name: str, quiet_stdout: bool
) -> dict[str, Any]:
    """Train the run called `name`, or resume it; the result it had when it is finished already.

    RunError when a run of that name was trained with other settings, or cannot be read.
    """
    from tui_latent.launch import create_run
    from tui_latent.progress import result_of, train_with_progress

    path = runs / name
    if not path.is_dir():
        path = create_run(preset_name, preset, runs, name)
    elif differing := _differing(_preset_of(path), preset):
        raise RunError(
            f"{path}: an earlier sweep trained it with other settings ({', '.join(differing)}): "
            "give this sweep a --name of its own, or other --runs"
        )
    else:
        snapshot = RunReader(path).refresh()
        if snapshot.status.state == "finished":
            return result_of(snapshot)
    return train_with_progress(path, quiet_stdout)


def unreadable(name: str, error: Exception) -> dict[str, Any]:
    """Return what stands in the place of a result that this user may not read."""
    return {
        "run": name,
        "state": "unreadable",
        "error": str(error),
        "seconds": 0.0,
        "metrics": {},
    }


def table(rows: Sequence[tuple[Trial, Mapping[str, Any]]]) -> list[str]:
    """Return lines for a person: what was set, how it ended, and its newest figures."""
    keys = list(rows[0][0].values) if rows else []
    names = ["val/knn_1", "val/knn_5", "val/knn_20", "val/loss"]
    lines = [[*keys, "state", *(name.removeprefix("val/") for name in names), "seconds"]]
    for trial, result in rows:
        figures = [_figure(result["metrics"].get(name)) for name in names]
        values = [_short(value) for value in trial.values.values()]
        lines.append([*values, result["state"], *figures, f"{result['seconds']:.0f}"])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return [
        "  ".join(f"{cell:>{w}}" for cell, w in zip(line, widths, strict=True)) for line in lines
    ]


def _preset_of(path: Path) -> Preset:
    """Return a run's preset; UnreadableError before PresetError where this user may not read it."""
    read_identity(path)
    return load_run_preset(path)


def _differing(there: Preset, here: Preset) -> list[str]:
    """Return the settings in which two presets differ, with both values."""
    rows = differing_settings([preset.model_dump(mode="json") for preset in (there, here)])
    texts = [(row.key, *map(setting_text, row.values)) for row in rows]
    return [f"{key} {before} there, {after} here" for key, before, after in texts]


def _short(value: object) -> str:
    """Write a value as a folder's name can hold it."""
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    return "".join(c if c.isalnum() or c in "._-" else "_" for c in text)


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _split(text: str) -> list[str]:
    """Split at commas that are not inside brackets or quotes."""
    parts, depth, quoted, start = [], 0, False, 0
    for index, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif not quoted and character in "[{":
            depth += 1
        elif not quoted and character in "]}":
            depth -= 1
        elif character == "," and not quoted and not depth:
            parts.append(text[start:index])
            start = index + 1
    return [*parts, text[start:]]
