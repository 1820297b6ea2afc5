"""The command that trains a preset with changed settings."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from tui_latent.config.effects import WORDS, without_effect
from tui_latent.config.plugin_needs import plugin_words
from tui_latent.config.preset_fields import preset_fields
from tui_latent.config.preset_files import (
    PresetError,
    comes_with_us,
    preset_path,
)
from tui_latent.config.presets import load_preset
from tui_latent.config.setting_values import (
    write_value,
)
from tui_latent.config.settings import Preset, StageSettings


def train_command(name: str, preset: Preset) -> str:
    """Return the command that trains this preset from any folder, as changes to preset `name`.

    Empty when `name` is not a preset, because then no command would work. Differences that have no
    effect are left out.
    """
    try:
        path = preset_path(name)
        base = load_preset(name)
    except PresetError:
        return ""
    source = name if comes_with_us(path) else str(path.expanduser().absolute())
    changes: dict[str, object] = {}
    if base.method.name != preset.method.name:
        try:
            base = load_preset(name, {"method.name": preset.method.name})
            changes["method.name"] = preset.method.name
        except PresetError:
            base = base.model_copy(update={"method": preset.method})
            changes["method"] = preset.method.model_dump(mode="json")
    changes |= {
        key: getattr(preset, key) for key in WORDS if getattr(preset, key) != getattr(base, key)
    }
    if len(base.stages) != len(preset.stages):
        changes["stages"] = preset.model_dump(mode="json")["stages"]
        base = base.model_copy(update={"stages": preset.stages})
    before = {field.key: field.value for field in preset_fields(base)}
    idle = without_effect(preset)
    for field in preset_fields(preset):
        if before[field.key] != field.value and field.key not in idle:
            changes[field.key] = field.value
    words = ["tui-latent", "train", source, *plugin_words(preset)]
    for key, value in changes_by_all_stages(changes, len(preset.stages)).items():
        words += ["--set", f"{key}={write_value(key, value)}"]
    return shlex.join(words)


def changes_by_all_stages(changes: Mapping[str, object], stages: int) -> dict[str, object]:
    """Return changes with one `stages.*` key for each setting with the same value in all stages."""
    shorter = dict(changes)
    for name in StageSettings.model_fields if stages > 1 else ():
        keys = [f"stages.{number}.{name}" for number in range(stages)]
        if all(key in changes and changes[key] == changes[keys[0]] for key in keys):
            shorter = {k: value for k, value in shorter.items() if k not in keys}
            shorter[f"stages.*.{name}"] = changes[keys[0]]
    return shorter
