"""A preset being edited: the texts as typed, what they mean, and what is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tui_latent.launch import check_preset
from tui_latent.preset_files import PresetError
from tui_latent.presets import (
    PresetField,
    parse_preset,
    parse_value,
    preset_fields,
    train_command,
)
from tui_latent.settings import Preset

_OF_STAGES = ("train.epochs", "train.lr", "train.warmup_epochs")
"""settings in whose place a preset's stages stand"""


class SettingsDraft:
    """Keeps a text per setting; after every change the whole preset is validated again."""

    def __init__(self, name: str, table: Mapping[str, Any], preset: Preset, runs: Path) -> None:
        self.name = name
        self.fields: dict[str, PresetField] = {f.key: f for f in preset_fields(preset)}
        for key in _OF_STAGES if preset.stages else ():
            help_text = "no effect: the preset's [[stages]] say it"
            self.fields[key] = replace(self.fields[key], help=help_text)
        self.texts = {key: setting_text(field.value) for key, field in self.fields.items()}
        self.preset: Preset | None = preset
        """what the texts make; None while something is wrong"""
        self.errors: dict[str, str] = {}
        """by key; what concerns no single setting stands under the empty key"""
        self._table = table
        self._runs = runs

    @property
    def changed(self) -> list[str]:
        """Keys whose value is not the preset's own."""
        return [
            key
            for key, field in self.fields.items()
            if setting_value(field, self.texts[key]) != _plain(field.value)
        ]

    @property
    def command(self) -> str:
        """The command line that would train the same; empty while something is wrong."""
        return "" if self.preset is None else train_command(self.name, self.preset)

    def write(self, key: str, text: str) -> None:
        """Take over what was typed for a setting."""
        self.texts[key] = text
        overrides = {k: setting_value(self.fields[k], self.texts[k]) for k in self.changed}
        self.preset, self.errors = None, {}
        try:
            preset = parse_preset(self._table, overrides, where=self.name)
            check_preset(preset, self._runs, where=self.name)
            self.preset = preset
        except PresetError as error:
            self._take_errors(error)

    def reset(self, key: str) -> None:
        """Go back to the preset's own value."""
        self.write(key, setting_text(self.fields[key].value))

    def _take_errors(self, error: PresetError) -> None:
        for key, text in error.problems:
            named, colon, rest = text.partition(": ")
            if colon and named in self.fields:  # a table's problem that names one of its settings
                key, text = named, rest
            text = text.removeprefix("input ")  # beside the setting it is clear whose
            if not key:  # a problem of the whole that names one of its settings
                key = next((name for name in self.fields if name in text), "")
            place = self._place(key)
            self.errors.setdefault(place, text if place == key else f"{key}: {text}")

    def _place(self, key: str) -> str:
        """Return the setting beside which a problem's key is shown: itself, its list, its table."""
        while key and key not in self.fields:
            inside = [name for name in self.fields if name.startswith(f"{key}.")]
            if inside:
                return inside[0]
            key = key.rpartition(".")[0]
        return key


def setting_text(value: object) -> str:
    """Return a setting's value as a person types it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, (tuple, list)):
        items = [str(item) for item in value]
        odd = any(item != item.strip() or not item or set(item) & set(',[]"') for item in items)
        return json.dumps(items, ensure_ascii=False) if odd else ", ".join(items)
    if isinstance(value, dict):
        tables = (f"{json.dumps(str(k))} = {json.dumps(list(v))}" for k, v in value.items())
        return f"{{{', '.join(tables)}}}" if value else ""
    return str(value)


def setting_value(field: PresetField, text: str) -> object:
    """Return what a typed text means for a setting; what it cannot mean is left to validation."""
    text = text.strip()
    if field.kind == "flag":
        return {"on": True, "off": False}.get(text, text)
    if field.kind == "choice" or isinstance(field.value, str):
        return text
    if isinstance(field.value, tuple):
        parsed = parse_value(text)
        if isinstance(parsed, list):
            return parsed
        items: list[object] = [item.strip() for item in text.split(",") if item.strip()]
        return [parse_value(str(i)) for i in items] if _numbers(field.value) else items
    if isinstance(field.value, dict):
        return parse_value(text) if text else {}
    return parse_value(text)


def _numbers(value: tuple[object, ...]) -> bool:
    return bool(value) and isinstance(value[0], (int, float))


def _plain(value: object) -> object:
    """Return a value as it would be read from TOML."""
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
