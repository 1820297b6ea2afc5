"""A preset being edited: the text of each setting, its value, and its errors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tui_latent.config.effects import idle_settings
from tui_latent.config.preset_files import PresetError
from tui_latent.config.presets import (
    PresetField,
    parse_preset,
    preset_fields,
    resolve_preset,
    train_command,
)
from tui_latent.config.setting_values import inline_toml, parse_value, read_value
from tui_latent.config.settings import Preset
from tui_latent.launch.start import check_preset


class SettingsDraft:
    """Holds the text of each setting; every change validates the whole preset."""

    def __init__(self, name: str, table: Mapping[str, Any], preset: Preset, runs: Path) -> None:
        self.name = name
        self.fields: dict[str, PresetField] = {f.key: f for f in preset_fields(preset)}
        self.texts = {key: setting_text(field.value) for key, field in self.fields.items()}
        self.preset: Preset | None = preset
        """the edited preset; None while there are errors"""
        self.errors: dict[str, str] = {}
        """by key; errors that concern no single setting have the empty key"""
        self.idle: dict[str, str] = idle_settings(preset, self.fields)
        """why a setting has no effect beside the others, by key"""
        self._table = table
        self._runs = runs

    @property
    def changed(self) -> list[str]:
        """Keys whose value differs from the preset's."""
        return [
            key
            for key, field in self.fields.items()
            if setting_value(field, self.texts[key]) != _plain(field.value)
        ]

    @property
    def command(self) -> str:
        """The equivalent command line; empty while there are errors."""
        return "" if self.preset is None else train_command(self.name, self.preset)

    def write(self, key: str, text: str) -> None:
        """Set the text of a setting."""
        self.texts[key] = text
        overrides = {k: setting_value(self.fields[k], self.texts[k]) for k in self.changed}
        self.preset, self.errors = None, {}
        try:
            self.idle = idle_settings(
                resolve_preset(self._table, overrides, where=self.name), self.fields
            )
            preset = parse_preset(self._table, overrides, where=self.name)
            check_preset(preset, self._runs, where=self.name)
            self.preset = preset
        except PresetError as error:
            self._take_errors(error)

    def reset(self, key: str) -> None:
        """Restore the preset's value."""
        self.write(key, setting_text(self.fields[key].value))

    def _take_errors(self, error: PresetError) -> None:
        for key, text in error.problems:
            named, colon, rest = text.partition(": ")
            if colon and named in self.fields:  # a table's problem that names one of its settings
                key, text = named, rest
            text = text.removeprefix("input ")  # the setting beside it says which
            if not key:  # a problem of the whole preset that names a setting
                key = next((name for name in self.fields if name in text), "")
            place = self._place(key)
            self.errors.setdefault(place, text if place == key else f"{key}: {text}")

    def _place(self, key: str) -> str:
        """Return the setting beside which a key's error is shown: its own, or one of its table."""
        while key and key not in self.fields:
            inside = [name for name in self.fields if name.startswith(f"{key}.")]
            if inside:
                return inside[0]
            key = key.rpartition(".")[0]
        return key


def setting_text(value: object) -> str:
    """Return a setting's value as text to edit."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, (tuple, list)):
        items = [str(item) for item in value]
        plain = ", ".join(items)
        texts = bool(items) and isinstance(value[0], str)
        return inline_toml(value) if texts and read_value("data.classes", plain) != items else plain
    if isinstance(value, dict):
        return inline_toml(value) if value else ""
    return str(value)


def setting_value(field: PresetField, text: str) -> object:
    """Return the value of a setting's text; validation rejects what is impossible."""
    text = text.strip()
    if field.kind == "flag":
        return {"on": True, "off": False}.get(text, text)
    if field.kind == "choice" or isinstance(field.value, str):
        return text
    if isinstance(field.value, (tuple, dict)):
        return read_value(field.key, text)
    return parse_value(text)


def _plain(value: object) -> object:
    """Return a value as it would be read from TOML."""
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
