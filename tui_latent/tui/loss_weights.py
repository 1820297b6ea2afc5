"""How much each term counts in a run's loss, from its preset and its method's specification."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from tui_latent.runs.schema import Curve, RunSnapshot
from tui_latent.tui.charts.series import Weights


def loss_weights(snapshot: RunSnapshot) -> dict[str, Weights] | None:
    """Return the weight of each loss term; None if the preset's method is not known here.

    A weight that depends on how many numbers an image has is found from the records: the loss is
    the sum of the weighted terms. None also if the records do not say it.
    """
    # Importing it brings pydantic, which the first frame of a run does not need.
    from tui_latent.config.methods import method_settings

    method = method_settings(snapshot.preset)
    if method is None:
        return None
    single = method.term_weights(1)
    if not single:
        return None
    if single != method.term_weights(2):
        numbers = _numbers(snapshot.curves, single, method.term_weights(2))
        if numbers is None:
            return None
        single = method.term_weights(1) | {
            name: single[name] / numbers
            for name, weight in method.term_weights(2).items()
            if weight != single[name]
        }
    return {name: ((0.0, weight),) for name, weight in single.items()}


def _numbers(
    curves: Mapping[str, Curve], one: Mapping[str, float], two: Mapping[str, float]
) -> float | None:
    """Return how many numbers an image has, by which some weights are divided.

    loss = sum of the other terms + (sum of those terms with the weights of one number) / numbers.
    """
    loss = curves.get("train/loss")
    terms = {name: curves.get(f"train/{name}") for name in one}
    if loss is None or not len(loss.means):
        return None
    divided, rest = np.zeros_like(loss.means), loss.means.copy()
    for name, curve in terms.items():
        if curve is None or not np.array_equal(curve.steps, loss.steps):
            return None
        if one[name] == two[name]:
            rest -= one[name] * curve.means
        else:
            divided += one[name] * curve.means
    above, below = float(divided.sum()), float(rest.sum())
    numbers = above / below if below > 0 else math.nan
    return round(numbers) if math.isfinite(numbers) and numbers >= 0.5 else None
