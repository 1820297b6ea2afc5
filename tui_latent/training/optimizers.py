"""Update rules by their name in a preset."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from tui_latent.config.settings import TrainSettings


def make_optimizer(parameters: Iterable[nn.Parameter], settings: TrainSettings) -> Optimizer:
    """Make the preset's optimiser; biases and normalisation weights (1-D) are not decayed."""
    parameters = list(parameters)
    groups: list[dict[str, Any]] = [
        {
            "params": [p for p in parameters if p.ndim > 1],
            "weight_decay": settings.weight_decay,
        },
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    match settings.optimizer:
        case "adamw":
            return torch.optim.AdamW(groups, settings.lr, fused=True)
        case "adam":
            return torch.optim.Adam(groups, settings.lr, fused=True)
        case "sgd":
            return torch.optim.SGD(groups, settings.lr, momentum=settings.momentum, fused=True)
        case "lars":
            return Lars(groups, settings.lr, momentum=settings.momentum)


class Lars(Optimizer):
    """SGD with momentum whose step is scaled per tensor to the size of its weights.

    You, Gitman and Ginsburg 2017 (arXiv:1708.03888), with the trust coefficient 0.02 and the
    ratio's upper bound of 1 times the learning rate that CIFAR recipes use; 1-D tensors are
    stepped as plain SGD.
    """

    def __init__(
        self,
        params: Iterable[dict[str, Any]],
        lr: float,
        momentum: float = 0.9,
        trust: float = 0.02,
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "trust": trust})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Make one update from the gradients at hand.

        All tensors of a group share a few launches: with launches of their own they took half of
        all launches of a step.
        """
        for group in self.param_groups:
            parameters = [p for p in group["params"] if p.grad is not None]
            scaled = [p for p in parameters if p.ndim > 1]
            plain = [p for p in parameters if p.ndim <= 1]
            updates = _scaled_gradients(scaled, group) if scaled else []
            parameters = scaled + plain
            if not parameters:
                continue
            updates += [p.grad for p in plain]
            momenta = [self._momentum(p) for p in parameters]
            torch._foreach_mul_(momenta, group["momentum"])
            torch._foreach_add_(momenta, updates)
            # In a captured graph the rate is a tensor.
            torch._foreach_sub_(parameters, torch._foreach_mul(momenta, group["lr"]))

    def _momentum(self, parameter: Tensor) -> Tensor:
        state = self.state[parameter]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(parameter)
        momentum: Tensor = state["momentum"]
        return momentum


def _scaled_gradients(parameters: list[Tensor], group: dict[str, Any]) -> list[Tensor]:
    """Return the decayed gradients, each at its tensor's own rate over the group's."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    decay = group["weight_decay"]
    weight = torch.stack(torch._foreach_norm(parameters))
    gradient = torch.stack(torch._foreach_norm(gradients))
    ratio = group["trust"] * weight / (gradient + decay * weight + 1e-8)
    # Bounded as in the CIFAR recipes, so that a tiny gradient cannot make a huge step.
    ratio = (ratio / group["lr"]).clamp_max(1.0)
    # Weights of 0 are stepped as they are. Without a gradient nothing decays, as in the libraries
    # that the recipes come from.
    ratio = torch.where(weight > 0, torch.where(gradient > 0, ratio, 0.0), 1.0)
    decayed = torch._foreach_add(gradients, parameters, alpha=decay)
    return list(torch._foreach_mul(decayed, ratio.unbind()))
