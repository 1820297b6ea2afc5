"""Update rules by their name in a preset."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from tui_latent.settings import TrainSettings


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

    You, Gitman and Ginsburg 2017 (arXiv:1708.03888), with the trust coefficient .02 and the
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
        """Make one update from the gradients at hand."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, parameter.grad, group)

    def _update(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        if parameter.ndim > 1:
            decay = group["weight_decay"]
            weight_norm, gradient_norm = parameter.norm(), gradient.norm()
            ratio = group["trust"] * weight_norm / (gradient_norm + decay * weight_norm + 1e-8)
            # Bounded as in the CIFAR recipes, so that a tiny gradient cannot make a huge step.
            ratio = torch.where(weight_norm > 0, (ratio / group["lr"]).clamp_max(1.0), 1.0)
            gradient = gradient.add(parameter, alpha=decay) * ratio
        state = self.state[parameter]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(parameter)
        state["momentum"].mul_(group["momentum"]).add_(gradient)
        parameter.sub_(group["lr"] * state["momentum"])  # in a captured graph the rate is a tensor
