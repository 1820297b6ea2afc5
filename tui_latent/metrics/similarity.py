"""How alike two runs' latents of the same images are, whatever their dimensions."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor

from tui_latent.metrics.pair_distances import distances_to_others

_ROWS_AT_ONCE: Final = 256


def linear_cka(first: Tensor, second: Tensor) -> float:
    """Return linear CKA of latents (N, D) and (N, E), row i of both being one image: 0..1.

    |XᵀY|² / (|XᵀX| |YᵀY|), Frobenius norms of the centred latents; 1 for spaces that are equal
    up to rotation and scale. NaN where all latents of a space are equal. Kornblith, Norouzi, Lee
    and Hinton, ICML 2019, eq. 4.
    """
    x, y = (z.detach().double() - z.detach().double().mean(0) for z in (first, second))
    scale = float((x.T @ x).norm() * (y.T @ y).norm())
    return float((x.T @ y).square().sum()) / scale if scale else math.nan


def neighbour_overlap(first: Tensor, second: Tensor, k: int) -> float:
    """Return the mean share of an image's k nearest others that two spaces have in common: 0..1.

    Latents (N, D) and (N, E); chance is k / (N - 1). Where distances are equal it is the mean over
    all orders of the equal ones, in each space: two spaces that have collapsed agree by chance
    only. All pairs are compared. ValueError unless 0 < k < N, or when a latent is not finite.
    """
    count = len(first)
    if not 0 < k < count:
        raise ValueError(f"k is {k}: it must be below {count:,}, the number of latents")
    if not (first.isfinite().all() and second.isfinite().all()):
        raise ValueError("latents are not finite: training has diverged")
    spaces = [z.detach().double() for z in (first, second)]
    common = 0.0
    for rows in torch.arange(count).split(_ROWS_AT_ONCE):  # type: ignore[no-untyped-call]
        one, two = (_chances(distances_to_others(z, rows), k) for z in spaces)
        common += float((one * two).sum())
    return common / (count * k)


def _chances(distances: Tensor, k: int) -> Tensor:
    """Return how likely each is among the k nearest if equal distances are ordered at random."""
    limit = distances.topk(k, dim=1, largest=False).values[:, -1:]
    nearer, equal = distances < limit, distances == limit
    left = k - nearer.sum(1, keepdim=True)
    return nearer + equal * (left.double() / equal.sum(1, keepdim=True))
