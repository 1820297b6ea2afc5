"""Which terms of the loss a report draws: the total, and those with a weight in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from tui_latent.config.methods import method_settings

_NOT_TERMS: Final = frozenset({"loss", "lr", "images_per_second", "screen_share"})
"""metrics under `train/` that are no loss terms"""


def loss_terms(preset: Mapping[str, Any], metrics: Iterable[str]) -> list[str]:
    """Return `loss` and the recorded terms that count in it, in the order of their records.

    If the preset's method is not known here, every other metric of the training is a term.
    """
    parts = [metric.partition("/") for metric in metrics]
    recorded = dict.fromkeys(name for group, _, name in parts if group in ("train", "val"))
    method = method_settings(preset)
    if method is None:
        terms = {name for group, _, name in parts if group == "train"} - _NOT_TERMS
    else:
        # Only whether a weight is 0 matters, and that does not depend on the size of the images.
        terms = {name for name, weight in method.term_weights(1).items() if weight}
    shown = [name for name in recorded if name in terms]
    return (["loss"] if "loss" in recorded else []) + shown
