"""Which settings have no effect in combination with others, and what to set instead.

The command line, sweeps and the form refuse a setting that would change nothing, and the
comparison omits it; all of them use this module. Settings that a single method reads are
described by `MethodSettings.without_effect`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from tui_latent.config.settings import (
    DEFAULT_VAL_FRACTION,
    OF_FEATURES,
    AugmentSettings,
    Preset,
    TrainSettings,
)
from tui_latent.sources import SOURCES, OwnSource, PublicDataset

Condition = Callable[[Preset], bool]

WORDS: Final = ("title", "about", "expect", "minutes")
"""fields that describe a preset and change nothing"""


def _switched_off(value: Any) -> bool:
    return not value


@dataclass(frozen=True)
class Rule:
    """Settings that have no effect under a condition."""

    keys: tuple[str, ...]
    """dotted names; `augment.*` stands for all settings of that table"""
    when: Condition
    why: str
    """the reason, then what to set; {name} is the name of the setting, {a.b} another value"""
    harmless: Callable[[Any], bool] = _switched_off
    """whether a value is accepted although it has no effect, for example because it means off"""


def _never(value: Any) -> bool:
    return False


def _draws(preset: Preset) -> bool:
    """Return whether some images of the source are drawn to be held out, or to train on."""
    data, source = preset.data, SOURCES[preset.data.source]
    own_test = isinstance(source, PublicDataset) and bool(source.test_files)
    return bool(data.per_class or data.val_fraction or not own_test)


def _is_auto(value: Any) -> bool:
    return bool(value == "auto")


_COLOURS: Final = ("augment.brightness", "augment.contrast", "augment.saturation", "augment.hue")

_RULES: Final = (
    Rule(
        ("train.epochs", "train.lr", "train.warmup_epochs"),
        lambda preset: bool(preset.stages),
        "the preset trains in stages, each with its own: "
        "set stages.0.{name} for the first of them, or stages.*.{name} for all",
        _never,
    ),
    Rule(
        ("data.path",),
        lambda preset: not SOURCES[preset.data.source].needs_path,
        "the images are those of '{data.source}': set data.source=folder, arrays or manifest too",
    ),
    Rule(
        ("data.root", "data.image_column", "data.label_column"),
        lambda preset: not SOURCES[preset.data.source].is_table,
        "only tables of images have columns and paths: set data.source=manifest too",
    ),
    Rule(
        ("data.skip_corrupt",),
        lambda preset: not SOURCES[preset.data.source].skips_corrupt,
        "only image folders and tables can skip single files: set data.source=folder or manifest",
    ),
    Rule(
        ("data.range",),
        lambda preset: isinstance(SOURCES[preset.data.source], (PublicDataset, OwnSource)),
        "the images of '{data.source}' have a range of their own: set it for a folder or arrays",
        lambda value: bool(value == "dtype"),
    ),
    Rule(
        ("data.fit",),
        lambda preset: _is_square(preset),
        "the images are square, or keep their size: set data.size too if they are not square",
        lambda value: bool(value == "crop"),
    ),
    Rule(
        ("data.show",),
        lambda preset: _channels(preset) == 1,
        "the images have one channel",
    ),
    Rule(
        ("data.resident",),
        lambda preset: preset.method.fitted,
        "the method '{method.name}' is fitted to all images at once, in memory",
        _is_auto,
    ),
    Rule(
        ("data.resident",),
        lambda preset: preset.data.inputs != "raw",
        "steps read only the features, which are on the device already: set data.inputs=raw",
        _is_auto,
    ),
    Rule(
        ("data.weights",),
        lambda preset: preset.data.inputs in ("raw", "hog"),
        "data.inputs is '{data.inputs}', which needs no weights: "
        "set data.inputs=resnet18 or data.inputs=timm:NAME too",
    ),
    Rule(
        ("data.classes", "data.merge"),
        lambda preset: preset.data.labels == "none",
        "data.labels is 'none', so images have no classes: set data.labels=auto",
    ),
    Rule(
        ("data.draw",),
        lambda preset: not _draws(preset),
        "all images are used: set data.per_class or data.val_fraction too",
        lambda value: value == "auto",
    ),
    Rule(
        ("data.merge",),
        lambda preset: not preset.method.supervised,
        "the method '{method.name}' does not use labels",
    ),
    Rule(
        tuple(f"augment.{n}" for n in AugmentSettings.model_fields if n not in OF_FEATURES),
        lambda preset: preset.data.inputs != "raw",
        "the network sees features of images without augmentations: set data.inputs=raw, or "
        "augment.feature_noise and augment.feature_dropout",
    ),
    Rule(
        tuple(f"augment.{n}" for n in OF_FEATURES),
        lambda preset: preset.data.inputs == "raw",
        "the network sees images, not features: set data.inputs too, or augment the images",
    ),
    Rule(
        ("augment.*",),
        lambda preset: preset.method.fitted,
        "the method '{method.name}' sees the images as they are",
    ),
    Rule(
        ("augment.elastic_grid",),
        lambda preset: not preset.augment.elastic,
        "augment.elastic is 0: set it too",
    ),
    Rule(
        ("augment.saturation", "augment.hue", "augment.grayscale"),
        lambda preset: _channels(preset) == 1,
        "the images have no colour: use augment.brightness and augment.contrast instead",
    ),
    Rule(
        ("augment.saturation", "augment.hue", "augment.grayscale"),
        lambda preset: _channels(preset) not in (None, 3),
        "the channels of the images are not red, green and blue: use augment.brightness and "
        "augment.contrast instead",
    ),
    Rule(
        ("augment.jitter",),
        lambda preset: (
            not any(_get(preset, k) for k in _COLOURS[: 4 if _channels(preset) in (None, 3) else 2])
        ),
        "no colour change is set: set augment.brightness, contrast, saturation or hue too",
    ),
    Rule(
        _COLOURS,
        lambda preset: not preset.augment.jitter,
        "augment.jitter, the share of views with colour jitter, is 0: set it too",
    ),
    Rule(
        ("method.network",),
        lambda preset: preset.data.inputs != "raw",
        "inputs other than images always use mlp: set data.inputs=raw",
        lambda value: bool(value == "mlp"),
    ),
    Rule(
        ("method.width",),
        lambda preset: _of_timm(preset) and not preset.method.decodes,
        "the networks of timm have a width of their own: name another with method.network",
        _never,
    ),
    Rule(
        ("method.initial_weights",),
        lambda preset: not _of_timm(preset),
        "only a timm network can start from weights: set method.network=timm:NAME too, with "
        "data.inputs=raw",
    ),
    Rule(
        ("train.seed",),
        lambda preset: preset.method.fitted and not preset.data.per_class,
        "the method '{method.name}' is not random, unless data.per_class draws the images",
    ),
    Rule(
        ("train.device",),
        lambda preset: preset.method.fitted,
        "the method '{method.name}' is always fitted on the CPU",
        lambda value: value in ("auto", "cpu"),
    ),
    Rule(
        tuple(
            f"train.{name}" for name in TrainSettings.model_fields if name not in ("seed", "device")
        ),
        lambda preset: preset.method.fitted,
        "the method '{method.name}' is fitted in one go, without epochs, steps or a learning rate",
    ),
    Rule(
        ("train.momentum",),
        lambda preset: preset.train.optimizer in ("adamw", "adam"),
        "the optimizer '{train.optimizer}' has none: "
        "set train.optimizer=sgd or train.optimizer=lars too",
    ),
    Rule(
        ("train.patience",),
        lambda preset: _last_look(preset) <= _before_last_stage(preset),
        "the held-out loss is measured only at the end: lower train.eval_every",
    ),
    Rule(
        ("train.pause_on_collapse",),
        lambda preset: _last_look(preset) <= 0,
        "the latents are measured only at the end: lower train.eval_every",
    ),
    Rule(
        ("train.schedule",),
        lambda preset: all(s.warmup_epochs >= s.epochs for s in preset.training_stages()),
        "the warm-up lasts to the end: lower warmup_epochs",
    ),
)


def without_effect(preset: Preset) -> dict[str, str]:
    """Return the settings that change nothing in this preset, each with why and what to set."""
    return {key: sentence for key, (sentence, _) in _found(preset).items()}


def idle_settings(preset: Preset, keys: Iterable[str]) -> dict[str, str]:
    """Return the keys that have no effect, with the reason, except those that are turned off."""
    found = {
        key: sentence
        for key, (sentence, harmless) in _found(preset).items()
        if not harmless(_get(preset, key))
    }
    asked = list(keys)
    return {
        key: sentence
        for key, sentence in found.items()
        if any(name == key or name.startswith(f"{key}.") for name in asked)
    }


def effective(preset: Preset) -> Preset:
    """Return the preset with defaults for all settings that change nothing.

    Presets that train the same model become equal, whatever their names.
    """
    sections: dict[str, dict[str, Any]] = {}
    for key in without_effect(preset):
        section, name = key.split(".")
        field = type(getattr(preset, section)).model_fields[name]
        sections.setdefault(section, {})[name] = field.get_default()
    data = preset.data.model_copy(update=sections.pop("data", {}))
    fraction = data.val_fraction
    source = SOURCES[data.source]
    if isinstance(source, PublicDataset) and not source.test_files and not fraction:
        fraction = DEFAULT_VAL_FRACTION
    merge = {name: tuple(sorted(members)) for name, members in sorted(data.merge.items())}
    same = {"classes": tuple(sorted(set(data.classes))), "merge": merge, "val_fraction": fraction}
    changes: dict[str, Any] = {
        section: getattr(preset, section).model_copy(update=values)
        for section, values in sections.items()
    }
    changes["data"] = data.model_copy(update=same)
    changes["stages"] = tuple(stage.model_copy(update={"title": ""}) for stage in preset.stages)
    words = {name: Preset.model_fields[name].get_default() for name in WORDS}
    return preset.model_copy(update=changes | words)


def effects_of_table(table: Mapping[str, Any]) -> Mapping[str, str]:
    """Return `without_effect` for the table of a preset; empty if the table is invalid."""
    try:
        return without_effect(Preset.model_validate(dict(table)))
    except ValidationError:
        return {}


def _found(preset: Preset) -> dict[str, tuple[str, Callable[[Any], bool]]]:
    found: dict[str, tuple[str, Callable[[Any], bool]]] = {}
    for rule in _RULES:
        keys = [key for key in _expanded(rule.keys, preset) if key not in found]
        if keys and rule.when(preset):
            found |= {key: (_sentence(rule.why, key, preset), rule.harmless) for key in keys}
    for name, why in preset.method.without_effect().items():
        found.setdefault(f"method.{name}", (f"has no effect, because {why}", _switched_off))
    return found


def _expanded(keys: Iterable[str], preset: Preset) -> Iterable[str]:
    for key in keys:
        section, name = key.split(".")
        model: BaseModel = getattr(preset, section)
        fields = type(model).model_fields
        yield from [f"{section}.{field}" for field in fields if name in ("*", field)]


def _sentence(why: str, key: str, preset: Preset) -> str:
    text = why.replace("{name}", key.rpartition(".")[2])
    for other in ("data.source", "data.inputs", "method.name", "train.optimizer"):
        text = text.replace(f"{{{other}}}", str(_get(preset, other)))
    return f"has no effect, because {text}"


def _get(preset: Preset, key: str) -> Any:
    section, name = key.split(".")
    return getattr(getattr(preset, section), name, None)


def _of_timm(preset: Preset) -> bool:
    network = str(getattr(preset.method, "network", ""))
    return preset.data.inputs == "raw" and network.startswith("timm:")


def _channels(preset: Preset) -> int | None:
    """Return the number of channels of the images, if that is known."""
    shape = SOURCES[preset.data.source].image_shape(preset.data.path)
    return None if shape is None else shape[0]


def _is_square(preset: Preset) -> bool:
    """Return whether images are known to be square, or are not made so."""
    source = SOURCES[preset.data.source]
    if source.skips_corrupt:  # files, which are always made square
        return False
    shape = source.image_shape(preset.data.path)
    return not preset.data.size or (shape is not None and shape[1] == shape[2])


def _last_look(preset: Preset) -> float:
    """Return the epoch of the last evaluation before the final one; 0 if there is none."""
    total = sum(stage.epochs for stage in preset.training_stages())
    every = preset.train.eval_every
    return (math.ceil(total / every) - 1) * every


def _before_last_stage(preset: Preset) -> int:
    return sum(stage.epochs for stage in preset.training_stages()[:-1])
