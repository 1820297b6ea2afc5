from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from tui_latent.config.settings import TrainSettings
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
    matrix.grad, bias.grad = torch.full((2, 2), 1e-9), torch.zeros(2)
    optimizer.step()
    assert bool((matrix < 1).all())
    assert bias.tolist() == [1.0, 1.0]


def test_lars_leaves_weights_without_a_gradient_alone() -> None:
    """As in solo-learn and lightly: only momentum goes on."""
    matrix = nn.Parameter(torch.ones(2, 2))
    optimizer = make_optimizer([matrix], settings(optimizer="lars"))
    for _ in range(5):
        matrix.grad = torch.zeros(2, 2)
        optimizer.step()
    assert matrix.tolist() == [[1.0, 1.0], [1.0, 1.0]]


def lars_one_by_one(
    parameters: list[torch.Tensor],
    gradients: list[torch.Tensor],
    momenta: list[torch.Tensor],
    lr: float,
) -> None:
    """One update as published, a tensor at a time, in float64."""
    for weight, gradient, momentum in zip(parameters, gradients, momenta, strict=True):
        update = gradient.clone()
        decay = 0.5
        norms = float(weight.norm()), float(gradient.norm())
        if weight.ndim > 1 and norms[0] > 0:
            if norms[1] == 0:
                update.zero_()
            else:
                ratio = 0.02 * norms[0] / (norms[1] + decay * norms[0] + 1e-8) / lr
                update = (gradient + decay * weight) * min(ratio, 1.0)
        momentum.mul_(0.9).add_(update)
        weight.sub_(lr * momentum)


@pytest.mark.parametrize("tensor_rate", [False, True])
def test_lars_of_many_tensors_at_once_is_lars_of_each(tensor_rate: bool) -> None:
    generator = torch.Generator().manual_seed(3)

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    shapes = [(4, 3), (5,), (2, 3, 3, 3), (7, 1), (6,), (3, 3)]
    parameters = [nn.Parameter(drawn(*shape)) for shape in shapes]
    parameters[3].data.zero_()
    unused = nn.Parameter(drawn(2, 2))
    before = unused.detach().clone()
    optimizer = make_optimizer([*parameters, unused], settings(optimizer="lars"))
    expected = [p.detach().double() for p in parameters]
    momenta = [torch.zeros_like(weight) for weight in expected]
    for step in range(6):
        rate = 0.1 / (step + 1)
        gradients = [drawn(*shape) * 10.0 ** (step - 4) for shape in shapes]
        if step % 2:
            gradients[0].zero_()
        for group in optimizer.param_groups:
            group["lr"] = torch.tensor(rate) if tensor_rate else rate
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient.clone()
        optimizer.step()
        lars_one_by_one(expected, [g.double() for g in gradients], momenta, rate)
        for parameter, weight in zip(parameters, expected, strict=True):
            torch.testing.assert_close(parameter.detach().double(), weight, rtol=1e-5, atol=1e-6)
    assert torch.equal(unused.detach(), before)


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
