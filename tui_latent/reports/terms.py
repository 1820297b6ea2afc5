"""Which terms of the loss a report draws: the total, and those with a weight in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tui_latent.config.methods import method_settings
from tui_latent.runs.metric_specs import term_names


def loss_terms(preset: Mapping[str, Any], metrics: Iterable[str]) -> list[str]:
    """Return `loss` and the recorded terms with a weight in it, in the order of their records.

    If the preset's method is not known here, every recorded term counts.
    """
    recorded = list(metrics)
    method = method_settings(preset)
    if method is None:
        terms = term_names(recorded)
    else:
        # Only whether a weight is 0 matters, and that does not depend on the size of the images.
        weights = method.term_weights(1)
        terms = [name for name in term_names(recorded, weights) if weights[name]]
    return (["loss"] if {"train/loss", "val/loss"} & set(recorded) else []) + terms
