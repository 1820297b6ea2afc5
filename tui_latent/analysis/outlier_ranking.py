"""The held-out images farthest from the training latents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tui_latent.analysis.cache import Cache
from tui_latent.analysis.errors import InspectionError
from tui_latent.analysis.images import shown
from tui_latent.analysis.latent_stats import finite
from tui_latent.analysis.run_data import RunData, RunLatents


@dataclass(frozen=True, eq=False)
class Anomalies:
    """Held-out images by their mean distance to the nearest training latents."""

    indices: NDArray[np.int64]
    """(N,) positions in the held-out split, the most anomalous first"""
    scores: NDArray[np.float64]
    """(N,) mean Euclidean distance to the k nearest training latents"""
    labels: tuple[str, ...]
    """(N,) names of their classes"""
    images: NDArray[np.uint8]
    """(N, H, W, C)"""
    first: int
    """rank of the first of them, from 0"""
    size: int
    """number of held-out images"""
    median: float
    """of the scores of all held-out images"""
    k: int


class AnomalyRanking:
    """Ranks the held-out images of one run; the first call may take seconds.

    Every call may raise InspectionError.
    """

    def __init__(self, source: RunData) -> None:
        self.source = source
        self._scores: Cache[NDArray[np.float64]] = Cache(_scores)

    def most_anomalous(self, count: int, first: int = 0) -> Anomalies:
        """Return `count` images from rank `first` on; rank 0 is the most anomalous."""
        import torch

        split = self.source.dataset().val
        latents = self.source.matching_latents()
        scores = self._scores.of(latents)
        rows = np.argsort(-scores, kind="stable")[first : first + count]
        picked = torch.from_numpy(rows)
        return Anomalies(
            indices=rows,
            scores=scores[rows],
            labels=tuple(split.class_names[label] for label in split.labels[picked].tolist()),
            images=shown(split.images[picked]),
            first=first,
            size=len(split),
            median=float(np.median(scores)),
            k=_k(latents),
        )


def _k(latents: RunLatents) -> int:
    from tui_latent.metrics.outlier_detection import ANOMALY_K

    return min(ANOMALY_K, len(latents.bank))


def _scores(latents: RunLatents) -> NDArray[np.float64]:
    from tui_latent.metrics.outlier_detection import anomaly_scores

    try:
        scores = anomaly_scores(latents.search, finite(latents, latents.queries), _k(latents))
    except ValueError as error:
        raise InspectionError(f"{latents.path}: {error}") from error
    return scores.double().numpy()
