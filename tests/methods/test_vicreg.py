"""VICReg: the terms of its projections, weights, and what its views are."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.methods.toys import TINY, toy_batch, train_steps
from tui_latent.config.methods.vicreg import VicregSettings
from tui_latent.methods.losses import vicreg_terms
from tui_latent.methods.vicreg import Vicreg


def build(**settings: Any) -> Vicreg:
    torch.manual_seed(0)
    chosen = {"name": "vicreg", "latent_dim": 8, "projector": (32, 16), **TINY, **settings}
    return Vicreg(VicregSettings.model_validate(chosen), (1, 8, 8))


def test_views_come_from_augmentation_or_from_neighbours() -> None:
    assert build().pairing == "views"
    assert build(views="neighbours").pairing == "neighbours"


def test_weights_are_the_presets_and_a_removed_term_is_still_measured() -> None:
    method = build(variance_weight=0.0, covariance_weight=2.0)
    assert method.weights() == {"invariance": 25.0, "variance": 0.0, "covariance": 2.0}
    assert method.losses(toy_batch("views"))["variance"] > 0


def test_without_a_projector_the_terms_are_those_of_the_latents() -> None:
    method = build(projector=(), gamma=2.0, variance_sum="full").eval()
    batch = toy_batch("views")
    z = method.embed(batch.x)
    expected = vicreg_terms(z[:24], z[24:], gamma=2.0, variance_sum="full")
    torch.testing.assert_close(method.losses(batch), expected)


@pytest.mark.slow
@pytest.mark.parametrize(("weight", "spreads"), [(25.0, True), (0.0, False)])
def test_without_the_variance_term_the_projections_collapse(weight: float, spreads: bool) -> None:
    method = build(variance_weight=weight)
    train_steps(method, lambda step: toy_batch("views", seed=10 * step), 40)
    deviation = method.projector(method.embed(toy_batch("alone", seed=999).x)).std(0).mean()
    assert (deviation > 0.5) == spreads
