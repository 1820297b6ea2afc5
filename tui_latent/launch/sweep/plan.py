"""What a sweep trains: every combination of a grid, or some drawn at random, with each seed."""

from __future__ import annotations

import itertools
import json
import math
import random
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tui_latent.config.effects import effective, without_effect
from tui_latent.config.preset_files import PresetError, preset_path
from tui_latent.config.presets import parse_preset, preset_table, resolve_preset
from tui_latent.config.settings import Preset
from tui_latent.launch.sweep.grid import Choices, Span
from tui_latent.runs.sweep_folder import SEED

_LONGEST: Final = 100
"""characters of a run's name"""
_DRAWN_BY: Final = 0
"""seed of the combinations drawn, so that the same command draws the same ones"""
_MOST: Final = 10_000
"""runs of one sweep; each is a folder"""
_FEWER: Final = {
    "--grid": "use fewer values and seeds, or draw some of the combinations with --random N",
    "--random": "draw fewer combinations, or use fewer seeds",
    "--seeds": "use fewer seeds",
    "--trials": "use fewer trials",
}
"""what to do, by the option that asks for too many runs"""
_TRIES: Final = 20
"""draws for each combination wanted, before it is believed that there are no others"""


@dataclass(frozen=True)
class Trial:
    """One training of a sweep."""

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


class Planner:
    """Makes trials of one preset."""

    def __init__(
        self, preset_name: str, overrides: Mapping[str, object], grid: Sequence[Choices], seeds: int
    ) -> None:
        """PresetError for too many seeds, a key that is set twice, or a preset that is wrong."""
        refuse_many(seeds, "--seeds")
        self._overrides = dict(overrides)
        path = preset_path(preset_name)
        self._file, self._where = preset_table(path), path.name
        keys = [key for key, _ in grid]
        stages = self._file.get("stages")
        count = len(stages) if isinstance(stages, list) else 0
        for place, key in enumerate(keys):
            for other in (*overrides, *keys[:place]):
                if not _covers(key, other, count):
                    continue
                also = "" if other == key else f", also as {other}"
                problem = f"is set twice{also}: set it once, in one --grid"
                raise PresetError("--grid", [(key, problem)])
        if seeds > 1 and SEED in keys:
            problem = "is set twice: leave it out of --grid, or leave out --seeds"
            raise PresetError("--seeds", [(SEED, problem)])
        self.grid = tuple(grid)
        first_of_each = {
            key: choices.number(choices.low) if isinstance(choices, Span) else choices[0]
            for key, choices in grid
        }
        asked = {**self._overrides, **first_of_each}
        self.base = resolve_preset(self._file, asked, self._where)
        """the preset with the first value of each setting that is varied"""
        first = self.base.train.seed
        self.seeds: tuple[Mapping[str, object], ...] = (
            tuple({SEED: seed} for seed in range(first, first + seeds)) if seeds > 1 else ({},)
        )
        """what each repetition sets"""

    def trial(self, values: Mapping[str, object]) -> Trial:
        """Return the trial of some values; PresetError when it cannot be trained."""
        asked = {**self._overrides, **values}
        idle = without_effect(resolve_preset(self._file, asked, self._where))
        # A temperature beside a loss that has none is part of a grid of losses: it is left out.
        kept = _without(asked, idle)
        preset = resolve_preset(self._file, kept, self._where)
        earlier = preset.method.earlier_run()
        if earlier and earlier.run == "latest":
            problem = "name the run itself: the latest would be a run of this sweep"
            raise PresetError(self._where, [(f"method.{earlier.setting}", problem)])
        return Trial(dict(values), preset, frozenset(asked) - frozenset(kept))

    def corners(self) -> list[Trial]:
        """Return a trial for each value of each setting, the others at their first one.

        Of a range, both ends. They find most of what is wrong in a search before it starts.
        """
        ends = {
            key: [choices.number(end) for end in (choices.low, choices.high)]
            if isinstance(choices, Span)
            else choices
            for key, choices in self.grid
        }
        first = {key: values[0] for key, values in ends.items()}
        trials = [
            self.trial({**first, key: value}) for key, values in ends.items() for value in values
        ]
        self.refuse_idle(trials)
        return trials

    def refuse_idle(self, trials: Sequence[Trial]) -> None:
        """Raise PresetError for what was set and has no effect in any of the trials."""
        always = frozenset.intersection(*(trial.idle for trial in trials))
        for trial in trials if always else ():
            asked = {**self._overrides, **trial.values}
            others = dict.fromkeys(trial.idle - always, "")
            parse_preset(self._file, _without(asked, others), self._where)


def plan(
    preset_name: str,
    overrides: Mapping[str, object],
    grid: Sequence[Choices],
    seeds: int = 1,
    drawn: int | None = None,
) -> Plan:
    """Return the combinations that are different runs, the last key changing fastest.

    Of all combinations, `drawn` are drawn at random; ranges need that. Each is trained with
    `seeds` seeds. PresetError names what is wrong with any of them before anything is trained,
    and what has no effect in any of them.
    """
    planner = Planner(preset_name, overrides, grid, seeds)
    possible = math.prod(_count(choices) for _, choices in grid)
    if drawn is None:
        refuse_many(seeds * possible, "--grid")
    else:
        refuse_many(seeds * min(drawn, possible), "--random")
    chosen = _combinations(grid) if drawn is None else _drawn(grid, drawn)
    trials = [planner.trial({**values, **seed}) for values in chosen for seed in planner.seeds]
    planner.refuse_idle(trials)
    return _each_once(trials)


def refuse_many(runs: float, option: str) -> None:
    """Raise PresetError for more runs than a sweep may have, which the option asks for."""
    if math.isfinite(runs) and runs > _MOST:
        problem = f"a sweep has {_MOST:,} runs at most: {_FEWER[option]}"
        raise PresetError(option, [(f"{runs:,} runs", problem)])


def _count(choices: Sequence[object] | Span) -> float:
    return choices.count() if isinstance(choices, Span) else len(choices)


def _covers(key: str, earlier: str, stages: int) -> bool:
    """Return whether `key` sets everything that `earlier` sets, in a preset of `stages` stages."""
    wide, narrow = _parts(key, stages), _parts(earlier, stages)
    pairs = zip(wide, narrow, strict=False)
    return len(wide) <= len(narrow) and all(
        one == other or (one == "*" and wide[0] == "stages") for one, other in pairs
    )


def _parts(key: str, stages: int) -> list[str]:
    """Return the parts of a key, in which a stage is counted from the start."""
    parts = key.split(".")
    if (
        len(parts) > 2
        and parts[0] == "stages"
        and stages
        and re.fullmatch(r"-?[0-9]{1,9}", parts[1])
    ):
        parts[1] = str(int(parts[1]) % stages)
    return parts


def _combinations(grid: Sequence[Choices]) -> Iterator[dict[str, object]]:
    keys = [key for key, _ in grid]
    listed: list[Sequence[object]] = []
    for key, choices in grid:
        if isinstance(choices, Span):
            problem = (
                f"is a range ({choices}): list its values (key=v1,v2), or draw from it with "
                "--random N or --search optuna"
            )
            raise PresetError("--grid", [(key, problem)])
        listed.append(choices)
    return (dict(zip(keys, values, strict=True)) for values in itertools.product(*listed))


def _drawn(grid: Sequence[Choices], wanted: int) -> list[dict[str, object]]:
    """Draw different combinations; fewer than wanted where there are no more.

    The first ones stay the same where more are wanted, so that a sweep can be extended.
    """
    generator = random.Random(_DRAWN_BY)
    if wanted >= math.prod(_count(choices) for _, choices in grid):
        return list(_combinations([(key, _listed(choices)) for key, choices in grid]))
    found: dict[str, dict[str, object]] = {}
    for _ in range(_TRIES * wanted + 100):
        if len(found) == wanted:
            break
        values = {
            key: choices.draw(generator)
            if isinstance(choices, Span)
            else choices[generator.randrange(len(choices))]
            for key, choices in grid
        }
        found.setdefault(json.dumps(values, default=str), values)
    return list(found.values())


def _listed(choices: Sequence[object] | Span) -> Sequence[object]:
    if isinstance(choices, Span):
        return range(int(choices.low), int(choices.high) + 1)
    return choices


def _without(asked: Mapping[str, object], idle: Mapping[str, str]) -> dict[str, object]:
    return {
        key: value
        for key, value in asked.items()
        if not any(key == name or key.startswith(f"{name}.") for name in idle)
    }


def fingerprint(preset: Preset) -> str:
    """Return a text that two presets share if they train the same."""
    return effective(preset).model_dump_json()


def _each_once(trials: Sequence[Trial]) -> Plan:
    first: dict[str, Trial] = {}
    twice = []
    for trial in trials:
        same = first.setdefault(fingerprint(trial.preset), trial)
        if same is not trial:
            twice.append(
                f"{values_text(trial.values)} trains the same as {values_text(same.values)}: "
                "it is trained once"
            )
    return Plan(tuple(first.values()), tuple(twice))


def values_text(values: Mapping[str, Any]) -> str:
    """Return what is set as it would be written after `--set`."""
    return " ".join(f"{key}={_plain(value)}" for key, value in values.items())


def run_name(values: Mapping[str, object], taken: Mapping[str, object]) -> str:
    """Return a name for a run that says what is set in it, `lr_0.001-latent_dim_7`.

    Where that is too long, or is `taken`, it ends in a hash of the values.
    """
    name = "-".join(f"{_key(key)}_{_in_name(value)}" for key, value in values.items()) or "run"
    if len(name) <= _LONGEST and name not in taken:
        return name
    return f"{name[:80]}-{zlib.crc32(repr(sorted(values.items())).encode()):08x}"


def _key(key: str) -> str:
    """Return the last part of a setting's key, with the stage before it where it is one's."""
    first, *rest = key.split(".")
    stage = f"stage_{rest[0]}_" if first == "stages" and len(rest) == 2 and rest[0] != "*" else ""
    return f"{stage}{_in_name((rest or [first])[-1])}"


def _in_name(value: object) -> str:
    """Return a value in characters that a folder's name can hold."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in _plain(value))


def _plain(value: object) -> str:
    return (
        value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), default=str)
    )


def sweep_name(preset_name: str) -> str:
    """Return the name of a sweep's folder that was given none."""
    return f"sweep-{_in_name(preset_name)}"[:_LONGEST]
