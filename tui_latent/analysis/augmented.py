"""Whether a preset augments its images at all: many train without."""

from __future__ import annotations

from typing import Final

from tui_latent.analysis.run_data import NO_NETWORK
from tui_latent.config.settings import OF_FEATURES, Preset

_COLOURS: Final = ("brightness", "contrast", "saturation", "hue")
_SHAPES: Final = ("elastic_grid", "jitter", *_COLOURS, *OF_FEATURES)
"""settings that do not change images by themselves"""


def no_augmentation(preset: Preset | None) -> str:
    """Return why there are no random views of a preset's images; empty if it trains on some."""
    if preset is None:
        return NO_NETWORK
    if preset.method.fitted:
        return f"{preset.method.name} sees the images as they are"
    if preset.data.inputs != "raw":
        return f"the network sees {preset.data.inputs} features of the images as they are"
    augment = preset.augment
    alone = any(value for name, value in augment if name not in _SHAPES)
    jitters = augment.jitter and any(getattr(augment, name) for name in _COLOURS)
    return "" if alone or jitters else "this preset trains without augmentation"
