"""Siamese: what its terms compare, and how they are mixed."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.methods.toys import TINY, loss_of, toy_batch
from tui_latent.config.methods.siamese import SiameseSettings
from tui_latent.methods.losses import (
    gaussian_pairwise,
    gaussian_triplet,
    pairwise_contrastive,
    triplet_margin,
)
from tui_latent.methods.siamese import Siamese


def build(shape: tuple[int, ...] = (1, 8, 8), **settings: Any) -> Siamese:
    torch.manual_seed(0)
    chosen = {"name": "siamese", "latent_dim": 3, **TINY, **settings}
    return Siamese(SiameseSettings.model_validate(chosen), shape)


def test_metric_and_reconstruction_are_mixed_by_metric_weight() -> None:
    assert build(metric_weight=0.75).weights() == {"pairwise": 0.75, "reconstruction": 0.5}
    triplets = build(metric_weight=0.75, pairing="triplets", variational=True, kl_weight=6.4)
    assert triplets.weights() == {
        "triplet": 0.75,
        "reconstruction": 0.75,
        "kl": pytest.approx(0.1),
    }


@pytest.mark.parametrize("normalise", [False, True])
def test_points_are_compared_as_points(normalise: bool) -> None:
    batch = toy_batch("pairs")
    method = build(normalise=normalise, margin=0.7).eval()
    a, b = method.embed(batch.x).chunk(2)
    assert batch.same is not None
    expected = pairwise_contrastive(a, b, batch.same, 0.7)
    torch.testing.assert_close(method.losses(batch)["pairwise"], expected)
    batch = toy_batch("triplets")
    method = build(normalise=normalise, pairing="triplets", margin=0.7).eval()
    a, p, n = method.embed(batch.x).chunk(3)
    torch.testing.assert_close(method.losses(batch)["triplet"], triplet_margin(a, p, n, 0.7))


def test_gaussians_are_compared_as_gaussians() -> None:
    batch = toy_batch("pairs")
    method = build(variational=True).eval()
    mu, logvar = method.network.encode(batch.x)
    assert logvar is not None and batch.same is not None
    (mu_a, mu_b), (logvar_a, logvar_b) = mu.chunk(2), logvar.chunk(2)
    expected = gaussian_pairwise(mu_a, logvar_a, mu_b, logvar_b, batch.same, 1.0)
    torch.testing.assert_close(method.losses(batch)["pairwise"], expected)
    batch = toy_batch("triplets")
    method = build(variational=True, pairing="triplets").eval()
    mu, logvar = method.network.encode(batch.x)
    assert logvar is not None
    anchor, positive, negative = zip(mu.chunk(3), logvar.chunk(3), strict=True)
    expected = gaussian_triplet(anchor, positive, negative, 1.0)
    torch.testing.assert_close(method.losses(batch)["triplet"], expected)


def test_normalised_latents_have_length_one() -> None:
    lengths = build(normalise=True).eval().embed(toy_batch("alone").x).norm(dim=1)
    torch.testing.assert_close(lengths, torch.ones(24))


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 31, 17), (12,)])
def test_reconstruction_is_the_error_of_what_decode_shows(shape: tuple[int, ...]) -> None:
    method, batch = build(shape).eval(), toy_batch("pairs", shape)
    x_hat = method.decode(method.embed(batch.x))
    expected = (x_hat - batch.target).square().mean()
    torch.testing.assert_close(method.losses(batch)["reconstruction"], expected)


def test_at_the_ends_of_the_mix_one_term_is_trained_alone() -> None:
    batch = toy_batch("pairs")
    metric_only, reconstruction_only = build(metric_weight=1.0), build(metric_weight=0.0)
    for method in (metric_only, reconstruction_only):
        loss_of(method, batch).backward()  # type: ignore[no-untyped-call]
    assert not any(
        p.grad is not None and p.grad.any() for p in metric_only.network.decoder.parameters()
    )
    copy = build(metric_weight=0.5)
    (2 * copy.losses(batch)["reconstruction"]).backward()  # type: ignore[no-untyped-call]
    for one, other in zip(reconstruction_only.parameters(), copy.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)
