"""The rows of the form that set all stages at once: `stages.*.lr` before `stages.0.lr`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from tui_latent.config.preset_fields import PresetField

ALL: Final = "stages.*."
_OF_ITS_OWN: Final = ("title", "latent_dim")
"""settings that distinguish the stages, and make no sense for all at once"""


def rows_of_all_stages(fields: Mapping[str, PresetField]) -> dict[str, PresetField]:
    """Return a row for each setting that several stages have; none with fewer than two stages."""
    found: dict[str, PresetField] = {}
    for key, field in fields.items():
        table, _, name = key.rpartition(".")
        several = table == "stages.0" and f"stages.1.{name}" in fields
        if several and name not in _OF_ITS_OWN:
            help_text = f"in all stages: {field.help.replace(' of this stage', '')}"
            found[ALL + name] = replace(field, key=ALL + name, help=help_text)
    return found


def stage_keys(key: str, fields: Iterable[str]) -> list[str]:
    """Return the keys that `stages.*.lr` stands for, in the order of the stages."""
    name = key.rpartition(".")[2]
    return [own for own in fields if own.startswith("stages.") and own.endswith(f".{name}")]
