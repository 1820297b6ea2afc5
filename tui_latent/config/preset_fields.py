"""The settings of a preset, as a form shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tui_latent.config.feature_models import OWN_INPUTS, PREFIXES, known_inputs
from tui_latent.config.networks import NETWORKS, known_network
from tui_latent.config.settings import Preset, StageSettings
from tui_latent.sources.base import SOURCES, menu_order

_NOT_SET = (("method", "name"), ("data", "class_order"), ("data", "depth"))
"""settings that the form does not offer: another method needs another preset"""


@dataclass(frozen=True)
class PresetField:
    """One setting, as a form shows it."""

    key: str
    """dotted, as `--set` takes it"""
    value: object
    kind: Literal["choice", "flag", "number", "text"]
    choices: tuple[str, ...]
    help: str
    open: tuple[str, ...] = ()
    """beginnings of values that are possible besides the choices: timm:"""


def preset_fields(preset: Preset) -> list[PresetField]:
    """List the settings of data, augment, method, train and the stages, in that order."""
    fields = []
    for section in ("data", "augment", "method", "train"):
        model: BaseModel = getattr(preset, section)
        for name, info in type(model).model_fields.items():
            if (section, name) not in _NOT_SET:
                fields.append(_field(f"{section}.{name}", getattr(model, name), info))
    for number, stage in enumerate(preset.stages):
        for name, info in StageSettings.model_fields.items():
            fields.append(_field(f"stages.{number}.{name}", getattr(stage, name), info))
    return fields


def _field(key: str, value: object, info: FieldInfo) -> PresetField:
    choices: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    kind: Literal["choice", "flag", "number", "text"] = "text"
    if key == "data.source":
        choices = tuple(source.name for source in sorted(SOURCES.values(), key=menu_order))
        kind = "choice"
    elif any(getattr(rule, "func", None) is known_network for rule in info.metadata):
        choices, kind, prefixes = (*NETWORKS, "timm:"), "choice", ("timm:",)
    elif any(getattr(rule, "func", None) is known_inputs for rule in info.metadata):
        choices, kind, prefixes = (*OWN_INPUTS, *PREFIXES), "choice", PREFIXES
    elif get_origin(info.annotation) is Literal:
        choices, kind = get_args(info.annotation), "choice"
    elif isinstance(value, bool):
        kind = "flag"
    elif isinstance(value, (int, float)):
        kind = "number"
    words = " ".join((info.description or "").split())  # on one line
    return PresetField(key, value, kind, choices, words, prefixes)
