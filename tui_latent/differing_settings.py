"""The settings in which runs differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tui_latent.config.effects import WORDS, effects_of_table
from tui_latent.runs.origin import WATCHED

_DRAW: Final = "data.draw"
_CONFIG: Final = "config."
"""what a loop that is watched says about itself"""


@dataclass(frozen=True)
class SettingRow:
    """A setting that is not the same in all presets."""

    key: str
    """`method.latent_dim`, `stages.0.epochs`, as `--set` takes it"""
    values: tuple[Any, ...]
    """None if a preset does not have it, or it has no effect there"""


def differing_settings(presets: Sequence[Mapping[str, Any]]) -> tuple[SettingRow, ...]:
    """Return the settings whose values differ, in the presets' order.

    Those without effect are left out, and so are differences between their values. What only runs
    from elsewhere have is compared among them, and the rest among the others.
    """
    flat = [_effective(preset) for preset in presets]
    keys = dict.fromkeys(key for settings in flat for key in settings)
    tables = list(dict.fromkeys(key.partition(".")[0] for key in keys))
    rows = []
    for key in sorted(keys, key=lambda key: tables.index(key.partition(".")[0])):
        values = tuple(settings.get(key) for settings in flat)
        named = [
            value
            for value, preset in zip(values, presets, strict=True)
            if has_preset(preset) != key.startswith(_CONFIG)
        ]
        if any(value != named[0] for value in named):
            rows.append(SettingRow(key, values))
    return tuple(rows)


def has_preset(table: Mapping[str, Any]) -> bool:
    """Return whether a run has a preset: one from elsewhere has at most a table of its own."""
    return "method" in table


def setting_text(value: Any) -> str:
    """Return a setting's value in plain words."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(setting_text, value)) or "none"
    return " ".join(str(value).split()) or "none"


def _effective(preset: Mapping[str, Any]) -> dict[str, Any]:
    idle = tuple(effects_of_table(preset))
    below = tuple(f"{key}." for key in idle)
    flat = {
        key: value
        for key, value in _flattened(preset)
        if key not in idle and not key.startswith(below)
    }
    if "data" in preset and _DRAW not in idle:
        flat.setdefault(_DRAW, "by-class")  # as all runs of version 0.1
    return flat


def _flattened(table: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for key, value in table.items():
        if key in (*WORDS, WATCHED) or (key == "stages" and not value):
            continue
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _flattened(value, f"{name}.")
        elif isinstance(value, Sequence) and value and all(isinstance(v, Mapping) for v in value):
            for number, item in enumerate(value):
                yield from _flattened(item, f"{name}.{number}.")
        else:
            yield name, value
