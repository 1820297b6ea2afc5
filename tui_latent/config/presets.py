"""Loading, overriding, describing and saving presets; errors name file, key and remedy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

from tui_latent.config.earlier_runs import fill_in
from tui_latent.config.effects import idle_settings
from tui_latent.config.plugin_needs import missing_plugins
from tui_latent.config.preset_files import (
    PresetError,
    nearest,
    preset_path,
    read_table,
)
from tui_latent.config.preset_problems import problem_in_words
from tui_latent.config.setting_values import (
    read_value,
    setting_kind,
)
from tui_latent.config.settings import Preset, StageSettings


def load_preset(name: str, overrides: Mapping[str, object] | None = None) -> Preset:
    """Load a preset by name or path, with `a.b` = value overrides; PresetError if it is not one.

    The `preset.toml` of a run is a preset too.
    """
    path = preset_path(name)
    return parse_preset(preset_table(path), overrides or {}, where=path.name)


def preset_table(path: Path) -> dict[str, Any]:
    """Read the table of a preset, or of the preset of a run.

    PresetError if the run needs a plugin that is not loaded.
    """
    table = read_table(path)
    if isinstance(provenance := table.get("provenance"), dict):
        if missing := missing_plugins(provenance):
            raise PresetError(path.parent.name, [("", missing)])
        del table["provenance"]
    return table


def parse_preset(table: Mapping[str, Any], overrides: Mapping[str, object], where: str) -> Preset:
    """Build a preset from a table and overrides; PresetError lists every invalid key.

    An override without effect is an error; in the table it is accepted (see `idle_in_file`).
    """
    preset = resolve_preset(table, overrides, where)
    if idle := idle_settings(preset, _keys(overrides)):
        raise PresetError(where, idle.items())
    return preset


def resolve_preset(table: Mapping[str, Any], overrides: Mapping[str, object], where: str) -> Preset:
    """Do what `parse_preset` does, but accept overrides without effect."""
    merged = merged_table(table, overrides, where)
    # pydantic would take them for 1 and 0.
    flags = [key for key, value in _values(merged) if isinstance(value, bool)]
    if flags := [key for key in flags if setting_kind(key) == "number"]:
        raise PresetError(where, [(key, "should be a number, not true or false") for key in flags])
    try:
        return Preset.model_validate(merged)
    except ValidationError as error:
        problems = [problem_in_words(dict(detail), merged) for detail in error.errors()]
        raise PresetError(where, dict.fromkeys(problems)) from error


def merged_table(
    table: Mapping[str, Any], overrides: Mapping[str, object], where: str
) -> dict[str, Any]:
    """Return a copy of a preset's table with overrides in it; PresetError for a key that no table
    has."""
    merged = _copy(table)
    # The whole first, then all stages, then a single one: each may add to what stands before it.
    for key in sorted(overrides, key=lambda key: (key.count("."), "*" not in key.split("."))):
        _set(merged, key, overrides[key], where)
    return merged


def idle_in_file(name: str, preset: Preset) -> list[str]:
    """Return a sentence for each reason why settings in the file of a preset have no effect.

    `preset` is what the file and overrides came to. A run's `preset.toml` gives none: it spells out
    everything.
    """
    table = read_table(preset_path(name))
    if "provenance" in table:
        return []
    reasons: dict[str, list[str]] = {}
    for key, sentence in idle_settings(preset, _keys(table)).items():
        reasons.setdefault(sentence, []).append(key)
    return [f"{', '.join(keys)} {sentence}" for sentence, keys in reasons.items()]


def parse_override(text: str) -> tuple[str, object]:
    """Split `a.b=c` into key and value; the type of the setting decides how the value is read."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise PresetError("--set", [(text, "write it as key=value, as in train.epochs=5")])
    return key.strip(), read_value(key.strip(), value)


def dump_preset(preset: Preset) -> str:
    """Write a preset as TOML with all settings."""
    return tomli_w.dumps(preset.model_dump(mode="json"))


def load_run_preset(run: Path) -> Preset:
    """Load the resolved preset of a run folder; PresetError if it is invalid."""
    path = run / "preset.toml"
    table = preset_table(path)
    fill_in(table)
    return parse_preset(table, {}, where=str(path))


def _set(table: dict[str, Any], key: str, value: object, where: str) -> None:
    *parents, last = key.split(".")
    if parents[:1] == ["stages"]:
        _set_in_stages(table, key, value, where)
        return
    node = table
    for index, parent in enumerate(parents):
        child: Any = node.setdefault(parent, {})
        if not isinstance(child, dict):
            raise PresetError(where, [(key, f"'{'.'.join(parents[: index + 1])}' is not a table")])
        node = child
    node[last] = value


def _set_in_stages(table: dict[str, Any], key: str, value: object, where: str) -> None:
    stages = table.get("stages", [])
    if not isinstance(stages, list) or not all(isinstance(stage, dict) for stage in stages):
        raise PresetError(where, [(key, "'stages' is not a list of tables")])
    _, which, *names = key.split(".")
    if not stages:
        same = set(names[:1]) & {"epochs", "lr", "warmup_epochs"}
        hint = f": set train.{same.pop()}" if same else ""
        raise PresetError(where, [(key, f"this preset has no stages{hint}")])
    there = "stages.0" if len(stages) == 1 else f"stages.0 to stages.{len(stages) - 1}"
    if which != "*" and not re.fullmatch(r"-?[0-9]{1,9}", which):
        problem = f"say which stage: {there}, or stages.* for all, as in stages.0.lr"
        raise PresetError(where, [(key, problem)])
    if which != "*" and not -len(stages) <= int(which) < len(stages):
        raise PresetError(where, [(key, f"there is no such stage: this preset has {there}")])
    known = list(StageSettings.model_fields)
    if len(names) != 1 or names[0] not in known:
        problem = f"unknown key{nearest('.'.join(names), known)}"
        raise PresetError(where, [(key, problem)])
    for stage in stages if which == "*" else [stages[int(which)]]:
        stage[names[0]] = value


def _keys(values: Mapping[str, object]) -> Iterable[str]:
    """Yield the dotted keys of all single values in a table or in overrides."""
    return (key for key, value in _values(values) if not isinstance(value, Mapping))


def _values(values: Mapping[str, object], prefix: str = "") -> Iterable[tuple[str, object]]:
    """Yield all values of a table and its subtables with their dotted keys."""
    for key, value in values.items():
        name = f"{prefix}{key}"
        yield name, value
        if isinstance(value, Mapping):
            yield from _values(value, f"{name}.")
        elif isinstance(value, list):
            for number, item in enumerate(value):
                if isinstance(item, Mapping):
                    yield from _values(item, f"{name}.{number}.")


def _copy(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _copied(value) for key, value in table.items()}


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return _copy(value)
    return [_copied(item) for item in value] if isinstance(value, list) else value
