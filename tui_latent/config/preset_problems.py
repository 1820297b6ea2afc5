"""What pydantic says about a preset, as a key and a problem in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from typing import Any, Final, get_args

from tui_latent.config.methods import METHOD_SETTINGS
from tui_latent.config.plugin_needs import how_to_get
from tui_latent.config.preset_files import nearest
from tui_latent.config.settings import Preset
from tui_latent.plugins.registry import Kind


def problem_in_words(detail: dict[str, Any], table: Mapping[str, Any]) -> tuple[str, str]:
    """Turn an error of pydantic into (key, problem)."""
    path = [str(part) for part in detail["loc"]]
    key = ".".join(path)
    kind = detail["type"]
    if kind == "extra_forbidden":
        return key, f"unknown key{_meant(path, table)}"
    if kind in ("literal_error", "union_tag_invalid"):
        choices = _choices(detail)
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
    wanted = detail["msg"].removeprefix("Input ").partition(", ")[0]  # the rest says it again
    problem = f"{wanted[0].lower()}{wanted[1:]}, not {given}"
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


def _choices(detail: dict[str, Any]) -> list[str]:
    if detail["type"] == "union_tag_invalid":
        return list(METHOD_SETTINGS)
    return [part.strip("' ") for part in detail["ctx"]["expected"].replace(" or ", ",").split(",")]


def _meant(path: list[str], table: Mapping[str, Any]) -> str:
    """Return the end of a message: a key of this name in another table, or one like it here."""
    sections = ["", "data", "augment", "train"]
    method = table.get("method")
    name = method.get("name") if isinstance(method, Mapping) else None
    if isinstance(name, str) and name in METHOD_SETTINGS:
        sections.append("method")
    for section in sections:
        parents = [section] if section else []
        if parents != path[:-1] and path[-1] in _known_keys(parents, table):
            return f"; did you mean '{'.'.join([*parents, path[-1]])}'?"
    return nearest(path[-1], _known_keys(path[:-1], table))


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
