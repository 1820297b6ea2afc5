"""Map quality at every neighbourhood size, from the co-ranking matrix, and ranks of distances."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tui_latent.metrics.pair_distances import distances_to_others
from tui_latent.metrics.sample_order import drawn_order

NEIGHBOURS: Final = 20
"""neighbours of Q_NX and LCMC: those that vote in kNN@20"""
RANKED: Final = 2000
"""images above which a random sample is ranked: about two seconds"""
CORRELATED: Final = 1000
"""the same for the rank correlation, which sorts all distances together: half a million"""
_ROWS_AT_ONCE: Final = 256


@dataclass(frozen=True)
class CoRanking:
    """How far two spaces agree in which images are near each other."""

    q_nx: float
    """share of the k nearest in one space that are among the k nearest in the other: 0..1"""
    lcmc: float
    """`q_nx` less what chance gives, k / (N - 1)"""
    area: float
    """area under R_NX over the logarithm of the neighbourhood size: 1 perfect, 0 chance"""
    k: int
    images: int
    """images that were compared"""


def co_ranking(
    latents: NDArray[np.floating],
    points: NDArray[np.floating],
    k: int = NEIGHBOURS,
    on_chunk: Callable[[], None] = lambda: None,
) -> CoRanking:
    """Compare neighbourhoods of all sizes in latents (N, D) and map points (N, d).

    With r(i, j) and s(i, j) the ranks of j by distance from i in the two spaces, Q_NX(K) is the
    share of pairs with max(r, s) <= K among K N: the upper left of the co-ranking matrix. Lee and
    Verleysen, Neurocomputing 72 (2009); LCMC by Chen and Buja, JASA 104 (2009). R_NX(K) =
    ((N - 1) Q_NX(K) - K) / (N - 1 - K), and its area is the mean over K = 1 … N - 2 weighted by
    1 / K: Lee, Peluffo-Ordóñez and Verleysen, Neurocomputing 169 (2015). Equal distances are
    ranked at random, independently in the two spaces, so that a collapsed space agrees by chance
    only. If there are more than `RANKED` images, a sample is compared. ValueError unless
    0 < k < N - 1 and all numbers are finite.
    """
    rows = sampled_rows(latents, RANKED)
    count = len(rows)
    if not 0 < k < count - 1:
        raise ValueError(f"k is {k}: it must be below {count - 1:,}, with {count:,} images")
    shares = _agreement(_wide(latents[rows]), _wide(points[rows]), on_chunk)
    sizes = np.arange(1, count - 1)
    chance_corrected = ((count - 1) * shares[:-1] - sizes) / (count - 1 - sizes)
    area = float((chance_corrected / sizes).sum() / (1 / sizes).sum())
    agreed = float(shares[k - 1])
    return CoRanking(agreed, agreed - k / (count - 1), area, k, count)


def distance_correlation(
    latents: NDArray[np.floating], points: NDArray[np.floating]
) -> tuple[float, int]:
    """Return Spearman's correlation of all distances in two spaces, -1..1, and the images.

    Whether what is far apart in latents (N, D) is far apart in points (N, d): the global layout,
    which neighbourhoods do not show. NaN where all distances of a space are equal. If there are
    more than `CORRELATED` images, a sample is compared. ValueError when a number is not finite.
    """
    from scipy.stats import rankdata

    rows = sampled_rows(latents, CORRELATED)
    ranks = [rankdata(torch.pdist(_wide(space[rows])).numpy()) for space in (latents, points)]
    centred = [rank - rank.mean() for rank in ranks]
    scale = math.sqrt(float((centred[0] ** 2).sum()) * float((centred[1] ** 2).sum()))
    return (float(centred[0] @ centred[1]) / scale if scale else math.nan), len(rows)


def sampled_rows(latents: NDArray[np.floating], most: int) -> NDArray[np.int64]:
    """Return at most `most` rows, drawn by what the latents are and not by their order."""
    order: NDArray[np.int64] = drawn_order(_wide(latents)).numpy()
    return order[:most]


def _wide(space: NDArray[np.floating]) -> Tensor:
    if not np.isfinite(space).all():
        raise ValueError("the map or the latents are not finite")
    return torch.from_numpy(np.ascontiguousarray(space, dtype=np.float64))


def _agreement(high: Tensor, low: Tensor, on_chunk: Callable[[], None]) -> NDArray[np.float64]:
    """Return Q_NX(K) for K = 1 … N - 1."""
    count = len(high)
    orders = [
        torch.randperm(count, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2)
    ]
    counts = np.zeros(count + 1, dtype=np.int64)
    for rows in torch.arange(count).split(_ROWS_AT_ONCE):  # type: ignore[no-untyped-call]
        worst = torch.maximum(
            *(_ranks(space, rows, order) for space, order in zip((high, low), orders, strict=True))
        )
        counts += np.bincount(worst.flatten().numpy(), minlength=count + 1)
        on_chunk()
    sizes = np.arange(1, count)
    shares: NDArray[np.float64] = np.cumsum(counts)[1:count] / (count * sizes)
    return shares


def _ranks(space: Tensor, rows: Tensor, order: Tensor) -> Tensor:
    """Return the rank of every image as seen from `rows`, int64 (B, N): 1 the nearest, N itself.

    Equal distances are ranked in this order of the images.
    """
    distances = distances_to_others(space, rows)
    nearest = order[distances[:, order].argsort(dim=1, stable=True)]
    ranks = torch.empty_like(nearest)
    places = torch.arange(1, len(space) + 1).expand_as(nearest)
    return ranks.scatter_(1, nearest, places)
