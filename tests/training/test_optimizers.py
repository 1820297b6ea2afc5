from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from tui_latent.settings import TrainSettings
from tui_latent.training.optimizers import make_optimizer


def settings(**changes: object) -> TrainSettings:
    return TrainSettings.model_validate({"lr": 0.1, "weight_decay": 0.5, **changes})


def lars_by_hand(
    weight: list[float], gradient: list[float], lr: float, decay: float, steps: int
) -> list[float]:
    """Two-dimensional LARS in plain floats: trust .02, ratio bounded by 1 after division by lr."""
    momentum = [0.0] * len(weight)
    for _ in range(steps):
        w_norm, g_norm = math.hypot(*weight), math.hypot(*gradient)
        ratio = min(0.02 * w_norm / (g_norm + decay * w_norm + 1e-8) / lr, 1.0)
        update = [(g + decay * w) * ratio for w, g in zip(weight, gradient, strict=True)]
        momentum = [0.9 * m + u for m, u in zip(momentum, update, strict=True)]
        weight = [w - lr * m for w, m in zip(weight, momentum, strict=True)]
    return weight


@pytest.mark.parametrize("rate", [0.1, torch.tensor(0.1)])  # a captured graph's is a tensor
def test_lars_is_the_published_rule(rate: float | torch.Tensor) -> None:
    start, gradient = [1.0, -2.0, 0.5], [0.3, 0.1, -0.2]
    parameter = nn.Parameter(torch.tensor([start]))
    optimizer = make_optimizer([parameter], settings(optimizer="lars"))
    optimizer.param_groups[0]["lr"] = rate
    for _ in range(3):
        parameter.grad = torch.tensor([gradient])
        optimizer.step()
    expected = lars_by_hand(start, gradient, lr=0.1, decay=0.5, steps=3)
    assert parameter[0].tolist() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ["adamw", "sgd", "lars"])
def test_biases_and_normalisation_weights_do_not_decay(name: str) -> None:
    matrix, bias = nn.Parameter(torch.ones(2, 2)), nn.Parameter(torch.ones(2))
    optimizer = make_optimizer([matrix, bias], settings(optimizer=name))
    matrix.grad, bias.grad = torch.zeros(2, 2), torch.zeros(2)
    optimizer.step()
    assert bool((matrix < 1).all())
    assert bias.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd", "lars"])
def test_every_rule_goes_downhill(name: str) -> None:
    torch.manual_seed(0)
    parameter = nn.Parameter(torch.randn(4, 4))
    optimizer = make_optimizer([parameter], settings(optimizer=name, weight_decay=0.0))
    first = float(parameter.detach().square().sum())
    for _ in range(50):
        optimizer.zero_grad()
        parameter.square().sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert float(parameter.detach().square().sum()) < 0.8 * first
