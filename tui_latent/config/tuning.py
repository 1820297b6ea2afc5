"""Settings that can be changed while a run trains: rates, loss weights and augmentations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tui_latent.config.effects import without_effect
from tui_latent.config.preset_fields import PresetField, preset_fields
from tui_latent.config.preset_files import PresetError
from tui_latent.config.presets import parse_preset, resolve_preset
from tui_latent.config.settings import AugmentSettings, Preset

Value = float | int | str | bool

_STRENGTHS = frozenset(
    f"augment.{name}"
    for name, field in AugmentSettings.model_fields.items()
    if field.annotation is float
)
"""every augmentation but the number of control points of the elastic one, which is its shape"""


def tunable_settings(preset: Preset) -> tuple[PresetField, ...]:
    """Return the settings of a preset that can change between two updates of its training.

    First learning rates, then loss weights, then augmentations; none for a method that is fitted.
    """
    if preset.method.fitted:
        return ()
    order = {key: number for number, key in enumerate(_keys(preset))}
    fields = [field for field in preset_fields(preset) if field.key in order]
    return tuple(sorted(fields, key=lambda field: order[field.key]))


def live_values(preset: Preset) -> dict[str, Value]:
    """Return the value of each setting that can change while the run trains."""
    return {field.key: _value(field.value) for field in tunable_settings(preset)}


def rate_settings(preset: Preset) -> tuple[str, ...]:
    """Return the names of the learning rates, one for each stage."""
    if not preset.stages:
        return ("train.lr",)
    return tuple(f"stages.{number}.lr" for number in range(len(preset.stages)))


def with_values(preset: Preset, values: Mapping[str, Value]) -> Preset:
    """Return a preset with other values; PresetError if one of them is not allowed."""
    return resolve_preset(preset.model_dump(mode="json"), values, where="the run")


def changed_settings(
    preset: Preset, overrides: Mapping[str, object], where: str, stage: int = 0
) -> dict[str, Value]:
    """Return the settings that `overrides` change, for a run that now has `preset`.

    `stage` is the stage that the run is in: rates of earlier ones are left out. PresetError as for
    `--set`, if nothing would change, or if a setting is fixed while the run trains.
    """
    after = parse_preset(preset.model_dump(mode="json"), overrides, where)
    old = {field.key: field.value for field in preset_fields(preset)}
    new = {field.key: field.value for field in preset_fields(after)}
    changed = [key for key in new if old.get(key) != new[key]]
    _refuse_fixed(preset, changed, where)
    over = set(rate_settings(preset)[:stage])
    ahead = [key for key in changed if key not in over]
    if changed and not ahead:
        problem = f"stage {int(changed[-1].split('.')[1]) + 1} is over"
        raise PresetError(where, [(changed[-1], problem)])
    if not changed:
        raise PresetError(where, [(key, "it has this value already") for key in overrides])
    return {key: _value(new[key]) for key in ahead}


def _keys(preset: Preset) -> list[str]:
    weights = [f"method.{name}" for name in type(preset.method).weights]
    strengths = [f"augment.{name}" for name in AugmentSettings.model_fields]
    idle = without_effect(preset).keys() & without_effect(_all_weighed(preset)).keys()
    known = [*rate_settings(preset), *weights, *(key for key in strengths if key in _STRENGTHS)]
    return [key for key in known if key not in idle]


def _all_weighed(preset: Preset) -> Preset:
    """Return a preset with all weights and strengths on: what has no effect there never has one."""
    every = {key: 1e-3 for key in _STRENGTHS} | {
        f"method.{name}": 1e-3 for name in type(preset.method).weights
    }
    return with_values(preset, every)


def _refuse_fixed(preset: Preset, changed: Iterable[str], where: str) -> None:
    if preset.method.fitted:
        problem = (
            f"{preset.method.name} is fitted in one go: nothing can be changed while that runs"
        )
        raise PresetError(where, [("", problem)])
    can = {field.key for field in tunable_settings(preset)}
    if fixed := [key for key in changed if key not in can]:
        weights = ", ".join(f"method.{name}" for name in type(preset.method).weights)
        problem = (
            f"is fixed while the run trains; {', '.join(rate_settings(preset))}"
            f"{', ' + weights if weights else ''} and the strengths of augment can be changed"
        )
        raise PresetError(where, [(key, problem) for key in fixed])


def _value(value: object) -> Value:
    assert isinstance(value, (bool, int, float, str))
    return value
