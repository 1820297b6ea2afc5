"""Contrastive: stages, distributions instead of points, perturbation."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.methods.toys import TINY, toy_batch, train_steps
from tui_latent.config.methods.contrastive import ContrastiveSettings
from tui_latent.config.settings import StageSettings
from tui_latent.methods.contrastive import Contrastive
from tui_latent.methods.losses import cauchy_info_nce, kl_to_standard_normal, norm, nt_xent

WIDE = StageSettings(epochs=1, latent_dim=16, lr=1e-3)
NEW_LAYER = StageSettings(epochs=1, latent_dim=2, lr=1e-3, trainable="latent layer")
ALL = StageSettings(epochs=1, latent_dim=2, lr=1e-3)
STAGES = (WIDE, NEW_LAYER, ALL)


def build(**settings: Any) -> Contrastive:
    torch.manual_seed(0)
    chosen = {"name": "contrastive", "latent_dim": 2, **TINY, **settings}
    return Contrastive(ContrastiveSettings.model_validate(chosen), (1, 8, 8))


def state(method: Contrastive) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in method.state_dict().items()}


@pytest.mark.parametrize("gaussian", [False, True])
def test_stages_change_the_latent_width_and_keep_the_body(gaussian: bool) -> None:
    method = build(gaussian=gaussian)
    x = toy_batch("alone").x
    method.start_stage(WIDE)
    assert method.eval().embed(x).shape == (24, 16)
    body = {name: v for name, v in state(method).items() if name.startswith("encoder.body")}
    method.start_stage(NEW_LAYER)
    assert method.embed(x).shape == (24, 2)
    assert all(torch.equal(value, state(method)[name]) for name, value in body.items())
    latent_layer = method.encoder.latent
    method.start_stage(ALL)
    assert method.encoder.latent is latent_layer


@pytest.mark.parametrize("gaussian", [False, True])
def test_only_the_latent_layer_learns_where_a_stage_says_so(gaussian: bool) -> None:
    method = build(gaussian=gaussian, dropout=0.2)
    method.start_stage(WIDE)
    train_steps(method, lambda step: toy_batch("views", seed=step), 2)
    parameters = method.start_stage(NEW_LAYER)
    assert {id(p) for p in parameters} == {id(p) for p in method.encoder.latent.parameters()}
    method.train()  # as the trainer does after each evaluation
    before = state(method)
    train_steps(method, lambda step: toy_batch("views", seed=step), 3, parameters)
    changed = {
        name for name, value in state(method).items() if not torch.equal(value, before[name])
    }
    assert changed == {"encoder.latent.weight", "encoder.latent.bias"}


def test_a_frozen_body_has_no_noise_and_keeps_nothing_for_a_gradient() -> None:
    method = build(dropout=0.5)
    method.start_stage(WIDE)
    method.start_stage(NEW_LAYER)
    method.train()
    batch = toy_batch("views")
    terms = method.losses(batch)
    assert terms["info_nce"].requires_grad
    assert torch.equal(method.losses(batch)["info_nce"], terms["info_nce"])
    assert not method.encoder.body(batch.x).requires_grad


def test_everything_learns_again_in_the_last_stage() -> None:
    method = build()
    for stage in STAGES:
        parameters = method.start_stage(stage)
    method.train()
    before = state(method)
    train_steps(method, lambda step: toy_batch("views", seed=step), 3, parameters)
    assert all(not torch.equal(value, before[name]) for name, value in state(method).items())


@pytest.mark.parametrize("reached", [1, 2, 3])
def test_a_run_saved_in_any_stage_can_be_rebuilt(reached: int) -> None:
    method = build()
    for stage in STAGES[:reached]:
        method.start_stage(stage)
    method.train()
    train_steps(method, lambda step: toy_batch("views", seed=step), 2)
    copy = build()
    for stage in STAGES[:reached]:
        parameters = copy.start_stage(stage)
    copy.load_state_dict(state(method))
    copy.train()
    x = toy_batch("alone").x
    assert torch.equal(copy.embed(x), method.embed(x))
    assert all(parameter.requires_grad for parameter in parameters)


def test_a_finished_staged_run_loads_without_its_stages() -> None:
    method = build()
    for stage in STAGES:
        method.start_stage(stage)
    copy = build()
    copy.load_state_dict(state(method))
    x = toy_batch("alone").x
    assert torch.equal(copy.eval().embed(x), method.eval().embed(x))


def test_terms_are_those_of_the_latents_it_shows() -> None:
    batch = toy_batch("views")
    for settings in ({}, {"decoupled": True}, {"loss": "nt_xent", "temperature": 0.2}):
        method = build(**settings).eval()
        z = method.embed(batch.x)
        decoupled = bool(settings.get("decoupled"))
        expected = (
            nt_xent(z[:24], z[24:], 0.2)
            if "loss" in settings
            else cauchy_info_nce(z[:24], z[24:], decoupled)
        )
        terms = method.losses(batch)
        torch.testing.assert_close(terms["info_nce"], expected)
        torch.testing.assert_close(terms["norm"], norm(z))


def test_weights_are_the_presets() -> None:
    assert build(norm_weight=0.02).weights() == {"info_nce": 1.0, "norm": 0.02}
    gaussian = build(gaussian=True, kl_weight=0.3)
    assert gaussian.weights() == {"info_nce": 1.0, "norm": 0.0, "kl": 0.3}


def test_distributions_are_sampled_for_the_loss_and_shown_by_their_means() -> None:
    method, batch = build(gaussian=True).eval(), toy_batch("views")
    torch.manual_seed(1)
    first, again = method.losses(batch), method.losses(batch)
    assert first["info_nce"] != again["info_nce"]
    assert first["kl"] == again["kl"] and first["norm"] == again["norm"]
    outputs = method.encoder(batch.x)
    assert torch.equal(method.embed(batch.x), outputs[:, :2])
    expected = kl_to_standard_normal(outputs[:, :2], outputs[:, 2:])
    assert first["kl"].item() == pytest.approx(expected.item(), rel=0.05)


def test_perturbation_is_relative_to_the_spread_of_the_latents() -> None:
    method = build(perturb=0.5)
    torch.manual_seed(1)
    z = torch.randn(20_000, 2) * torch.tensor([30.0, 40.0]) + 100
    noise = method._perturbed(z) - z
    spread = ((30**2 + 40**2) / 2) ** 0.5
    torch.testing.assert_close(noise.std(0), torch.full((2,), 0.5 * spread), rtol=0.05, atol=0)
    assert method.losses(toy_batch("views"))["info_nce"].isfinite()
