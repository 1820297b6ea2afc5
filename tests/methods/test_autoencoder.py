"""Autoencoders: bounds, the variational form, and that a toy is reconstructed."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.methods.toys import TINY, toy_batch, train_steps
from tui_latent.config.methods.autoencoder import AutoencoderSettings
from tui_latent.methods.autoencoder import Autoencoder


def build(shape: tuple[int, ...] = (1, 8, 8), **settings: Any) -> Autoencoder:
    torch.manual_seed(0)
    chosen = {"name": "autoencoder", "latent_dim": 7, **TINY, **settings}
    return Autoencoder(AutoencoderSettings.model_validate(chosen), shape)


@pytest.mark.parametrize("variational", [False, True])
def test_tanh_bounds_the_latents(variational: bool) -> None:
    x = 1e3 * toy_batch("alone").x
    bounded = build(activation="tanh", variational=variational).eval()
    assert bounded.embed(x).abs().max() <= 1
    assert build(variational=variational).eval().embed(x).abs().max() > 1


def test_beta_weighs_nats_against_squared_error_of_a_whole_image() -> None:
    assert build((3, 4, 4), variational=True, beta=2.0).weights() == {
        "reconstruction": 1.0,
        "kl": pytest.approx(2 / 48),
    }
    assert build().weights() == {"reconstruction": 1.0}


def test_the_variational_form_reconstructs_a_draw_and_shows_the_mean() -> None:
    method, batch = build(variational=True).eval(), toy_batch("alone")
    first, again = method.losses(batch), method.losses(batch)
    assert first["reconstruction"] != again["reconstruction"]
    assert first["kl"] == again["kl"]


@pytest.mark.slow
@pytest.mark.parametrize("network", ["small-conv", "mlp"])
def test_a_toy_of_four_patterns_is_reconstructed(network: str) -> None:
    method = build(network=network)
    train_steps(method, lambda step: toy_batch("alone", seed=10 * step), 60, lr=2e-2)
    batch = toy_batch("alone", seed=9999)
    error = method.eval().losses(batch)["reconstruction"]
    assert error < 0.25 * (batch.target - batch.target.mean(0)).square().mean()


@pytest.mark.slow
def test_a_heavy_divergence_pulls_every_gaussian_to_the_standard_normal() -> None:
    method = build(variational=True, beta=1e4)
    train_steps(method, lambda step: toy_batch("alone", seed=10 * step), 50)
    assert method.eval().losses(toy_batch("alone", seed=999))["kl"] < 0.1
