"""What the spectrum of latents says: how many dimensions they use, and how fast variances fall."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_NOTHING = 1e-12
"""share of the largest variance below which a variance is mere rounding"""
_LIDAR_RIDGE = 1e-4
_LIDAR_EPSILON = 1e-7


def spectrum(latents: Tensor) -> NDArray[np.float64]:
    """Return the variances along the principal axes of latents (N, D), the largest first.

    Eigenvalues of the covariance (divided by N): float64 (min(N, D),). ValueError when a latent is
    not finite.
    """
    wide = latents.detach().double().cpu()
    if not wide.isfinite().all():
        raise ValueError("latents are not finite")
    centred = wide - wide.mean(0)
    tall = centred.shape[0] >= centred.shape[1]
    gram = centred.T @ centred if tall else centred @ centred.T
    values = torch.linalg.eigvalsh(gram).clamp(min=0).flip(0) / max(len(wide), 1)
    found: NDArray[np.float64] = values.numpy()
    return found


def participation_ratio(variances: NDArray[np.float64]) -> float:
    """Return (Σ λ)² / Σ λ²: how many equal variances would be as spread out; NaN if all are 0.

    Gao and Ganguli et al. 2017, bioRxiv 214262.
    """
    squares = float((variances**2).sum())
    return float(variances.sum()) ** 2 / squares if squares else math.nan


def alpha_req(variances: NDArray[np.float64]) -> float:
    """Return α of λ_i ∝ i^-α: the slope of log λ_i over log i by least squares, negated.

    Near 1 is usual for representations that generalise; far below, many
    dimensions are noise; far above, few count. Variances that are mere rounding are left out; NaN
    with fewer than three others.
    Agrawal, Mondal, Ghosh and Richards, α-ReQ, NeurIPS 2022.
    """
    kept = variances[variances > _NOTHING * variances.max(initial=0.0)]
    if len(kept) < 3:
        return math.nan
    x, y = np.log(np.arange(1, len(kept) + 1)), np.log(kept)
    x = x - x.mean()
    return float(-(x @ (y - y.mean())) / (x @ x))


def lidar(views: Tensor) -> float:
    """Return LiDAR of q views each of n images, latents (n, q, D): an effective rank.

    exp of the entropy of the eigenvalues of S_w^-½ S_b S_w^-½, with S_b the covariance of the
    images' means (divided by n - 1), S_w that of views about their image's mean (divided by n q)
    plus 1e-4 on the diagonal: how many dimensions tell images apart beyond what augmentation
    changes. Thilak et al., ICLR 2024 (arXiv:2312.04000), eq. 1 to 3. ValueError when a latent is
    not finite, or with fewer than two images or views.
    """
    wide = views.detach().double().cpu()
    images, each, dimensions = wide.shape
    if images < 2 or each < 2:
        raise ValueError("LiDAR needs two images or more, and two views of each")
    if not wide.isfinite().all():
        raise ValueError("latents are not finite")
    means = wide.mean(1)
    about = means - means.mean(0)
    between = about.T @ about / (images - 1)
    spread = (wide - means[:, None]).flatten(0, 1)
    within = spread.T @ spread / (images * each) + _LIDAR_RIDGE * torch.eye(
        dimensions, dtype=torch.float64
    )
    values, vectors = torch.linalg.eigh(within)
    whiten = vectors @ (values.clamp_min(_LIDAR_RIDGE).rsqrt()[:, None] * vectors.T)
    found = torch.linalg.eigvalsh(whiten @ between @ whiten).clamp_min(0)
    p = found / found.sum().clamp_min(torch.finfo(torch.float64).tiny) + _LIDAR_EPSILON
    return float(torch.exp(-(p * p.log()).sum()))
