"""Updates and evaluations on a GPU of fake tensors: a machine without one sees their faults.

Nothing of the CPU may come into an update and nothing may wait for the device, or no graph can be
captured; and launches and waits may not grow unnoticed.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast
from unittest import mock

import pytest
import torch
from torch import Tensor, nn

from tests.training.fake_cuda import (
    GPU,
    FakeGenerator,
    Watch,
    backward_by_hand,
    fake_gpu,
    fake_pairing,
    made_images,
    update_on_fake_gpu,
)
from tui_latent.config.effects import without_effect
from tui_latent.config.preset_files import preset_names
from tui_latent.config.presets import load_preset
from tui_latent.config.settings import Preset
from tui_latent.config.tuning import Value, with_values
from tui_latent.datasets.augmentations import pipeline as augment_module
from tui_latent.datasets.pairing import Drawn
from tui_latent.methods import METHODS, losses
from tui_latent.methods import triplet as triplet_module
from tui_latent.metrics import chunks
from tui_latent.training import evaluator as evaluator_module
from tui_latent.training.evaluator import Evaluator
from tui_latent.training.loop import Update

BATCH = 16
EVERY_CHANGE: dict[str, object] = {
    "augment.rotate": 10.0,
    "augment.shear": 5.0,
    "augment.scale": 0.1,
    "augment.translate": 0.1,
    "augment.elastic": 0.05,
    "augment.thickness": 0.5,
    "augment.crop": 0.5,
    "augment.flip": 0.5,
    "augment.jitter": 0.8,
    "augment.brightness": 0.4,
    "augment.contrast": 0.4,
    "augment.saturation": 0.2,
    "augment.hue": 0.1,
    "augment.grayscale": 0.2,
    "augment.blur": 0.5,
    "augment.solarize": 0.2,
    "augment.noise": 0.05,
}
OF_GREY: dict[str, object] = {
    name: value
    for name, value in EVERY_CHANGE.items()
    if name not in ("augment.saturation", "augment.hue", "augment.grayscale")
}
SMALL_NETWORK: dict[str, object] = {"train.batch_size": BATCH, "method.width": 8}


def preset(name: str, **changes: object) -> Preset:
    return load_preset(name, SMALL_NETWORK | {k.replace("__", "."): v for k, v in changes.items()})


def trained(name: str) -> bool:
    return METHODS[load_preset(name).method.name].pairing != "none"


STAGES = [
    (name, stage)
    for name in preset_names()
    if trained(name)
    for stage in range(len(load_preset(name).training_stages()))
]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def drawn_for(update: Update) -> Drawn:
    """Draw the images of a step, as the CPU does before each."""
    return update.pairing.drawn(torch.arange(BATCH, device=GPU), FakeGenerator())


def watched(preset: Preset, stage: int = 0) -> tuple[Update, Watch, dict[str, Tensor]]:
    """Do two updates, the second one watched: the first fills what is kept for all steps."""
    with fake_gpu() as mode:
        update = update_on_fake_gpu(preset, stage, mode)
        with mode:
            drawn = drawn_for(update)
            update(drawn, update.method.losses)
            with Watch() as watch:
                terms = update(drawn, update.method.losses)
    return update, watch, terms


@pytest.mark.parametrize(("name", "stage"), STAGES)
def test_an_update_of_every_preset_stays_on_the_gpu_and_never_waits(name: str, stage: int) -> None:
    update, watch, terms = watched(preset(name), stage)
    assert not watch.waits
    assert all(term.device == GPU and term.dtype == torch.float32 for term in terms.values())
    assert all(p.grad is not None and p.grad.device == GPU for p in update.trainable)
    for state in update.optimizer.state.values():
        assert all(value.device == GPU for value in state.values() if isinstance(value, Tensor))


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("digits-triplet-2d", {"method__negatives": "semi-hard"}),
        ("digits-vicreg", OF_GREY),
        ("cifar10-vicreg", EVERY_CHANGE),
        ("digits-contrastive-2d", {"method__dropout": 0.2, "train__grad_clip": 1.0}),
        ("digits-contrastive-2d", {"train__optimizer": "sgd"}),
        ("digits-contrastive-2d", {"train__optimizer": "lars", "train__weight_decay": 1e-4}),
        ("digits-contrastive-2d", {"train__optimizer": "adam"}),
    ],
)
def test_what_no_preset_asks_for_stays_on_the_gpu_too(
    name: str, changes: dict[str, object]
) -> None:
    _, watch, _ = watched(preset(name, **changes))
    assert not watch.waits


def test_an_update_with_the_rate_on_the_device_as_a_graph_has_it() -> None:
    with fake_gpu() as mode:
        update = update_on_fake_gpu(preset("digits-vicreg", train__optimizer="lars"), 0, mode)
        with mode:
            for group in update.optimizer.param_groups:
                group["lr"] = torch.zeros((), device=GPU)
            drawn = drawn_for(update)
            update(drawn, update.method.losses)
            with Watch() as watch:
                update(drawn, update.method.losses)
    assert not watch.waits


@pytest.mark.parametrize("name", ["digits-vicreg", "mnist-triplet-vae", "cifar10-vicreg"])
def test_an_update_with_changed_weights_and_augmentations_still_stays_and_never_waits(
    name: str,
) -> None:
    """As `TrainingLoop.tune` changes them between two updates: a graph can be captured anew."""
    settings = preset(name)
    weights = {f"method.{key}": 0.25 for key in type(settings.method).weights}
    strengths = EVERY_CHANGE if name.startswith("cifar10") else OF_GREY
    idle = without_effect(settings)
    changes = {k: v for k, v in (weights | strengths).items() if k not in idle}
    after = with_values(settings, cast(dict[str, Value], changes))
    with fake_gpu() as mode:
        update = update_on_fake_gpu(settings, 0, mode)
        before = update.method.weights()
        with mode:
            drawn = drawn_for(update)
            update(drawn, update.method.losses)
            update.method.weigh(after.method)
            update.pairing = replace(update.pairing, augment=after.augment)
            update(drawn, update.method.losses)
            with Watch() as watch:
                update(drawn, update.method.losses)
    assert update.method.weights() != before
    assert not watch.waits


KERNELS = {
    ("mnist-contrastive-2d", 0): 214,
    ("mnist-contrastive-2d", 1): 188,
    ("mnist-contrastive-2d", 2): 211,
    ("cifar10-vicreg", 0): 568,
    ("cifar10-tsimcne-2d", 1): 309,
    ("digits-triplet-2d", 0): 112,
    ("mnist-triplet-vae", 0): 250,
    ("folder-pairwise-vae", 0): 337,
    ("digits-conv-autoencoder", 0): 117,
}
"""kernels of an update with torch 2.14, an operator's counted as one; a tenth more is let pass"""


@pytest.mark.parametrize(("name", "stage"), KERNELS)
def test_an_update_launches_no_more_kernels_than_it_did(name: str, stage: int) -> None:
    _, watch, _ = watched(preset(name), stage)
    assert KERNELS[name, stage] / 2 < watch.kernels <= 1.1 * KERNELS[name, stage]


WAITS = [
    ("mnist-contrastive-2d", 2, 2048, 18),
    ("mnist-contrastive-2d", 2, 6144, 18),
    ("cifar10-vicreg", 0, 2048, 26),
    ("mnist-conv-autoencoder-7d", 0, 2048, 16),
]
"""waits and copies of an evaluation by the number of images: none in a loop over chunks of them"""


@pytest.mark.parametrize(("name", "stage", "images", "waits"), WAITS)
def test_an_evaluation_waits_no_more_often_than_it_did(
    monkeypatch: pytest.MonkeyPatch, name: str, stage: int, images: int, waits: int
) -> None:
    monkeypatch.setattr(chunks, "free_bytes", lambda _: None)  # asks a driver
    # A search: on a map it takes the latents to the CPU's tree, as kNN's own, which is left out by
    # the answers here.
    monkeypatch.setattr(evaluator_module, "view_retrieval", lambda *_, **__: {1: 0.0, 5: 0.0})
    with fake_gpu() as mode:
        settings = preset(name, train__batch_size=256)
        update = update_on_fake_gpu(settings, stage, mode, images)
        kind = update.method.pairing
        held_out = None
        if kind in ("alone", "views"):
            whole = made_images(settings, images)
            held_out = fake_pairing(kind, settings, whole, update.pairing.dataset, mode)
        generator = torch.Generator

        def made(device: Any = "cpu") -> torch.Generator:
            return FakeGenerator() if torch.device(device).type == "cuda" else generator(device)

        evaluator = Evaluator(update.pairing.dataset, held_out, 256, lambda: None)
        with mode, mock.patch("torch.Generator", made), Watch(answering=True) as watch:
            evaluation = evaluator.evaluate(update.method, update.autocast)
    assert evaluation.bank.device == evaluation.queries.device == GPU
    assert sum(watch.waits.values()) <= waits + 3, watch.waits


class TestTheWatchSees:
    """Faults put in on purpose, as tests above must fail by them."""

    def test_a_draw_on_the_cpu(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def drawn_elsewhere(x: Tensor, generator: torch.Generator) -> Tensor:
            return x * torch.rand(len(x), 1, 1, 1)

        monkeypatch.setattr(augment_module, "thickened", drawn_elsewhere)
        with pytest.raises((AssertionError, RuntimeError), match="cpu"):
            watched(preset("digits-vicreg", augment__thickness=0.5))

    def test_a_question_about_a_value(self, monkeypatch: pytest.MonkeyPatch) -> None:
        margin = losses.triplet_margin

        def asking(*given: Any) -> Tensor:
            term = margin(*given)
            assert bool(term >= 0)
            return term

        monkeypatch.setattr(losses, "triplet_margin", asking)
        with pytest.raises(Exception, match=r"waits for the device|_local_scalar_dense"):
            watched(preset("digits-triplet-2d"))

    def test_rows_made_on_the_cpu(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def elsewhere(z: Tensor, labels: Tensor, *_: Any) -> Tensor:
            return torch.arange(len(z) // 3)

        monkeypatch.setattr(triplet_module, "semi_hard_rows", elsewhere)
        with pytest.raises((AssertionError, RuntimeError), match="cpu"):
            watched(preset("digits-triplet-2d", method__negatives="semi-hard"))

    def test_a_selection_by_a_mask_in_a_backward(self) -> None:
        class Masking(torch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, x: Tensor) -> Tensor:
                return x * 1

            @staticmethod
            def backward(ctx: Any, gradient: Tensor) -> Tensor:
                return gradient * gradient[gradient > 0].sum()

        with fake_gpu() as mode, mode:
            x = torch.ones(4, device=GPU, requires_grad=True)
            loss = Masking.apply(x).sum()
            with pytest.raises(AssertionError, match="waits for the device"), Watch():
                backward_by_hand(loss)


def test_the_backward_by_hand_is_torchs_own() -> None:
    """On the CPU, where both can be had."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten())
    head = nn.Linear(4 * 36, 8)
    x = torch.rand(6, 1, 8, 8)
    gradients = []
    for backward in (torch.Tensor.backward, backward_by_hand):
        network.zero_grad()
        head.zero_grad()
        z = head(network(x))
        a, b = z.chunk(2)
        loss = losses.nt_xent(a, b, 0.5) + (z - z.mean(0)).square().mean() + z.std(0).sum()
        backward(loss)
        both = (*network.parameters(), *head.parameters())
        gradients.append([p.grad.clone() for p in both if p.grad is not None])
    assert len(gradients[0]) == 6
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)
