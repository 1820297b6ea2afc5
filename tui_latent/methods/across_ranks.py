"""What a loss compares of a batch that several processes share.

Each process (rank) has its share of a batch, and DistributedDataParallel averages the gradients of
all ranks. The gradient of what was gathered is therefore summed over the ranks: then the average is
the gradient of the mean of the ranks' losses, as a single process would have computed it. That mean
is the loss of the whole batch if every rank computes it all, or each the mean over its own rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.autograd.function import once_differentiable

from tui_latent.runtime.waited import WAITED


def several() -> bool:
    """Return whether other processes train with this one."""
    there = dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1
    return there and not _apart


@contextmanager
def apart() -> Iterator[None]:
    """Compute inside as if there were no other processes, as for a measurement."""
    _apart.append(True)
    try:
        yield
    finally:
        _apart.pop()


_apart: list[bool] = []


def gathered(x: Tensor, groups: int = 1) -> Tensor:
    """Return the rows of all ranks, with gradients; without other ranks, `x` itself.

    `x` is (G*b, ...): the rows of each of `groups` groups follow each other, as in `Batch.x`. The
    result is (G*B, ...), B = b times the number of ranks, in the order of the undivided batch.
    """
    if not several():
        return x
    parts: Tensor = _Gather.apply(x) if x.requires_grad else of_all(x)
    rows = parts.view(len(parts), groups, -1, *x.shape[1:]).transpose(0, 1)
    return rows.flatten(0, 2)


def own(count: int) -> slice:
    """Return which of `count` rows that the ranks share are this rank's; without others, all."""
    if not several():
        return slice(0, count)
    each = count // ranks()
    return slice(dist.get_rank() * each, (dist.get_rank() + 1) * each)


def of_all(x: Tensor) -> Tensor:
    """Return the tensors of all ranks, (W, ...); all must have the same shape."""
    with WAITED.counting():
        if x.device.type == "cpu":
            return _exchanged(x.contiguous().expand(ranks(), *x.shape))
        parts = [torch.empty_like(x, memory_format=torch.contiguous_format) for _ in range(ranks())]
        dist.all_gather(parts, x.contiguous())
    return torch.stack(parts)


def _exchanged(x: Tensor) -> Tensor:
    """Send `x[r]` to each rank r, and return what the ranks sent to this one, (W, ...).

    Gloo's gathers and sums go around a ring. In a step, a sum of few numbers takes about twice as
    long (`python -m benchmarks.processes`).
    """
    x = x.contiguous()
    received = torch.empty_like(x)
    dist.all_to_all_single(received, x)
    return received


def ranks() -> int:
    """Return how many processes train together."""
    return dist.get_world_size()


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return of_all(x)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        with WAITED.counting():
            return _exchanged(gradients[0]).sum(0)
