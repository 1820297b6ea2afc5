"""How much each term counts in a run's loss, from its preset and its method's specification."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.runs.events import RunEvent, settings_at
from tui_latent.runs.schema import RunSnapshot

_METHOD: Final = "method."

Weights = tuple[tuple[float, float], ...]
"""(step, weight): each weight counts after its step, the first from the start of the run"""


def factors(weights: Weights, steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weight that counts at each of (n,) steps."""
    firsts = np.array([first for first, _ in weights[1:]])
    values = np.array([weight for _, weight in weights])
    return np.asarray(values[np.searchsorted(firsts, steps, side="left")])


def loss_weights(snapshot: RunSnapshot) -> dict[str, Weights] | None:
    """Return the weights of each loss term, including those changed during the training.

    None if the preset's method is unknown here, or has no terms. A weight that depends on how many
    numbers an image has is found from the records, since the loss is the sum of the weighted terms;
    None if they do not determine it.
    """
    changes = [event for event in snapshot.events if (event.setting or "").startswith(_METHOD)]
    firsts = sorted({event.step for event in changes if event.sets and event.step > 0})
    numbers = _numbers(snapshot, firsts[0] if firsts else math.inf, changes)
    if numbers is None:
        return None
    pieces = [
        (float(first), _weights_at(snapshot, changes, first, numbers)) for first in (0, *firsts)
    ]
    known = [(first, weights) for first, weights in pieces if weights]
    if len(known) < len(pieces):
        return None
    return {name: tuple((first, at[name]) for first, at in known) for name in known[0][1]}


def _weights_at(
    snapshot: RunSnapshot, changes: list[RunEvent], step: int, numbers: float
) -> Mapping[str, float] | None:
    """Return the weights from a step on, for images of `numbers` values each."""
    # Importing it brings pydantic, which the first frame of a run does not need.
    from tui_latent.config.methods import method_settings

    method: Any = snapshot.preset.get("method")
    if not isinstance(method, Mapping):
        return None
    changed = {
        name.removeprefix(_METHOD): value for name, value in settings_at(changes, step).items()
    }
    known = method_settings({"method": {**method, **changed}})
    if known is None:
        return None
    one, two = known.term_weights(1), known.term_weights(2)
    return {name: w if w == two[name] else w / numbers for name, w in one.items()}


def _numbers(snapshot: RunSnapshot, end: float, changes: list[RunEvent]) -> float | None:
    """Return how many values an image has, if a weight is divided by that; else 1.

    loss = sum of the other terms + (sum of those terms with the weights of one number) / numbers.
    Only records up to the step `end` are used, after which the weights differ.
    """
    one = _weights_at(snapshot, changes, 0, 1.0)
    two = _weights_at(snapshot, changes, 0, 2.0)
    if one is None or two is None:
        return None
    if one == two:
        return 1.0
    loss = snapshot.curves.get("train/loss")
    if loss is None:
        return None
    used = loss.steps <= end
    divided, rest = np.zeros(int(used.sum())), loss.means[used]
    for name, weight in one.items():
        curve = snapshot.curves.get(f"train/{name}")
        if curve is None or not np.array_equal(curve.steps, loss.steps):
            return None
        if weight == two[name]:
            rest = rest - weight * curve.means[used]
        else:
            divided = divided + weight * curve.means[used]
    above, below = float(divided.sum()), float(rest.sum())
    numbers = above / below if below > 0 else math.nan
    return float(round(numbers)) if math.isfinite(numbers) and numbers >= 0.5 else None
