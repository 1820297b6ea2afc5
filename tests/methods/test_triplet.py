"""Triplets: semi-hard negatives against plain loops, and the network's activation."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.methods.toys import TINY, toy_batch
from tui_latent.config.methods.triplet import TripletSettings
from tui_latent.methods.losses import triplet_margin
from tui_latent.methods.triplet import Triplet, semi_hard_rows


def build(**settings: object) -> Triplet:
    torch.manual_seed(0)
    chosen = {"name": "triplet", "latent_dim": 2, **TINY, **settings}
    return Triplet(TripletSettings.model_validate(chosen), (1, 8, 8))


def semi_hard_loop(z: Tensor, labels: Tensor, margin: float, squared: bool) -> list[int]:
    count, power = len(z) // 3, 2 if squared else 1

    def distance(i: int, j: int) -> float:
        return math.dist(z[i].tolist(), z[j].tolist()) ** power

    rows = []
    for i in range(count):
        near = distance(i, count + i)
        shell = [
            (distance(i, j), j)
            for j in range(3 * count)
            if labels[j] != labels[i] and near < distance(i, j) < near + margin
        ]
        rows.append(min(shell)[1] if shell else 2 * count + i)
    return rows


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 9), st.integers(2, 4), st.floats(0.05, 5), st.booleans(), st.integers(0, 999))
def test_semi_hard_negatives_are_those_of_the_loop(
    count: int, classes: int, margin: float, squared: bool, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    anchors = torch.randint(classes, (count,), generator=generator)
    labels = torch.cat([anchors, anchors, (anchors + 1) % classes])
    z = torch.randn(3 * count, 2, generator=generator, dtype=torch.float64)
    expected = semi_hard_loop(z, labels, margin, squared)
    assert semi_hard_rows(z, labels, margin, squared).tolist() == expected
    own = slice(count // 3, count // 3 + (count + 1) // 2)
    assert semi_hard_rows(z, labels, margin, squared, own).tolist() == expected[own]


def test_without_a_semi_hard_negative_the_random_one_is_used() -> None:
    z = torch.tensor([[0.0, 0], [5, 5], [0, 1], [5, 6], [50, 0], [0, 70]])
    labels = torch.tensor([0, 1, 0, 1, 1, 0])
    assert semi_hard_rows(z, labels, margin=0.5).tolist() == [4, 5]


def test_random_negatives_are_the_pairings() -> None:
    method, batch = build(margin=2.0, squared=False).eval(), toy_batch("triplets")
    anchor, positive, negative = method.embed(batch.x).chunk(3)
    expected = triplet_margin(anchor, positive, negative, 2.0, squared=False)
    torch.testing.assert_close(method.losses(batch)["triplet"], expected)


def test_semi_hard_negatives_raise_the_loss_of_far_random_ones() -> None:
    batch = toy_batch("triplets")
    random = build(margin=0.05).eval().losses(batch)["triplet"]
    semi_hard = build(margin=0.05, negatives="semi-hard").eval().losses(batch)["triplet"]
    assert semi_hard != random


@pytest.mark.parametrize("network", ["small-conv", "mlp", "resnet18"])
def test_the_network_is_a_silu_network(network: str) -> None:
    modules = list(build(network=network).modules())
    assert any(isinstance(module, nn.SiLU) for module in modules)
    assert not any(isinstance(module, nn.ReLU) for module in modules)
