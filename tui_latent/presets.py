"""Presets: find, load, override, describe and save them; every error names file, key and remedy."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import tomli_w
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from tui_latent.settings import MethodSettings, Preset

_METHOD_MODELS: dict[str, type[BaseModel]] = {
    get_args(model.model_fields["name"].annotation)[0]: model
    for model in get_args(get_args(MethodSettings)[0])
}


class PresetError(Exception):
    """A preset that cannot be used; the message says where, what and what to do."""

    def __init__(self, where: str, problems: Iterable[tuple[str, str]]) -> None:
        self.where = where
        self.problems = tuple(problems)
        """(key, what is wrong with it), for forms that show an error beside its field"""
        super().__init__(
            "\n".join(f"{where}: {key + ': ' if key else ''}{text}" for key, text in self.problems)
        )


def preset_folder() -> Path:
    """Return the folder of the presets that come with tui-latent."""
    packaged = Path(__file__).parent / "bundled_presets"
    return packaged if packaged.is_dir() else Path(__file__).parents[1] / "presets"


def preset_names() -> list[str]:
    """Return the names of the presets that come with tui-latent, sorted."""
    return sorted(path.stem for path in preset_folder().glob("*.toml"))


def preset_path(name: str) -> Path:
    """Return the file of a preset given by name or by path; PresetError if there is none."""
    path = Path(name)
    if path.suffix == ".toml" or path.parent != Path():
        if path.is_file():
            return path
        raise PresetError(name, [("", "no such file")])
    known = preset_folder() / f"{name}.toml"
    if known.is_file():
        return known
    raise PresetError(name, [("", f"unknown preset{_nearest(name, preset_names())}")])


def load_preset(name: str, overrides: Mapping[str, object] | None = None) -> Preset:
    """Load a preset by name or path, with `a.b` = value overrides; PresetError if it is not one."""
    path = preset_path(name)
    return parse_preset(read_table(path), overrides or {}, where=path.name)


def read_table(path: Path) -> dict[str, Any]:
    """Read a TOML file; PresetError names the file and line when it is not TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PresetError(str(path), [("", f"not a TOML file: {error}")]) from error
    except OSError as error:
        raise PresetError(str(path), [("", f"cannot be read: {error.strerror}")]) from error


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
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def dump_preset(preset: Preset) -> str:
    """Write a preset as TOML with every setting spelled out."""
    return tomli_w.dumps(preset.model_dump(mode="json"))


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
            if (section, name) != ("method", "name"):
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
        return key, f"unknown key{_nearest(path[-1], _known_keys(path[:-1], table))}"
    if kind in ("literal_error", "union_tag_invalid"):
        choices = _choices(path, detail)
        if kind == "union_tag_invalid":
            key += ".name"
        given = detail["ctx"].get("tag", detail["input"])
        return key, f"unknown value '{given}'{_nearest(str(given), choices)}"
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


def _nearest(name: str, known: Iterable[str]) -> str:
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"; did you mean '{near[0]}'?" if near else f"; known: {', '.join(known)}"
