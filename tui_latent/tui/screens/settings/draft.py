"""A preset being edited: the text of each setting, its value, and its errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui_latent.config.effects import idle_settings
from tui_latent.config.own_presets import changed_table
from tui_latent.config.preset_fields import PresetField, preset_fields
from tui_latent.config.preset_files import PresetError
from tui_latent.config.presets import parse_preset, resolve_preset
from tui_latent.config.setting_values import inline_toml, parse_value, read_value
from tui_latent.config.settings import Preset
from tui_latent.config.train_command import train_command
from tui_latent.launch.start import check_preset, with_absolute_paths
from tui_latent.runs.run_facts import changes_in
from tui_latent.tui.expected_time import ExpectedTime, expected_time_as_edited
from tui_latent.tui.screens.settings.stage_rows import rows_of_all_stages, stage_keys

if TYPE_CHECKING:
    from tui_latent.runs.schema import RunSummary


class SettingsDraft:
    """Holds the text of each setting; every change validates the whole preset."""

    def __init__(self, name: str, table: Mapping[str, Any], preset: Preset, runs: Path) -> None:
        self.name = name
        own = {field.key: field for field in preset_fields(preset)}
        shared = rows_of_all_stages(own)
        self._in_stages = {key: stage_keys(key, own) for key in shared}
        """the keys of each stage, by the key that stands for all of them"""
        first = next((key for key in own if key.startswith("stages.")), "")
        self.fields: dict[str, PresetField] = {}
        """by key; `stages.*.lr`, which sets the `lr` of every stage, is before the stages"""
        for key, field in own.items():
            self.fields |= shared if key == first else {}
            self.fields[key] = field
        self.texts = {key: setting_text(field.value) for key, field in own.items()}
        self.preset: Preset | None = preset
        """the edited preset; None while there are errors"""
        self.errors: dict[str, str] = {}
        """by key; errors that concern no single setting have the empty key"""
        self.idle: dict[str, str] = idle_settings(preset, self.fields)
        """why a setting has no effect beside the others, by key"""
        self._own = preset
        self._table = table
        self._runs = runs
        self._saved: dict[str, object] = {}
        self._share_texts()

    @property
    def changed(self) -> list[str]:
        """Keys whose value differs from the preset's."""
        return [
            key
            for key, field in self.fields.items()
            if key not in self._in_stages
            and setting_value(field, self.texts[key]) != _plain(field.value)
        ]

    @property
    def unsaved(self) -> list[str]:
        """Keys whose value differs from the preset's and was not saved as a preset either."""
        values = self._overrides()
        nowhere = object()
        return [key for key in values if values[key] != self._saved.get(key, nowhere)]

    @property
    def command(self) -> str:
        """The equivalent command line; empty while there are errors."""
        return "" if self.preset is None else train_command(self.name, self.preset)

    def expected_time(self, device: str, runs: Sequence[RunSummary]) -> ExpectedTime | None:
        """Return how long training takes with these settings; None if that is not known.

        `device` is what `auto` chooses, `cpu` or `cuda`.
        """
        if self.preset is None:
            return None
        before = self._own, changes_in(train_command(self.name, self._own))
        after = self.preset, changes_in(self.command)
        return expected_time_as_edited(self.name, before, after, device, runs)

    def write(self, key: str, text: str) -> None:
        """Set the text of a setting.

        An empty text for all stages restores the preset's value of each.
        """
        for own in self._in_stages.get(key, [key]):
            empty = key in self._in_stages and not text.strip()
            self.texts[own] = setting_text(self.fields[own].value) if empty else text
        self._share_texts(but=key)
        self.texts[key] = text
        overrides = self._overrides()
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
        if key in self._in_stages:
            self.write(key, "")
            self._share_texts()
        else:
            self.write(key, setting_text(self.fields[key].value))

    def saved_table(self) -> dict[str, Any]:
        """Return the table to save as a preset; call this only while there are no errors."""
        assert self.preset is not None
        preset = with_absolute_paths(self.preset, self._runs)
        return changed_table(self.name, self._table, self._overrides(), preset)

    def mark_saved(self, table: Mapping[str, Any]) -> None:
        """Note that `saved_table()` was written to a file: leaving the form does not lose it."""
        if self.preset is not None and self.saved_table() == table:
            self._saved = self._overrides()

    def error_of(self, key: str) -> str:
        """Return what is wrong with a setting; empty if nothing is.

        A row for all stages has the first of their errors, if all stages have the same text.
        """
        stages = self._in_stages.get(key)
        if stages is None:
            return self.errors.get(key, "")
        found = [self.errors[own] for own in stages if own in self.errors]
        return found[0] if found and self.texts[key] else ""

    def varied(self, key: str, width: int) -> str:
        """Return the values of the stages if they differ, as many as fit; else an empty text."""
        if self.texts[key] or key not in self._in_stages:
            return ""
        values = [self.texts[own] for own in self._in_stages[key]]
        shown = " · ".join(values)
        while len(shown) > width and values:
            values.pop()
            shown = " · ".join([*values, "…"])
        return shown

    def preset_text(self, key: str) -> str:
        """Return the preset's value as text; for all stages, each value if they differ."""
        keys = self._in_stages.get(key, [key])
        texts = [setting_text(self.fields[own].value) for own in keys]
        return texts[0] if len(set(texts)) == 1 else " · ".join(texts)

    def stage_title(self, number: str) -> str:
        """Return the title of a stage; empty if it has none."""
        return self.texts.get(f"stages.{number}.title", "")

    def changed_rows(self) -> set[str]:
        """Return the changed keys, and those of the rows that stand for one of them."""
        changed = set(self.changed)
        return changed | {key for key, own in self._in_stages.items() if changed & {*own}}

    def _overrides(self) -> dict[str, object]:
        return {key: setting_value(self.fields[key], self.texts[key]) for key in self.changed}

    def _share_texts(self, but: str = "") -> None:
        """Give each row for all stages their common text, or none if they differ."""
        for key, stages in self._in_stages.items():
            if key != but:
                texts = {self.texts[own] for own in stages}
                self.texts[key] = texts.pop() if len(texts) == 1 else ""

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
