"""Small batches and settings that the tests of every method share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from tui_latent.datasets.pairing import Batch
from tui_latent.methods.method import Method

TINY = {"width": 4, "hidden_dim": 16}
"""network settings that train in milliseconds"""


def class_images(labels: Tensor, shape: Sequence[int], seed: int, noise: float = 0.1) -> Tensor:
    """Return images in 0..1 of separable classes: a random pattern each, plus noise."""
    patterns = torch.rand(10, *shape, generator=torch.Generator().manual_seed(99))
    generator = torch.Generator().manual_seed(seed)
    noises = noise * torch.randn(len(labels), *shape, generator=generator)
    return (patterns[labels] + noises).clamp(0, 1)


def toy_batch(
    kind: str, shape: Sequence[int] = (1, 8, 8), size: int = 24, classes: int = 4, seed: int = 0
) -> Batch:
    """Return a batch of one kind of pairing; features (D,) are their own targets."""
    labels = torch.arange(size) % classes
    if kind == "triplets":
        groups = [labels, labels, (labels + 1) % classes]
    elif kind == "pairs":
        groups = [labels, torch.where(torch.arange(size) % 2 == 0, labels, (labels + 1) % classes)]
    else:
        groups = [labels] * (1 if kind == "alone" else 2)
    images = torch.cat([class_images(g, shape, seed + i) for i, g in enumerate(groups)])
    return Batch(
        x=(images - 0.5) / 0.3,
        groups=len(groups),
        target=images if len(shape) > 1 else (images - 0.5) / 0.3,
        same=groups[0] == groups[1] if kind == "pairs" else None,
        labels=torch.cat(groups) if kind in ("pairs", "triplets") else None,
    )


def loss_of(method: Method, batch: Batch) -> Tensor:
    """Return the weighted sum that training minimises."""
    terms, weights = method.losses(batch), method.weights()
    return torch.stack([weights[name] * term for name, term in terms.items()]).sum()


def train_steps(
    method: Method,
    next_batch: Callable[[int], Batch],
    steps: int,
    parameters: Sequence[torch.nn.Parameter] | None = None,
    lr: float = 5e-3,
) -> list[float]:
    """Train; return the loss before each step."""
    optimizer = torch.optim.Adam(parameters or list(method.parameters()), lr)
    history = []
    for step in range(steps):
        loss = loss_of(method, next_batch(step))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        history.append(loss.item())
    return history
