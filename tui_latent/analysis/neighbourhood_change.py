"""Which images changed their neighbourhood between two evaluations."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.runs.kept_neighbours import read_neighbours
from tui_latent.runs.schema import LatentMap, RunError

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
    on_map: bool = True
    """whether they are those on the map, and not those of the whole vectors"""


def find_changes(
    before: LatentMap, after: LatentMap, count: int, run: Path | None = None
) -> NeighbourChanges | None:
    """Return the `count` images that kept fewest of their 20 nearest neighbours.

    Neighbours are those of the whole vectors where the `run` has kept them of both steps, as opened
    files have, else those on the map. None if the maps do not show the same images, or show fewer
    than two.
    """
    import torch

    from tui_latent.metrics.nearest_neighbours import nearest

    if not np.array_equal(before.indices, after.indices):
        return None
    if run is not None:
        kept = [_kept_neighbours(run, m) for m in (before, after)]
        if kept[0] is not None and kept[1] is not None and kept[0].shape == kept[1].shape:
            return changes_between(kept[0], kept[1], after.indices, count, on_map=False)
    maps = [torch.from_numpy(np.array(m.points, np.float32)) for m in (before, after)]
    finite = np.flatnonzero(np.logical_and(*(np.isfinite(m.numpy()).all(axis=1) for m in maps)))
    k = min(K, len(finite) - 1)
    if k < 1:
        return None
    were, are = (nearest(m[finite], m[finite], k + 1)[1].numpy() for m in maps)
    return changes_between(were, are, after.indices[finite], count)


def _kept_neighbours(run: Path, latent_map: LatentMap) -> NDArray[np.int64] | None:
    try:
        return read_neighbours(run, latent_map.step, len(latent_map.indices))
    except RunError:  # damaged: those on the map are still there, and are called so
        return None


def changes_between(
    were: NDArray[np.int64],
    are: NDArray[np.int64],
    indices: NDArray[np.int64],
    count: int,
    on_map: bool = True,
) -> NeighbourChanges:
    """Return the `count` images that kept fewest neighbours.

    `were` and `are` (N, k + 1) are the rows nearest to each row, itself among them; `indices` (N,)
    are the images' positions in the held-out split.
    """
    k = were.shape[1] - 1
    kept = np.minimum(_common(were, are, len(were)) / k, 1.0)
    order = np.lexsort((np.arange(len(kept)), kept))[:count]
    return NeighbourChanges(indices[order], kept[order], float(kept.mean()), k, on_map)


def _common(first: NDArray[np.int64], second: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Count what the rows of two (N, k + 1) arrays have in common, without the row's own number."""
    rows = np.arange(len(first))[:, None]
    one, two = (rows * count + part for part in (first, second))
    own = (rows * (count + 1))[:, 0]
    shared = np.isin(one, two, assume_unique=False) & (one != own[:, None])
    return np.asarray(shared.sum(axis=1), dtype=np.float64)
