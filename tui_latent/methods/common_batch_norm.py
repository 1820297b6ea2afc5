"""Batch norms that use the statistics of the whole batch, which several processes share."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from tui_latent.methods.across_ranks import of_all, ranks, several
from tui_latent.sources.errors import DataError

_PLAIN = {nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d}


def with_common_statistics(module: nn.Module, device: torch.device) -> None:
    """Let the batch norms in a module use the statistics of the whole batch, of all ranks.

    DataError for one that does something else too, which would be lost.
    """
    for name, child in module.named_children():
        if isinstance(child, _BatchNorm):
            setattr(module, name, _converted(child, device))
        else:
            with_common_statistics(child, device)


def _converted(norm: _BatchNorm, device: torch.device) -> nn.Module:
    if isinstance(norm, (nn.SyncBatchNorm, _CommonBatchNorm)):
        return norm
    activated = type(norm) not in _PLAIN
    if activated and not _activates(type(norm)):
        raise DataError(
            f"several processes cannot share the statistics of a {type(norm).__name__}: use "
            "torch's own batch norms in the network, or train it with --devices 1"
        )
    kind = nn.SyncBatchNorm if device.type == "cuda" else _CommonBatchNorm
    kept = (norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
    common = kind(norm.num_features, *kept)
    # The same parameters: the optimiser has them already.
    common.weight, common.bias = norm.weight, norm.bias
    common.running_mean, common.running_var = norm.running_mean, norm.running_var
    common.num_batches_tracked = norm.num_batches_tracked
    if activated:
        common.drop, common.act = norm.drop, norm.act
        common.register_forward_hook(_activated)
    return common.train(norm.training)


def _activates(kind: type[nn.Module]) -> bool:
    """Return whether batch norms of this kind are timm's, which end with an activation."""
    return kind.__name__ == "BatchNormAct2d" and kind.__module__.startswith("timm.")


def _activated(norm: Any, _: Any, normalised: Tensor) -> Tensor:
    activated: Tensor = norm.act(norm.drop(normalised))
    return activated


class _CommonBatchNorm(_BatchNorm):
    """Batch normalisation over the rows of all ranks, for the CPU: torch's own needs a GPU.

    All ranks must have equally many rows. There is one exchange forwards and one backwards.
    """

    def forward(self, x: Tensor) -> Tensor:
        if not (self.training and several()):
            return super().forward(x)
        wide = x.detach().to(torch.promote_types(x.dtype, torch.float32))
        own = torch.batch_norm_update_stats(wide, None, None, 0.0)
        means, variances = of_all(torch.stack(own)).unbind(1)
        mean = means.mean(0)
        variance = (variances + (means - mean).square()).mean(0)
        rows = x.numel() // x.shape[1] * ranks()
        self._keep(mean, variance, rows)
        normalised: Tensor = _Normalise.apply(
            x, self.weight, self.bias, mean, variance, rows, self.eps
        )
        return normalised

    def _keep(self, mean: Tensor, variance: Tensor, rows: int) -> None:
        """Update the running averages as `torch.nn.BatchNorm2d` does."""
        if self.running_mean is None or self.running_var is None:
            return
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        momentum = self.momentum
        if momentum is None:
            momentum = 1 / float(self.num_batches_tracked)
        self.running_mean.lerp_(mean, momentum)
        self.running_var.lerp_(variance * (rows / (rows - 1)), momentum)

    def _check_input_dim(self, x: Tensor) -> None:
        """Accept vectors and images alike."""


class _Normalise(torch.autograd.Function):
    """(x - mean) / sqrt(variance + eps) * weight + bias, where x decides mean and variance.

    Of n rows, dy/dx is weight / sqrt(variance + eps) * (dy - sum(dy) / n - z sum(dy z) / n), z
    being x normalised; the sums are those of all ranks (Ioffe and Szegedy 2015).
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,
        mean: Tensor,
        variance: Tensor,
        rows: int,
        eps: float,
    ) -> Tensor:
        ctx.save_for_backward(x, weight, mean, variance)
        ctx.rows, ctx.eps = rows, eps
        ctx.scaled, ctx.shifted = weight is not None, bias is not None
        return F.batch_norm(x, mean, variance, weight, bias, training=False, eps=eps)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, variance = ctx.saved_tensors
        dy = gradients[0].to(x.dtype)
        factor = torch.ones_like(mean) if weight is None else weight
        _, sum_dyz, sum_dy = torch.ops.aten.native_batch_norm_backward(
            *(dy, x, factor, mean, variance, None, None, False, ctx.eps), [False, True, True]
        )
        mean_dyz, mean_dy = of_all(torch.stack([sum_dyz, sum_dy])).sum(0) / ctx.rows
        slope = factor * (variance + ctx.eps).rsqrt()
        of_x = F.batch_norm(x, mean, variance, -slope * mean_dyz, -slope * mean_dy, eps=ctx.eps)
        of_x.addcmul_(dy, slope.to(x.dtype).view([1, -1] + [1] * (x.dim() - 2)))
        of_affine = (sum_dyz if ctx.scaled else None, sum_dy if ctx.shifted else None)
        return (of_x, *of_affine, None, None, None, None)
