"""Values of settings as written after `--set`; the type of the setting decides how to read them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any, Final, Literal, get_args, get_origin

import tomli_w
from pydantic import BaseModel

from tui_latent.config.methods import METHOD_SETTINGS
from tui_latent.config.settings import Preset, StageSettings

Kind = Literal["text", "number", "texts", "numbers", "groups", "other"]

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")


def setting_kind(key: str) -> Kind:
    """Return the kind of value of a setting, given its dotted key; `other` is any TOML value."""
    first, *rest = key.split(".")
    if first == "stages" and len(rest) == 2:
        return _kind(StageSettings, rest[1:])
    if first == "method":
        kinds = [_kind(model, rest) for model in METHOD_SETTINGS.values()]
        return next((kind for kind in kinds if kind != "other"), "other")
    if rest and first in ("data", "augment", "train"):
        return _kind(type_of(first), rest)
    return _kind(Preset, [first]) if not rest else "other"


def type_of(section: str) -> type[BaseModel]:
    """Return the model of a table that all presets share."""
    annotation = Preset.model_fields[section].annotation
    assert isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return annotation


def read_value(key: str, text: str) -> object:
    """Read the text of a setting.

    If the setting is text, 2024, true and 1e3 are text too, and quoted text is read as TOML. What
    the setting cannot take is left to validation.
    """
    kind, text = setting_kind(key), text.strip()
    if kind == "text":
        return _unquoted(text)
    try:
        if kind == "texts":
            return [_unquoted(item) for item in _items_of_list(text)]
        if kind == "numbers":
            return [parse_value(item) for item in _items_of_list(text)]
        if kind == "groups":
            return _groups(text)
    except ValueError:  # a bracket or a quote is left open
        return text
    return parse_value(text)


def write_value(key: str, value: object) -> str:
    """Return a value as `read_value` takes it, on one line; bare where that is not ambiguous."""
    if isinstance(value, str):
        bare = value.isprintable() and read_value(key, value) == value
        return value if bare else inline_toml(value)
    return inline_toml(value)


def parse_value(text: str) -> object:
    """Read one TOML value; text that is not TOML stands for itself."""
    try:
        read = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError):
        return text
    return read["value"] if len(read) == 1 else text


def split_items(text: str) -> list[str]:
    """Split at the commas outside quotes and brackets; ValueError when one is left open.

    Quotes and brackets count where a value begins: the one in `it's` is a letter.
    """
    parts, start, before = [], 0, ""
    open_brackets: list[str] = []
    place = 0
    while place < len(text):
        character = text[place]
        begins = before in ("", ",", "[", "{", "=")
        if begins and character in "\"'":
            place = _end_of_quoted(text, place)
        elif begins and character in "[{":
            open_brackets.append("]" if character == "[" else "}")
        elif open_brackets and character == open_brackets[-1]:
            open_brackets.pop()
        elif character == "," and not open_brackets:
            parts.append(text[start:place].strip())
            start = place + 1
        if not character.isspace():
            before = "," if character == "," else character
        place += 1
    if open_brackets:
        raise ValueError(f"'{open_brackets[-1]}' is missing")
    return [*parts, text[start:].strip()]


def inline_toml(value: object) -> str:
    """Return a value as TOML on one line."""
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(inline_toml(item) for item in value)}]"
    if isinstance(value, Mapping):
        pairs = (f"{_toml_key(str(key))} = {inline_toml(item)}" for key, item in value.items())
        return f"{{{', '.join(pairs)}}}"
    return tomli_w.dumps({"v": value}).removeprefix("v = ").strip()


def _toml_key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else inline_toml(key)


def _kind(model: type[BaseModel], path: list[str]) -> Kind:
    field = model.model_fields.get(path[0]) if path else None
    if field is None:
        return "other"
    origin, arguments = get_origin(field.annotation), get_args(field.annotation)
    if origin is dict and get_origin(arguments[1]) is tuple:
        return "groups" if len(path) == 1 else "texts"
    if len(path) > 1:
        return "other"
    if field.annotation is str or origin is Literal:
        return "text"
    if field.annotation in (int, float):
        return "number"
    if origin is tuple and arguments[0] is str:
        return "texts"
    if origin is tuple and not _is_model(arguments[0]):
        return "numbers"
    return "other"


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _unquoted(text: str) -> str:
    parsed = parse_value(text) if text[:1] in ('"', "'") else text
    return parsed if isinstance(parsed, str) else text


def _items_of_list(text: str) -> list[str]:
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1].strip().removesuffix(",")
    if not text.strip():
        return []
    return split_items(text)


def _groups(text: str) -> object:
    """Read `{name = [a, b], …}`; ValueError or the text itself when it is not that."""
    if not (text.startswith("{") and text.endswith("}")):
        return text if text else {}
    groups: dict[str, object] = {}
    for item in split_items(text[1:-1]) if text[1:-1].strip() else []:
        end = _end_of_quoted(item, 0) + 1 if item[:1] in ('"', "'") else 0
        name, equals, members = item[end:].partition("=")
        name = item[:end] + name
        members = members.strip()
        if not equals or not (members.startswith("[") and members.endswith("]")):
            return parse_value(text)
        groups[_unquoted(name.strip())] = [_unquoted(m) for m in _items_of_list(members)]
    return groups


def _end_of_quoted(text: str, start: int) -> int:
    """Return the place of the quote that closes the one at `start`; ValueError without one."""
    place = start + 1
    while place < len(text) and text[place] != text[start]:
        place += 2 if text[place] == "\\" and text[start] == '"' else 1
    if place >= len(text):
        raise ValueError(f"{text[start]} is missing")
    return place
