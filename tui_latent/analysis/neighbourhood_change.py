"""Which images changed their neighbourhood between two evaluations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.runs.schema import LatentMap

K: Final = 20
"""neighbours that make up a neighbourhood"""


@dataclass(frozen=True, eq=False)
class NeighbourChanges:
    """Held-out images, ordered by how much their neighbourhood changed, most first."""

    indices: NDArray[np.int64]
    """(n,) positions in the held-out split"""
    kept: NDArray[np.float64]
    """(n,) share of the earlier neighbours that are still neighbours"""
    mean_kept: float
    """over all images"""
    neighbours: int
    """that make up a neighbourhood"""


def find_changes(before: LatentMap, after: LatentMap, count: int) -> NeighbourChanges | None:
    """Return the `count` images that kept fewest of their 20 nearest neighbours on the map.

    None if the maps do not show the same images, or show fewer than two.
    """
    if not np.array_equal(before.indices, after.indices):
        return None
    return changes_between(before.points, after.points, after.indices, count)


def changes_between(
    before: NDArray[np.floating],
    after: NDArray[np.floating],
    indices: NDArray[np.int64],
    count: int,
) -> NeighbourChanges | None:
    """Return the `count` images that kept fewest of their 20 nearest neighbours.

    `before` (N, D) and `after` (N, E) are the same images in two spaces, `indices` (N,) their
    positions in the held-out split. None of fewer than two; rows that are not finite do not count.
    """
    import torch

    from tui_latent.metrics.nearest_neighbours import nearest

    spaces = [torch.from_numpy(np.array(space, np.float32)) for space in (before, after)]
    finite = np.flatnonzero(np.logical_and(*(np.isfinite(s.numpy()).all(axis=1) for s in spaces)))
    k = min(K, len(finite) - 1)
    if k < 1:
        return None
    were, are = (nearest(s[finite], s[finite], k + 1)[1].numpy() for s in spaces)
    kept = np.minimum(_common(were, are, len(finite)) / k, 1.0)
    order = np.lexsort((np.arange(len(kept)), kept))[:count]
    return NeighbourChanges(indices[finite[order]], kept[order], float(kept.mean()), k)


def _common(first: NDArray[np.int64], second: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Count what the rows of two (N, k + 1) arrays have in common, without the row's own number."""
    rows = np.arange(len(first))[:, None]
    one, two = (rows * count + part for part in (first, second))
    own = (rows * (count + 1))[:, 0]
    shared = np.isin(one, two, assume_unique=False) & (one != own[:, None])
    return np.asarray(shared.sum(axis=1), dtype=np.float64)
