"""Trustworthiness and continuity of a map of latents.

scikit-learn's `trustworthiness` breaks ties by the order of the images, so that the value of a
collapsed map depends on that order (0.28 to 0.53 for 500 random latents), and it cannot be stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tui_latent.metrics.pair_distances import distances_to_others
from tui_latent.metrics.sample_order import drawn_order

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
    on_chunk: Callable[[], None] = lambda: None,
) -> Faithfulness:
    """Compare the map points (N, 2) with the latents (N, D), row i of both being one image.

    If there are more than `SAMPLE` images, a sample is compared within itself; it is drawn by what
    the latents are, so that the order of the images does not matter. ValueError unless k < N / 2,
    or when a number is not finite.
    """
    rows = np.arange(len(latents))
    if len(rows) > SAMPLE:
        wide = torch.from_numpy(np.asarray(latents, dtype=np.float64))
        rows = drawn_order(wide, on_chunk=on_chunk)[:SAMPLE].numpy()
    high, low = latents[rows], points[rows]
    return Faithfulness(
        trustworthiness(high, low, k, on_chunk),
        trustworthiness(low, high, k, on_chunk),
        k,
        len(rows),
    )


def trustworthiness(
    original: NDArray[np.floating],
    shown: NDArray[np.floating],
    k: int = NEIGHBOURS,
    on_chunk: Callable[[], None] = lambda: None,
) -> float:
    """Return how far the k nearest of each row of `shown` (N, d) are near in `original` (N, D).

    1 - 2 / (N k (2N - 3k - 1)) Σ_i Σ_j max(0, r(i, j) - k), over the k nearest j of i in `shown`;
    r(i, j) is the rank of j by distance from i in `original`. With the two exchanged it is the
    continuity. Venna and Kaski, ICANN 2001; scikit-learn's `manifold.trustworthiness`. Where
    distances are equal it is the mean over all orders of the equal ones, on either side: points
    that have all fallen together are no more faithful than chance. ValueError unless k < N / 2,
    or when a number is not finite.
    """
    count = len(original)
    if not 0 < k < count / 2:
        raise ValueError(f"k is {k}: it must be below half of the {count:,} images")
    if not (np.isfinite(original).all() and np.isfinite(shown).all()):
        raise ValueError("the map or the latents are not finite")
    high = torch.from_numpy(np.asarray(original, dtype=np.float64))
    low = torch.from_numpy(np.asarray(shown, dtype=np.float64))
    surplus = 0.0
    for rows in torch.arange(count).split(max(_PAIRS_AT_ONCE // count, 1)):  # type: ignore[no-untyped-call]
        surplus += _surplus(distances_to_others(high, rows), distances_to_others(low, rows), k)
        on_chunk()
    return 1.0 - surplus * 2.0 / (count * k * (2.0 * count - 3.0 * k - 1.0))


def _surplus(original: Tensor, shown: Tensor, k: int) -> float:
    """Return Σ_i Σ_j max(0, r(i, j) - k) of some rows i; distances (B, N) each."""
    nearest = shown.topk(k + 1, largest=False)
    # Where the k-th is as far as the next, more than k are among the nearest in some order.
    tied = nearest.values[:, k - 1] == nearest.values[:, k]
    settled, neighbours = original[~tied], nearest.indices[~tied, :k]
    total = 0.0
    for theirs in settled.gather(1, neighbours).T:
        nearer = (settled < theirs[:, None]).sum(1)
        as_near = (settled <= theirs[:, None]).sum(1)
        total += float(_mean_surplus(nearer, as_near, k).sum())
    if tied.any():
        total += _tied_surplus(original[tied], shown[tied], k)
    return total


def _tied_surplus(original: Tensor, shown: Tensor, k: int) -> float:
    """Return `_surplus` of rows whose k nearest depend on the order of equals: by sorting."""
    limit = shown.kthvalue(k, dim=1, keepdim=True).values
    nearer, equal = shown < limit, shown == limit
    left, some = k - nearer.sum(1, keepdim=True), equal.sum(1, keepdim=True)
    chance = nearer.double() + equal * (left.double() / some)
    ranked, order = original.sort(1)
    place = torch.arange(original.shape[1]).expand_as(ranked)
    edge = torch.ones(len(ranked), 1, dtype=torch.bool)
    differs = ranked[:, 1:] != ranked[:, :-1]
    first = place.where(torch.cat([edge, differs], 1), 0).cummax(1).values
    ends = (place + 1).where(torch.cat([differs, edge], 1), ranked.shape[1])
    last = ends.flip(1).cummin(1).values.flip(1)
    return float((_mean_surplus(first, last, k) * chance.gather(1, order)).sum())


def _mean_surplus(nearer: Tensor, as_near: Tensor, k: int) -> Tensor:
    """Return the mean of max(0, rank - k) over the ranks nearer + 1 … as_near: float64."""
    out_of_reach = nearer.clamp(min=k).double()
    last = as_near.double()
    sums = (last - out_of_reach).clamp(min=0) * (last + out_of_reach + 1 - 2 * k) / 2
    return sums / (as_near - nearer)
