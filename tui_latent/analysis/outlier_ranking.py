"""The held-out images farthest from the training latents, or from each other without those."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tui_latent.analysis.cache import Cache
from tui_latent.analysis.latent_stats import finite
from tui_latent.analysis.near_latents import nearest_latents, voters
from tui_latent.analysis.run_data import RunData
from tui_latent.analysis.run_latents import RunLatents


@dataclass(frozen=True, eq=False)
class Anomalies:
    """Held-out images by their mean distance to the nearest training latents."""

    indices: NDArray[np.int64]
    """(N,) positions in the held-out split, the most anomalous first"""
    scores: NDArray[np.float64]
    """(N,) mean Euclidean distance to the k nearest training latents"""
    labels: tuple[str, ...]
    """(N,) names of their classes; empty without a label"""
    images: NDArray[np.uint8]
    """(N, H, W, C)"""
    first: int
    """rank of the first of them, from 0"""
    size: int
    """number of held-out images"""
    median: float
    """of the scores of all held-out images"""
    k: int
    among: str = "training latents"
    """what the distances are to, in words"""


class AnomalyRanking:
    """Ranks the held-out images of one run; the first call may take seconds.

    Every call may raise InspectionError.
    """

    def __init__(self, source: RunData) -> None:
        self.source = source
        self._scores: Cache[NDArray[np.float64]] = Cache(_scores)

    def most_anomalous(self, count: int, first: int = 0) -> Anomalies:
        """Return `count` images from rank `first` on; rank 0 is the most anomalous."""
        split = self.source.pictures("val")
        latents = self.source.matching_latents()
        scores = self._scores.of(latents)
        rows = np.argsort(-scores, kind="stable")[first : first + count]
        return Anomalies(
            indices=rows,
            scores=scores[rows],
            labels=split.names(rows),
            images=split.images(rows),
            first=first,
            size=len(split),
            median=float(np.median(scores)),
            k=_k(latents),
            among=_among(latents),
        )


def _among(latents: RunLatents) -> str:
    """Return the latents whose distances count, in words."""
    searched = len(latents.bank_for_all[0])
    if searched < len(latents.bank):
        return f"{searched:,} training latents, a sample"
    return "other latents" if latents.bank_is_queries else "training latents"


def _k(latents: RunLatents) -> int:
    from tui_latent.metrics.outlier_detection import ANOMALY_K

    return min(ANOMALY_K, voters(latents))


def _scores(latents: RunLatents) -> NDArray[np.float64]:
    queries = finite(latents, latents.queries)
    bank, _ = latents.bank_for_all
    if len(bank) < len(latents.bank):
        from tui_latent.metrics.nearest_neighbours import NeighbourSearch

        distances, _ = NeighbourSearch(finite(latents, bank)).nearest(queries, _k(latents))
    else:
        distances, _ = nearest_latents(latents, np.arange(len(queries)), _k(latents))
    return distances.mean(1).double().numpy()
