"""Presets that the form saves: their content, their names, and no overwriting without asking."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import tomli_w

from tui_latent.config.own_folders import own_presets, remember_folder
from tui_latent.config.preset_files import PresetError, preset_names
from tui_latent.config.presets import merged_table
from tui_latent.config.setting_values import write_value
from tui_latent.config.settings import Preset
from tui_latent.config.train_command import changes_by_all_stages
from tui_latent.runs.atomic_files import replace_file

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_MEASURED: Final = ("expect", "minutes")
"""keys for what was measured with a preset, which does not hold for a changed one"""


def name_problem(folder: Path, name: str) -> str:
    """Return why a saved preset cannot be called `name` in `folder`; empty if it can."""
    if not _NAME.fullmatch(name):
        return "use letters, digits, '.', '-' and '_', beginning with a letter or a digit"
    if name in preset_names():
        return f"'{name}' comes with tui-latent: choose another name"
    taken = own_presets().get(name)
    if taken is not None and taken != preset_file(folder, name):
        return f"'{name}' exists in {taken.parent} already: choose another name"
    if folder.exists() and not folder.is_dir():
        return f"{folder} is not a folder"
    return ""


def preset_file(folder: Path, name: str) -> Path:
    """Return the file of a saved preset."""
    return folder / f"{name}.toml"


def changed_table(
    name: str, table: Mapping[str, Any], overrides: Mapping[str, object], preset: Preset
) -> dict[str, Any]:
    """Return the table of preset `name` with changes applied, for a file of its own.

    Its description names the changes, and it promises nothing that was measured before. `preset`
    is the result of the table and the changes, with absolute paths.
    """
    merged = merged_table(table, overrides, where=name)
    merged.pop("provenance", None)
    for section, key in (("data", "path"), ("data", "weights"), *_earlier_run(preset)):
        if merged.get(section, {}).get(key):
            merged[section][key] = getattr(getattr(preset, section), key)
    if overrides:
        merged = {key: value for key, value in merged.items() if key not in _MEASURED}
        changes = changes_by_all_stages(overrides, len(preset.stages)).items()
        said = ", ".join(f"{key}={write_value(key, value)}" for key, value in changes)
        merged["about"] = f"{name} with {said}. {merged.get('about', '')}".strip()
    return merged


def _earlier_run(preset: Preset) -> tuple[tuple[str, str], ...]:
    earlier = preset.method.earlier_run()
    return (("method", earlier.setting),) if earlier else ()


def save_preset(folder: Path, name: str, table: Mapping[str, Any], replace: bool = False) -> Path:
    """Write a preset, list its folder from now on, and return the file.

    PresetError if the name cannot be used, if the file exists and `replace` is not set, or if the
    folder cannot be written to.
    """
    path = preset_file(folder, name)
    if problem := name_problem(folder, name):
        raise PresetError(name, [("", problem)])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(path, tomli_w.dumps(dict(table)).encode(), replace)
        remember_folder(folder)
    except OSError as error:
        raise PresetError(str(path), [("", f"cannot be written: {error.strerror}")]) from error
    return path


def _write(path: Path, content: bytes, replace: bool) -> None:
    if replace:
        replace_file(path, content, durable=True)
        return
    with path.open("xb"):  # claims the name: two forms may save at once
        pass
    try:
        replace_file(path, content, durable=True)
    except OSError:
        path.unlink(missing_ok=True)
        raise
