"""The weights by which loss terms count, against sums of what a training would record."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tui_latent.loss_weights import loss_weights
from tui_latent.runs.events import RunEvent
from tui_latent.runs.schema import Curve, RunSnapshot


def curve(values: list[float]) -> Curve:
    steps, means = np.arange(1.0, len(values) + 1) * 10, np.array(values)
    return Curve(steps, steps / 10, means, means, means, values[-1], min(values))


def snapshot(method: Mapping[str, Any], *events: RunEvent, **terms: list[float]) -> RunSnapshot:
    curves = {f"train/{name}": curve(values) for name, values in terms.items()}
    return RunSnapshot(Path("run"), {"method": method}, curves=curves, events=events)


def test_weights_come_from_the_preset() -> None:
    method = {"name": "vicreg", "latent_dim": 8, "covariance_weight": 0.5}
    assert loss_weights(snapshot(method)) == {
        "invariance": ((0.0, 25.0),),
        "variance": ((0.0, 25.0),),
        "covariance": ((0.0, 0.5),),
    }


@pytest.mark.parametrize("numbers", [64, 784, 3072, 512])
def test_a_weight_per_number_of_an_image_is_found_from_the_records(numbers: int) -> None:
    """As an autoencoder's: the KL divergence counts beta / (channels x height x width)."""
    method = {"name": "autoencoder", "latent_dim": 2, "variational": True, "beta": 4.0}
    generator = np.random.default_rng(numbers)
    errors, divergences = 0.05 + 0.2 * generator.random(40), 3699 * generator.random(40)
    sums = (errors + 4.0 / numbers * divergences).astype(np.float32)
    run = snapshot(
        method,
        loss=sums.tolist(),
        reconstruction=errors.astype(np.float32).tolist(),
        kl=divergences.astype(np.float32).tolist(),
    )
    found = loss_weights(run)
    assert found is not None
    assert found["reconstruction"] == ((0.0, 1.0),)
    ((first, weight),) = found["kl"]
    assert first == 0.0
    assert weight == pytest.approx(4.0 / numbers)


def test_a_weight_that_was_changed_counts_from_its_step_on() -> None:
    method = {"name": "contrastive", "latent_dim": 2, "norm_weight": 0.5}
    event = RunEvent(30, "", "change", "Norm less.", "method.norm_weight", 0.5, 0.25)
    found = loss_weights(snapshot(method, event))
    assert found is not None
    assert found["norm"] == ((0.0, 0.5), (30.0, 0.25))
    assert found["info_nce"] == ((0.0, 1.0), (30.0, 1.0))


@pytest.mark.parametrize(
    "method",
    [
        {},
        {"name": "of a later version", "latent_dim": 2},
        {"name": "eigenmaps", "latent_dim": 2},
        {"name": "autoencoder", "latent_dim": 2, "variational": True},  # nothing recorded yet
    ],
)
def test_weights_that_cannot_be_known_are_not_made_up(method: Mapping[str, Any]) -> None:
    assert loss_weights(snapshot(method)) is None
