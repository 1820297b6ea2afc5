"""Batches that several processes share: what a loss compares, and the statistics of batch norms.

Each process (rank) has its share of a batch. A loss over the whole batch is the same on every
rank, and DistributedDataParallel averages the gradients of all ranks. The gradient of what was
gathered is therefore summed over the ranks: then the average is the gradient of that one loss,
as a single process would have computed it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

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
    parts: Tensor = _Gather.apply(x) if x.requires_grad else _all(x)
    rows = parts.view(len(parts), groups, -1, *x.shape[1:]).transpose(0, 1)
    return rows.flatten(0, 2)


def with_common_statistics(module: nn.Module, device: torch.device) -> None:
    """Let the batch norms in a module use the statistics of the whole batch, of all ranks."""
    for name, child in module.named_children():
        if isinstance(child, (nn.BatchNorm1d, nn.BatchNorm2d)):
            setattr(module, name, _converted(child, device))
        else:
            with_common_statistics(child, device)


def _converted(norm: _BatchNorm, device: torch.device) -> nn.Module:
    if device.type == "cuda":
        convert = nn.SyncBatchNorm.convert_sync_batchnorm
        synchronised: nn.Module = convert(norm)  # type: ignore[no-untyped-call]
        return synchronised
    common = _CommonBatchNorm(norm.num_features, norm.eps, norm.momentum).to(device)
    common.load_state_dict(norm.state_dict())
    # The same parameters: the optimiser has them already.
    common.weight, common.bias = norm.weight, norm.bias
    return common.train(norm.training)


def _all(x: Tensor) -> Tensor:
    """Return the tensors of all ranks, (W, ...); all must have the same shape."""
    parts = [torch.empty_like(x, memory_format=torch.contiguous_format) for _ in range(_world())]
    with WAITED.counting():
        dist.all_gather(parts, x.contiguous())
    return torch.stack(parts)


def _summed(x: Tensor) -> Tensor:
    """Return the sum of the tensors of all ranks."""
    total = x.clone(memory_format=torch.contiguous_format)
    with WAITED.counting():
        dist.all_reduce(total)
    return total


def _world() -> int:
    return dist.get_world_size()


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return _all(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return _summed(gradients[0])[dist.get_rank()]


class _Sum(torch.autograd.Function):
    """The sum over all ranks, on which the loss of each depends."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return _summed(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return _summed(gradients[0])


class _CommonBatchNorm(_BatchNorm):
    """Batch normalisation over the rows of all ranks, for the CPU: torch's own needs a GPU.

    All ranks must have equally many rows.
    """

    def forward(self, x: Tensor) -> Tensor:
        if not (self.training and several()):
            return super().forward(x)
        values, axes = x.float(), [axis for axis in range(x.dim()) if axis != 1]
        shape = [1, -1] + [1] * (x.dim() - 2)
        count = x.numel() // x.shape[1] * _world()
        mean: Tensor = _Sum.apply(values.sum(axes)) / count
        centred = values - mean.view(shape)
        variance: Tensor = _Sum.apply(centred.square().sum(axes)) / count
        self._keep(mean.detach(), variance.detach(), count)
        scale = (variance + self.eps).rsqrt() * self.weight
        normalised: Tensor = centred * scale.view(shape) + self.bias.view(shape)
        return normalised.to(x.dtype)

    def _keep(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Update the running averages as `torch.nn.BatchNorm2d` does."""
        assert self.running_mean is not None and self.running_var is not None
        assert self.num_batches_tracked is not None and self.momentum is not None
        self.num_batches_tracked.add_(1)
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * (count / (count - 1)), self.momentum)

    def _check_input_dim(self, x: Tensor) -> None:
        """Accept vectors and images alike."""
