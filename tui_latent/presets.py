"""Presets: find, load, override, describe and save them; every error names file, key and remedy."""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import tomli_w
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from tui_latent.preset_files import (
    PresetError,
    nearest,
    preset_folder,
    preset_names,
    preset_path,
    read_table,
)
from tui_latent.settings import MethodSettings, Preset

__all__ = [
    "PresetError",
    "PresetField",
    "dump_preset",
    "load_preset",
    "parse_override",
    "parse_preset",
    "parse_value",
    "preset_fields",
    "preset_folder",
    "preset_names",
    "preset_path",
    "read_table",
]

_METHOD_MODELS: dict[str, type[BaseModel]] = {
    get_args(model.model_fields["name"].annotation)[0]: model
    for model in get_args(get_args(MethodSettings)[0])
}


def load_preset(name: str, overrides: Mapping[str, object] | None = None) -> Preset:
    """Load a preset by name or path, with `a.b` = value overrides; PresetError if it is not one."""
    path = preset_path(name)
    return parse_preset(read_table(path), overrides or {}, where=path.name)


def parse_preset(table: Mapping[str, Any], overrides: Mapping[str, object], where: str) -> Preset:
    """Make a preset of a table and overrides; PresetError lists every key that is wrong."""
    merged = _copy(table)
    for key, value in overrides.items():
        _set(merged, key, value, where)
    try:
        return Preset.model_validate(merged)
    except ValidationError as error:
        problems = [_explain(dict(detail), merged) for detail in error.errors()]
        raise PresetError(where, dict.fromkeys(problems)) from error


def parse_override(text: str) -> tuple[str, object]:
    """Split `a.b=c` into key and value; the value is TOML where it can be, else the bare text."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise PresetError("--set", [(text, "write it as key=value, as in train.epochs=5")])
    return key.strip(), parse_value(value.strip())


def parse_value(text: str) -> object:
    """Read one TOML value; text that is not TOML stands for itself."""
    try:
        read = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError):
        return text
    return read["value"] if len(read) == 1 else text


def train_command(name: str, preset: Preset) -> str:
    """Return the command that trains this preset: what it changes of the one called `name`."""
    words = ["tui-latent", "train", name]
    try:
        base = {field.key: field.value for field in preset_fields(load_preset(name))}
    except PresetError:
        base = {}
    for field in preset_fields(preset):
        if base.get(field.key, field.value) != field.value:
            words += ["--set", f"{field.key}={_toml_value(field.value)}"]
    return shlex.join(words)


def _toml_value(value: object) -> str:
    """Return a value as `--set` takes it: on one line, bare where that is not ambiguous."""
    if isinstance(value, str):
        return value if parse_value(value) == value else _inline(value)
    return _inline(value)


def _inline(value: object) -> str:
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(_inline(item) for item in value)}]"
    if isinstance(value, dict):
        pairs = (f"{_inline(str(key))} = {_inline(item)}" for key, item in value.items())
        return f"{{{', '.join(pairs)}}}"
    return tomli_w.dumps({"v": value}).removeprefix("v = ").strip()


def dump_preset(preset: Preset) -> str:
    """Write a preset as TOML with every setting spelled out."""
    return tomli_w.dumps(preset.model_dump(mode="json"))


def load_run_preset(run: Path) -> Preset:
    """Load the resolved preset of a run folder; PresetError when it is none."""
    path = run / "preset.toml"
    table = read_table(path)
    table.pop("provenance", None)
    if isinstance(data := table.get("data"), dict):
        data.setdefault("class_order", "plain")  # a run of before the order was noted
    return parse_preset(table, {}, where=str(path))


_NOT_SET = (("method", "name"), ("data", "class_order"))
"""settings that nobody changes in a preset: what another method needs is another preset"""


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
    """List every setting of data, augment, method and train, in the order of their tables."""
    fields = []
    for section in ("data", "augment", "method", "train"):
        model: BaseModel = getattr(preset, section)
        for name, info in type(model).model_fields.items():
            if (section, name) not in _NOT_SET:
                fields.append(_field(f"{section}.{name}", getattr(model, name), info))
    return fields


def _field(key: str, value: object, info: FieldInfo) -> PresetField:
    choices: tuple[str, ...] = ()
    kind: Literal["choice", "flag", "number", "text"] = "text"
    if get_origin(info.annotation) is Literal:
        choices, kind = get_args(info.annotation), "choice"
    elif isinstance(value, bool):
        kind = "flag"
    elif isinstance(value, (int, float)):
        kind = "number"
    return PresetField(key, value, kind, choices, info.description or "")


def _set(table: dict[str, Any], key: str, value: object, where: str) -> None:
    *parents, last = key.split(".")
    node = table
    for index, parent in enumerate(parents):
        child: Any = node.setdefault(parent, {})
        if isinstance(child, list) and parent == "stages":
            raise PresetError(where, [(key, "stages are set in a preset file, not one by one")])
        if not isinstance(child, dict):
            raise PresetError(where, [(key, f"'{'.'.join(parents[: index + 1])}' is no table")])
        node = child
    node[last] = value


def _copy(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _copy(value) if isinstance(value, dict) else value for key, value in table.items()}


def _explain(detail: dict[str, Any], table: Mapping[str, Any]) -> tuple[str, str]:
    """Turn one of pydantic's findings into (key, what is wrong)."""
    path = [str(part) for part in detail["loc"]]
    if len(path) > 1 and path[0] == "method" and path[1] in _METHOD_MODELS:
        del path[1]  # the union's tag, not a key that anyone wrote
    key = ".".join(path)
    kind = detail["type"]
    if kind == "extra_forbidden":
        return key, f"unknown key{nearest(path[-1], _known_keys(path[:-1], table))}"
    if kind in ("literal_error", "union_tag_invalid"):
        choices = _choices(path, detail)
        if kind == "union_tag_invalid":
            key += ".name"
        given = detail["ctx"].get("tag", detail["input"])
        return key, f"unknown value '{given}'{nearest(str(given), choices)}"
    if kind == "union_tag_not_found":
        return f"{key}.name", f"missing: one of {', '.join(_METHOD_MODELS)}"
    if kind == "value_error":
        return key, str(detail["ctx"]["error"])
    if kind == "missing":
        return key, "missing"
    return key, f"{detail['msg'][0].lower()}{detail['msg'][1:]}, not {detail['input']!r}"


def _choices(path: list[str], detail: dict[str, Any]) -> list[str]:
    if detail["type"] == "union_tag_invalid":
        return list(_METHOD_MODELS)
    return [part.strip("' ") for part in detail["ctx"]["expected"].replace(" or ", ",").split(",")]


def _known_keys(parents: list[str], table: Mapping[str, Any]) -> list[str]:
    """Return the keys that the table at `parents` may have."""
    if not parents:
        return list(Preset.model_fields)
    if parents[0] == "method":
        model: Any = _METHOD_MODELS[table["method"]["name"]]
    elif parents[0] == "stages":
        model = get_args(Preset.model_fields["stages"].annotation)[0]
    else:
        model = Preset.model_fields[parents[0]].annotation
    return list(model.model_fields)
