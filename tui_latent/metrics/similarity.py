"""How alike two runs' latents of the same images are, whatever their dimensions."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from tui_latent.metrics.nearest_neighbours import NeighbourSearch
from tui_latent.metrics.others import nearest_others


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

    Latents (N, D) and (N, E); chance is k / (N - 1). ValueError unless 0 < k < N.
    """
    own = torch.arange(len(first), device=first.device)
    near = [nearest_others(NeighbourSearch(z), z, own, k)[1] for z in (first, second)]
    both = (near[0][:, :, None] == near[1][:, None, :]).any(2)
    return float(both.double().mean())
