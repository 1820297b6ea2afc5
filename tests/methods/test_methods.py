"""What every method must do, whatever it learns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch

from tests.methods.toys import TINY, loss_of, toy_batch, train_steps
from tui_latent.config.methods import METHOD_SETTINGS
from tui_latent.config.settings import StageSettings
from tui_latent.methods import METHODS
from tui_latent.methods.method import Method
from tui_latent.runs.metric_specs import TERMS

VARIANTS: dict[str, dict[str, Any]] = {
    "cauchy": {"name": "contrastive", "norm_weight": 0.01},
    "nt_xent": {"name": "contrastive", "loss": "nt_xent", "decoupled": True},
    "dot": {"name": "contrastive", "loss": "dot", "norm_weight": 0.1},
    "squared-distance": {"name": "contrastive", "loss": "gaussian", "temperature": 1.0},
    "gaussian": {"name": "contrastive", "gaussian": True, "kl_weight": 0.01, "perturb": 0.1},
    "vicreg": {"name": "vicreg", "projector": (16, 16)},
    "vicreg-neighbours": {"name": "vicreg", "projector": (), "views": "neighbours"},
    "triplet": {"name": "triplet"},
    "triplet-semi-hard": {"name": "triplet", "negatives": "semi-hard", "squared": False},
    "pairs": {"name": "siamese", "normalise": True, "dropout": 0.1},
    "pairs-variational": {"name": "siamese", "variational": True, "kl_weight": 0.1},
    "triplets": {"name": "siamese", "pairing": "triplets"},
    "triplets-variational": {"name": "siamese", "pairing": "triplets", "variational": True},
    "autoencoder": {"name": "autoencoder", "activation": "tanh"},
    "variational": {"name": "autoencoder", "variational": True, "beta": 0.5},
}


def build(variant: str, shape: Sequence[int] = (1, 8, 8), latent_dim: int = 2) -> Method:
    """Build a method of this variant with the same weights each time."""
    torch.manual_seed(0)
    table = {**VARIANTS[variant], **TINY, "latent_dim": latent_dim}
    settings = METHOD_SETTINGS[table["name"]].model_validate(table)
    return METHODS[table["name"]](settings, shape)


@pytest.fixture(params=VARIANTS)
def variant(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_every_method_of_the_settings_is_listed() -> None:
    named = {VARIANTS[variant]["name"] for variant in VARIANTS}
    assert set(METHODS) == set(METHOD_SETTINGS) == named | {"eigenmaps"}
    for name, method in METHOD_SETTINGS.items():
        assert method.fitted == (METHODS[name].pairing == "none")
        for term, sentence in method.terms.items():
            assert bool(sentence) != (term in TERMS), f"{term}: one sentence, in one place"


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 12, 9), (20,)])
def test_losses_are_the_named_finite_scalars_and_reach_the_encoder(
    variant: str, shape: tuple[int, ...]
) -> None:
    method = build(variant, shape)
    terms = method.losses(toy_batch(method.pairing, shape))
    assert tuple(terms) == method.terms
    assert set(terms) <= set(METHOD_SETTINGS[VARIANTS[variant]["name"]].terms)
    for name, term in terms.items():
        assert term.shape == () and term.dtype is torch.float32 and torch.isfinite(term), name
        gradients = torch.autograd.grad(
            term, list(method.parameters()), retain_graph=True, allow_unused=True
        )
        assert any(g is not None and bool((g != 0).any()) for g in gradients), name
        assert all(g is None or bool(torch.isfinite(g).all()) for g in gradients), name


def test_training_on_a_separable_toy_lowers_the_loss(variant: str) -> None:
    method = build(variant)
    held_out = toy_batch(method.pairing, seed=1000)

    def held_out_loss() -> float:
        method.eval()
        torch.manual_seed(1)
        with torch.inference_mode():
            loss = loss_of(method, held_out).item()
        method.train()
        return loss

    train_steps(method, lambda step: toy_batch(method.pairing, seed=10 * step), 2)
    before = held_out_loss()
    train_steps(method, lambda step: toy_batch(method.pairing, seed=10 * step + 20), 40)
    assert held_out_loss() < 0.9 * before


@pytest.mark.parametrize("latent_dim", [1, 2, 3, 128])
def test_latents_have_their_width_and_no_noise(variant: str, latent_dim: int) -> None:
    method = build(variant, latent_dim=latent_dim).eval()
    x = toy_batch("alone").x
    z = method.embed(x)
    assert z.shape == (24, latent_dim) and z.dtype is torch.float32
    torch.testing.assert_close(method.embed(x), z, rtol=0, atol=0)
    torch.testing.assert_close(method.embed(x[:5]), z[:5])


def test_one_image_can_be_embedded_and_decoded(variant: str) -> None:
    method = build(variant).eval()
    z = method.embed(toy_batch("alone").x[:1])
    assert z.shape == (1, 2)
    x_hat = method.decode(z)
    assert x_hat is None or x_hat.shape == (1, 1, 8, 8)


def test_a_saved_method_goes_on_as_the_original(variant: str) -> None:
    method = build(variant)
    train_steps(method, lambda step: toy_batch(method.pairing, seed=step), 2)
    saved = {name: value.clone() for name, value in method.state_dict().items()}
    copy = build(variant)
    copy.load_state_dict(saved)
    histories = []
    for one in (method, copy):
        torch.manual_seed(7)
        histories.append(train_steps(one, lambda step: toy_batch(method.pairing, seed=step), 3))
    assert histories[0] == histories[1]


def test_losses_and_latents_stay_float32_inside_bfloat16_autocast(variant: str) -> None:
    method = build(variant)
    batch = toy_batch(method.pairing, size=48)
    torch.manual_seed(3)
    full = method.losses(batch)
    torch.manual_seed(3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = method.losses(batch)
        latents = method.eval().embed(batch.x)
        x_hat = method.decode(latents)
    assert {term.dtype for term in mixed.values()} == {torch.float32}
    assert latents.dtype is torch.float32
    assert x_hat is None or x_hat.dtype is torch.float32
    # Not rounded to bfloat16's eight bits on the way out.
    assert not torch.equal(latents, latents.bfloat16().float())
    for name, term in mixed.items():
        assert term.item() == pytest.approx(full[name].item(), rel=0.2, abs=0.02), name


def test_channels_last_changes_nothing(variant: str) -> None:
    method = build(variant, (3, 12, 9)).eval()
    x = toy_batch("alone", (3, 12, 9)).x
    z = method.embed(x)
    method.to(memory_format=torch.channels_last)
    again = method.embed(x.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(again, z, rtol=1e-4, atol=1e-5)


def test_without_stages_everything_learns(variant: str) -> None:
    method = build(variant)
    parameters = method.start_stage(StageSettings(epochs=1, latent_dim=2, lr=1e-3))
    assert {id(p) for p in parameters} == {id(p) for p in method.parameters()}


def test_all_groups_pass_the_network_in_one_call(variant: str) -> None:
    method = build(variant)
    batch, seen = toy_batch(method.pairing), []
    first = next(module for module in method.modules() if not list(module.children()))
    first.register_forward_hook(lambda module, inputs, output: seen.append(len(inputs[0])))
    method.losses(batch)
    assert seen == [len(batch.x)]
