"""How far a map's neighbourhoods are those of the latents it shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

NEIGHBOURS: Final = 5
"""neighbours that the figures look at: scikit-learn's default"""
SAMPLE: Final = 5000
"""images beyond which the figures, which compare all pairs, are those of a random sample"""
_PAIRS_AT_ONCE: Final = 2**22


@dataclass(frozen=True)
class Faithfulness:
    """Two figures in 0..1; 1 means that no neighbourhood of the k nearest is wrong."""

    trustworthiness: float
    """1 when all neighbours on the map are neighbours in the latent space"""
    continuity: float
    """1 when all neighbours in the latent space are neighbours on the map"""
    k: int
    images: int
    """images that were compared"""


def faithfulness(
    latents: NDArray[np.floating],
    points: NDArray[np.floating],
    k: int = NEIGHBOURS,
    seed: int = 0,
    between: Callable[[], None] = lambda: None,
) -> Faithfulness:
    """Compare the map points (N, 2) with the latents (N, D), row i of both being one image.

    Of more than `SAMPLE` images a sample drawn by `seed` is compared, within itself. ValueError
    unless k < N / 2, or when a number is not finite.
    """
    rows = np.arange(len(latents))
    if len(rows) > SAMPLE:
        rows = np.sort(np.random.default_rng(seed).choice(rows, SAMPLE, replace=False))
    high, low = latents[rows], points[rows]
    return Faithfulness(
        trustworthiness(high, low, k, between),
        trustworthiness(low, high, k, between),
        k,
        len(rows),
    )


def trustworthiness(
    original: NDArray[np.floating],
    shown: NDArray[np.floating],
    k: int = NEIGHBOURS,
    between: Callable[[], None] = lambda: None,
) -> float:
    """Return how far the k nearest of each row of `shown` (N, d) are near in `original` (N, D).

    1 - 2 / (N k (2N - 3k - 1)) Σ_i Σ_j max(0, r(i, j) - k), over the k nearest j of i in `shown`;
    r(i, j) is the rank of j by distance from i in `original`. With the two exchanged it is the
    continuity. Venna and Kaski, ICANN 2001; scikit-learn's `manifold.trustworthiness`. ValueError
    unless k < N / 2, or when a number is not finite.
    """
    count = len(original)
    if not 0 < k < count / 2:
        raise ValueError(f"k is {k}: it must be below half of the {count:,} images")
    if not (np.isfinite(original).all() and np.isfinite(shown).all()):
        raise ValueError("the map or the latents are not finite")
    high = torch.from_numpy(np.asarray(original, dtype=np.float64))
    low = torch.from_numpy(np.asarray(shown, dtype=np.float64))
    surplus = 0
    for rows in torch.arange(count).split(max(_PAIRS_AT_ONCE // count, 1)):  # type: ignore[no-untyped-call]
        neighbours = _distances(low, rows).topk(k, largest=False).indices  # (B, k)
        distances = _distances(high, rows)  # (B, N)
        theirs = distances.gather(1, neighbours)
        for column in range(k):
            rank = (distances < theirs[:, column, None]).sum(1) + 1
            surplus += int((rank - k).clamp(min=0).sum())
        between()
    return 1.0 - surplus * 2.0 / (count * k * (2.0 * count - 3.0 * k - 1.0))


def _distances(points: Tensor, rows: Tensor) -> Tensor:
    """Return the distances of some rows to all, their own infinite: float64 (B, N)."""
    distances = torch.cdist(points[rows], points, compute_mode="donot_use_mm_for_euclid_dist")
    distances[torch.arange(len(rows)), rows] = torch.inf
    return distances
