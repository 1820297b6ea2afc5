"""Loading, overriding, describing and saving presets; errors name file, key and remedy."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

import tomli_w
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from tui_latent.config.effects import WORDS, idle_settings, without_effect
from tui_latent.config.methods import METHOD_SETTINGS
from tui_latent.config.networks import NETWORKS, known_network
from tui_latent.config.plugin_needs import how_to_get, missing_plugins, plugin_words
from tui_latent.config.preset_files import (
    PresetError,
    comes_with_us,
    nearest,
    preset_folder,
    preset_names,
    preset_path,
    read_table,
)
from tui_latent.config.setting_values import (
    parse_value,
    read_value,
    setting_kind,
    write_value,
)
from tui_latent.config.settings import Preset, StageSettings
from tui_latent.plugins.registry import Kind
from tui_latent.sources.base import SOURCES, menu_order

__all__ = [
    "PresetError",
    "PresetField",
    "dump_preset",
    "idle_in_file",
    "load_preset",
    "parse_override",
    "parse_preset",
    "parse_value",
    "preset_fields",
    "preset_folder",
    "preset_names",
    "preset_path",
    "read_table",
    "resolve_preset",
]


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
            raise PresetError(path.parent.name, [("", sentence) for sentence in missing])
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
    if flags := [key for key, value in _values(merged) if isinstance(value, bool) and _number(key)]:
        raise PresetError(where, [(key, "should be a number, not true or false") for key in flags])
    try:
        return Preset.model_validate(merged)
    except ValidationError as error:
        problems = [_explain(dict(detail), merged) for detail in error.errors()]
        raise PresetError(where, dict.fromkeys(problems)) from error


def merged_table(
    table: Mapping[str, Any], overrides: Mapping[str, object], where: str
) -> dict[str, Any]:
    """Return a copy of a preset's table with overrides in it; PresetError for a key of no table."""
    merged = _copy(table)
    # The whole first, then all stages, then a single one: each may add to what stands before it.
    for key in sorted(overrides, key=lambda key: (key.count("."), "*" not in key.split("."))):
        _set(merged, key, overrides[key], where)
    return merged


def idle_in_file(name: str, preset: Preset) -> list[str]:
    """Return a sentence for each reason why settings in the file of a preset have no effect.

    `preset` is what the file and overrides came to. Of a run's `preset.toml` there are none: it
    spells out everything.
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


def train_command(name: str, preset: Preset) -> str:
    """Return the command that trains this preset from any folder, as changes to preset `name`.

    Empty when `name` is no preset, so that no command says it. Differences that have no effect
    are left out.
    """
    try:
        path = preset_path(name)
        base = load_preset(name)
    except PresetError:
        return ""
    source = name if comes_with_us(path) else str(path.expanduser().absolute())
    changes: dict[str, object] = {}
    if base.method.name != preset.method.name:
        try:
            base = load_preset(name, {"method.name": preset.method.name})
            changes["method.name"] = preset.method.name
        except PresetError:
            base = base.model_copy(update={"method": preset.method})
            changes["method"] = preset.method.model_dump(mode="json")
    changes |= {
        key: getattr(preset, key) for key in WORDS if getattr(preset, key) != getattr(base, key)
    }
    if len(base.stages) != len(preset.stages):
        changes["stages"] = preset.model_dump(mode="json")["stages"]
        base = base.model_copy(update={"stages": preset.stages})
    before = {field.key: field.value for field in preset_fields(base)}
    idle = without_effect(preset)
    for field in preset_fields(preset):
        if before[field.key] != field.value and field.key not in idle:
            changes[field.key] = field.value
    words = ["tui-latent", "train", source, *plugin_words(preset)]
    for key, value in changes_by_all_stages(changes, len(preset.stages)).items():
        words += ["--set", f"{key}={write_value(key, value)}"]
    return shlex.join(words)


def changes_by_all_stages(changes: Mapping[str, object], stages: int) -> dict[str, object]:
    """Return changes with one `stages.*` key for what is set to one value in each of the stages."""
    shorter = dict(changes)
    for name in StageSettings.model_fields if stages > 1 else ():
        keys = [f"stages.{number}.{name}" for number in range(stages)]
        if all(key in changes and changes[key] == changes[keys[0]] for key in keys):
            shorter = {k: value for k, value in shorter.items() if k not in keys}
            shorter[f"stages.*.{name}"] = changes[keys[0]]
    return shorter


def dump_preset(preset: Preset) -> str:
    """Write a preset as TOML with all settings."""
    return tomli_w.dumps(preset.model_dump(mode="json"))


def load_run_preset(run: Path) -> Preset:
    """Load the resolved preset of a run folder; PresetError if it is invalid."""
    path = run / "preset.toml"
    table = preset_table(path)
    if isinstance(data := table.get("data"), dict):
        data.setdefault("class_order", "plain")  # a run of before the order was noted
        data.setdefault("depth", "8-bit")  # a run of before other depths were read
    return parse_preset(table, {}, where=str(path))


_NOT_SET = (("method", "name"), ("data", "class_order"), ("data", "depth"))
"""settings that the form does not offer: another method needs another preset"""


@dataclass(frozen=True)
class PresetField:
    """One setting, as a form shows it."""

    key: str
    """dotted, as `--set` takes it"""
    value: object
    kind: Literal["choice", "flag", "number", "text"]
    choices: tuple[str, ...]
    help: str


def preset_fields(preset: Preset) -> list[PresetField]:
    """List the settings of data, augment, method, train and the stages, in that order."""
    fields = []
    for section in ("data", "augment", "method", "train"):
        model: BaseModel = getattr(preset, section)
        for name, info in type(model).model_fields.items():
            if (section, name) not in _NOT_SET:
                fields.append(_field(f"{section}.{name}", getattr(model, name), info))
    for number, stage in enumerate(preset.stages):
        for name, info in StageSettings.model_fields.items():
            fields.append(_field(f"stages.{number}.{name}", getattr(stage, name), info))
    return fields


def _field(key: str, value: object, info: FieldInfo) -> PresetField:
    choices: tuple[str, ...] = ()
    kind: Literal["choice", "flag", "number", "text"] = "text"
    if key == "data.source":
        choices = tuple(source.name for source in sorted(SOURCES.values(), key=menu_order))
        kind = "choice"
    elif any(getattr(rule, "func", None) is known_network for rule in info.metadata):
        choices, kind = tuple(NETWORKS), "choice"
    elif get_origin(info.annotation) is Literal:
        choices, kind = get_args(info.annotation), "choice"
    elif isinstance(value, bool):
        kind = "flag"
    elif isinstance(value, (int, float)):
        kind = "number"
    return PresetField(key, value, kind, choices, info.description or "")


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


def _number(key: str) -> bool:
    return setting_kind(key) == "number"


def _copy(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _copied(value) for key, value in table.items()}


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return _copy(value)
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _explain(detail: dict[str, Any], table: Mapping[str, Any]) -> tuple[str, str]:
    """Turn an error of pydantic into (key, problem)."""
    path = [str(part) for part in detail["loc"]]
    key = ".".join(path)
    kind = detail["type"]
    if kind == "extra_forbidden":
        return key, f"unknown key{nearest(path[-1], _known_keys(path[:-1], table))}"
    if kind in ("literal_error", "union_tag_invalid"):
        choices = _choices(path, detail)
        if kind == "union_tag_invalid":
            key += ".name"
        given = detail["ctx"].get("tag", detail["input"])
        registered = _REGISTERED.get(key)
        hint = how_to_get(registered) if registered else ""
        return key, f"unknown value '{given}'{nearest(str(given), choices)}{hint}"
    if kind == "union_tag_not_found":
        return f"{key}.name", f"missing: one of {', '.join(METHOD_SETTINGS)}"
    if kind == "value_error":
        return key, str(detail["ctx"]["error"])
    if kind == "missing":
        return key, "missing"
    given = detail["input"]
    given = str(given) if isinstance(given, (date, time)) else repr(given)
    problem = f"{detail['msg'][0].lower()}{detail['msg'][1:]}, not {given}"
    return key, problem + _how_to_write(kind, detail["input"])


def _how_to_write(kind: str, given: object) -> str:
    """Return the end of a message that shows how to write such a value; often empty."""
    if kind == "string_type" and not isinstance(given, (list, dict)):
        text = str(given).lower() if isinstance(given, bool) else given
        return f': write it in quotes, "{text}"'
    if kind == "tuple_type":
        return ': write a list, as in ["a", "b"]'
    if kind == "dict_type":
        return ': write it as in {name = ["a", "b"]}'
    return ""


_REGISTERED: Final[Mapping[str, Kind]] = {
    "method.name": "method",
    "method.network": "network",
    "data.source": "source",
}
"""settings that name what a plugin may add"""


def _choices(path: list[str], detail: dict[str, Any]) -> list[str]:
    if detail["type"] == "union_tag_invalid":
        return list(METHOD_SETTINGS)
    return [part.strip("' ") for part in detail["ctx"]["expected"].replace(" or ", ",").split(",")]


def _known_keys(parents: list[str], table: Mapping[str, Any]) -> list[str]:
    """Return the keys that the table at `parents` may have."""
    if not parents:
        return list(Preset.model_fields)
    if parents[0] == "method":
        model: Any = METHOD_SETTINGS[table["method"]["name"]]
    elif parents[0] == "stages":
        model = get_args(Preset.model_fields["stages"].annotation)[0]
    else:
        model = Preset.model_fields[parents[0]].annotation
    return list(model.model_fields)
