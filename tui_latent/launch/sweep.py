"""Train a preset once for every combination of some settings, one run after the other."""

from __future__ import annotations

import itertools
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tui_latent.config.effects import effective, without_effect
from tui_latent.config.preset_files import PresetError, preset_path
from tui_latent.config.presets import (
    load_run_preset,
    parse_preset,
    preset_table,
    resolve_preset,
)
from tui_latent.config.setting_values import read_value, split_items
from tui_latent.config.settings import Preset
from tui_latent.differing_settings import differing_settings, setting_text
from tui_latent.number_format import number
from tui_latent.runs.file_lock import one_at_a_time
from tui_latent.runs.manifest import read_manifest
from tui_latent.runs.metric_specs import HELD_OUT_LOSS, in_group
from tui_latent.runs.missing import missing_lines
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import RunBusyError, RunError, UnreadableError

_LONGEST: Final = 100
"""characters of a run's name"""


@dataclass(frozen=True)
class Trial:
    """One combination."""

    values: Mapping[str, object]
    """what is set, by key"""
    preset: Preset
    idle: frozenset[str] = frozenset()
    """keys that were set and have no effect in this combination"""


@dataclass(frozen=True)
class Plan:
    """What a sweep trains."""

    trials: tuple[Trial, ...]
    """each distinct training once"""
    twice: tuple[str, ...]
    """a sentence for each combination that is left out because another one is the same training"""


def parse_grid(text: str) -> tuple[str, list[object]]:
    """Read `key=v1,v2`; PresetError when it is not that. A value with commas is one in brackets."""
    key, equals, values = text.partition("=")
    key = key.strip()
    if not equals or not values.strip() or not key:
        raise PresetError("--grid", [(text, "write key=v1,v2, as in method.latent_dim=2,3")])
    try:
        items = split_items(values)
    except ValueError as error:
        problem = f"{error}: write values that hold brackets or commas in quotes"
        raise PresetError("--grid", [(text, problem)]) from error
    if not all(items):
        problem = 'a value is empty: write "" for an empty text, and nothing after the last comma'
        raise PresetError("--grid", [(text, problem)])
    return key, [read_value(key, item) for item in items]


def plan(
    preset_name: str, overrides: Mapping[str, object], grid: Sequence[tuple[str, Sequence[object]]]
) -> Plan:
    """Return every combination that is a training of its own, the last key changing fastest.

    PresetError names what is wrong with any of them before anything is trained, and what has no
    effect in any of them.
    """
    keys = [key for key, _ in grid]
    for key in keys:
        if keys.count(key) > 1 or key in overrides:
            raise PresetError("--grid", [(key, "is set twice: set it once, in one --grid")])
    path = preset_path(preset_name)
    file = preset_table(path)
    trials = []
    for values in itertools.product(*(choices for _, choices in grid)):
        chosen = dict(zip(keys, values, strict=True))
        asked = {**overrides, **chosen}
        idle = without_effect(resolve_preset(file, asked, path.name))
        # A temperature beside a loss that has none is part of a grid of losses: it is left out.
        preset = resolve_preset(file, _without(asked, idle), path.name)
        _refuse_latest(preset, path.name)
        trials.append(Trial(chosen, preset, frozenset(asked) - frozenset(_without(asked, idle))))
    if always := frozenset.intersection(*(trial.idle for trial in trials)):
        for trial in trials:
            asked = {**overrides, **trial.values}
            parse_preset(file, _without(asked, dict.fromkeys(trial.idle - always, "")), path.name)
    return _each_once(trials)


def _without(asked: Mapping[str, object], idle: Mapping[str, str]) -> dict[str, object]:
    return {
        key: value
        for key, value in asked.items()
        if not any(key == name or key.startswith(f"{name}.") for name in idle)
    }


def _refuse_latest(preset: Preset, where: str) -> None:
    earlier = preset.method.earlier_run()
    if earlier and earlier.run == "latest":
        problem = "name the run itself: the latest would be a run of this sweep"
        raise PresetError(where, [(f"method.{earlier.setting}", problem)])


def _each_once(trials: Sequence[Trial]) -> Plan:
    kept: list[Trial] = []
    twice = []
    seen: list[Preset] = []
    for trial in trials:
        same = effective(trial.preset)
        if same in seen:
            first = kept[seen.index(same)]
            twice.append(f"{_words(trial)} trains the same as {_words(first)}: it is trained once")
        else:
            kept.append(trial)
            seen.append(same)
    return Plan(tuple(kept), tuple(twice))


def _words(trial: Trial) -> str:
    return " ".join(f"{key}={_plain(value)}" for key, value in trial.values.items())


def run_names(prefix: str, trials: Sequence[Trial]) -> list[str]:
    """Return a name for each run that says what was set, `sweep-lr_0.001-latent_dim_7`.

    Where that is too long or not unique, a hash of the values takes its place.
    """
    names = [
        "-".join([_short(prefix), *(f"{_key(k)}_{_short(v)}" for k, v in trial.values.items())])
        for trial in trials
    ]
    return [
        name
        if len(name) <= _LONGEST and names.count(name) == 1
        else f"{_short(prefix)[:80]}-{zlib.crc32(repr(sorted(trial.values.items())).encode()):08x}"
        for name, trial in zip(names, trials, strict=True)
    ]


def _key(key: str) -> str:
    """Return the last part of a setting's key, with the stage before it where it is one's."""
    first, *rest = key.split(".")
    stage = f"stage_{rest[0]}_" if first == "stages" and len(rest) == 2 and rest[0] != "*" else ""
    return f"{stage}{_short((rest or [first])[-1])}"


def train_or_keep(
    runs: Path, preset_name: str, preset: Preset, name: str, quiet_stdout: bool
) -> dict[str, Any]:
    """Train the run called `name`, or resume it; return its result, at once if it is finished.

    A run that another process trains is left alone. RunError when a run of that name was trained
    with other settings, or cannot be read.
    """
    from tui_latent.launch.progress import result_of, train_with_progress

    path = _made(runs, preset_name, preset, name)
    snapshot = RunReader(path).refresh()
    if snapshot.status.state == "finished":
        return result_of(snapshot)
    try:
        return train_with_progress(path, quiet_stdout)
    except RunBusyError:
        return result_of(RunReader(path).refresh())


def _made(runs: Path, preset_name: str, preset: Preset, name: str) -> Path:
    """Return the folder of the run called `name`; create it if there is none.

    One sweep at a time does this, so that two of them never create the same run.
    """
    from tui_latent.launch.start import check_preset, create_run, with_absolute_paths

    path = runs / name
    runs.mkdir(parents=True, exist_ok=True)
    with one_at_a_time(runs):
        if not path.is_dir():
            return create_run(preset_name, preset, runs, name)
    try:
        read_manifest(path)
    except UnreadableError:
        raise
    except RunError as error:
        raise RunError(f"{error}: use another --name or another --runs folder") from error
    check_preset(preset, runs, where=preset_name)
    if differing := _differing(path, with_absolute_paths(preset, runs), runs):
        raise RunError(
            f"{path}: an earlier sweep trained it with different settings "
            f"({', '.join(differing)}): use another --name or another --runs folder"
        )
    return path


def unreadable(name: str, error: Exception) -> dict[str, Any]:
    """Return the placeholder for a result that this user may not read."""
    return {
        "run": name,
        "state": "unreadable",
        "error": str(error),
        "seconds": 0.0,
        "metrics": {},
    }


def table(rows: Sequence[tuple[Trial, Mapping[str, Any]]]) -> list[str]:
    """Return a text table: what was set, how each run ended, and its newest figures."""
    keys = list(rows[0][0].values) if rows else []
    specs = [*in_group("accuracy"), HELD_OUT_LOSS]
    lines = [[*keys, "state", *(spec.short for spec in specs), "seconds"]]
    for trial, result in rows:
        figures = [number(result["metrics"].get(spec.name), 4) for spec in specs]
        values = [_short(value) for value in trial.values.values()]
        lines.append([*values, result["state"], *figures, f"{result['seconds']:.0f}"])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    text = [
        "  ".join(f"{cell:>{w}}" for cell, w in zip(line, widths, strict=True)) for line in lines
    ]
    names = [spec.name for spec in specs]
    missing = [missing_lines(_of(result.get("missing", {}), names)) for _, result in rows]
    return [*text, *(f"–  {line}" for line in dict.fromkeys(itertools.chain(*missing)))]


def _of(missing: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    return {name: missing[name] for name in names if name in missing}


def _differing(path: Path, here: Preset, runs: Path) -> list[str]:
    """Return the settings in which the run at `path` differs from a preset, with both values."""
    from tui_latent.launch.start import with_absolute_paths

    there = with_absolute_paths(load_run_preset(path), runs)
    rows = differing_settings([preset.model_dump(mode="json") for preset in (there, here)])
    texts = [(row.key, *map(setting_text, row.values)) for row in rows]
    return [f"{key} {before} there, {after} here" for key, before, after in texts]


def _short(value: object) -> str:
    """Return a value in characters that a folder's name can hold."""
    text = _plain(value)
    return "".join(c if c.isalnum() or c in "._-" else "_" for c in text)


def _plain(value: object) -> str:
    return (
        value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), default=str)
    )
