"""A method's losses when several processes train it: gradients are averaged over all of them."""

from __future__ import annotations

import time
from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn
from torch._C._distributed_c10d import GradBucket
from torch.distributed.algorithms.ddp_comm_hooks.default_hooks import allreduce_hook
from torch.futures import Future
from torch.nn.parallel import DistributedDataParallel

from tui_latent.datasets.pairing import Batch
from tui_latent.methods.common_batch_norm import with_common_statistics
from tui_latent.methods.method import Method
from tui_latent.runtime.waited import WAITED
from tui_latent.sources.errors import DataError
from tui_latent.training.graph_step import Losses
from tui_latent.training.ranks import Ranks

_SYNC_BUFFERS = (
    "forward_sync_buffers"
    if "forward_sync_buffers" in signature(DistributedDataParallel).parameters
    else "broadcast_buffers"
)
"""whether rank 0's buffers are sent before each step: they are the same everywhere"""


class _MethodLosses(nn.Module):
    """`Method.losses` as the forward pass of a module, which DistributedDataParallel wraps."""

    def __init__(self, method: Method) -> None:
        super().__init__()
        self.method = method

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        return self.method.losses(batch)


def losses_across(method: Method, ranks: Ranks, device: torch.device) -> Losses:
    """Return the losses of a method; with several ranks, each gradient is the mean of all ranks.

    Batch norms then use the statistics of all ranks, and every rank gets the weights of rank 0.
    """
    if not ranks.several:
        return method.losses
    with_common_statistics(method, device)
    # A static graph allows for parameters that no loss uses.
    options: Any = {"static_graph": True, _SYNC_BUFFERS: False}
    across = DistributedDataParallel(_MethodLosses(method), **options)
    if device.type == "cpu":
        across.register_comm_hook(None, lambda _, bucket: _averaged(bucket))
    losses: Losses = across
    return losses


def _averaged(bucket: GradBucket) -> Future[Tensor]:
    """Average a bucket of gradients, and count the wait for the last one.

    After the last bucket a process has nothing else to do than to wait for it.
    """
    sent = time.perf_counter()
    averaged: Future[Tensor] = allreduce_hook(None, bucket)  # type: ignore[arg-type]
    if not bucket.is_last():
        return averaged

    def counted(done: Future[Tensor]) -> Tensor:
        WAITED.add(time.perf_counter() - sent)
        return done.value()

    return averaged.then(counted)


def refuse_uneven(batch_size: int, world: int) -> None:
    """Raise DataError if ranks cannot divide a batch."""
    if batch_size % world == 0:
        return
    less, more = batch_size - batch_size % world, batch_size + world - batch_size % world
    choices = " or ".join(f"--set train.batch_size={size}" for size in (less, more) if size >= 2)
    raise DataError(
        f"{world} processes cannot divide a batch of {batch_size:,} images: use {choices}"
    )
