"""Outlier detection: anomaly scores by distance to the training latents, and their ROC curves."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tui_latent.metrics.nearest_neighbours import NeighbourSearch

ANOMALY_K: Final = 5
"""nearest training latents whose mean distance is the anomaly score"""
FOUND: Final = 0.95
"""share of the outliers at which false positives are counted, as in Hendrycks and Gimpel, ICLR 2017
"""


@dataclass(frozen=True, eq=False)
class Roc:
    """How well a score tells outliers from inliers, at every threshold."""

    false_positives: NDArray[np.float64]
    """(T,) rising from 0 to 1: false positive rate"""
    true_positives: NDArray[np.float64]
    """(T,) rising from 0 to 1: true positive rate"""
    auc: float
    """area under the curve: chance that an outlier scores higher than an inlier, ties by half"""
    aupr: float
    """average precision with the outliers as positives; their share of the images is chance"""
    fpr95: float
    """share of inliers that are called outliers where 95 % of the outliers are found: the smallest
    over the thresholds that find as many"""


def anomaly_scores(
    search: NeighbourSearch,
    queries: Tensor,
    k: int = ANOMALY_K,
    on_chunk: Callable[[], None] = lambda: None,
) -> Tensor:
    """Return the mean distance of each query to its k nearest bank latents: float32 (M,).

    The larger, the lower the density around it. `queries`
    is float (M, D). ValueError when k is not within 1..N or a latent is not finite.
    """
    distances, _ = search.nearest(queries, k, on_chunk)
    return distances.mean(1)


def roc(inliers: NDArray[np.floating], outliers: NDArray[np.floating]) -> Roc:
    """Return the ROC curve of the scores of inliers (N,) and outliers (M,).

    Thresholds that lie on a straight piece of the curve are left out. ValueError without
    inliers or without outliers.
    """
    if not len(inliers) or not len(outliers):
        raise ValueError("a ROC curve needs inliers and outliers")
    from sklearn.metrics import auc, average_precision_score, roc_curve

    outlying = np.repeat([False, True], [len(inliers), len(outliers)])
    scores = np.concatenate([inliers, outliers]).astype(np.float64)
    # Points on a straight piece are dropped from the curve, but one of them may be the first
    # with 95 % of the outliers.
    every_false, every_true, _ = roc_curve(outlying, scores, drop_intermediate=False)
    false_positives, true_positives, _ = roc_curve(outlying, scores)
    return Roc(
        false_positives,
        true_positives,
        float(auc(false_positives, true_positives)),
        float(average_precision_score(outlying, scores)),
        float(every_false[np.flatnonzero(every_true >= FOUND)[0]]),
    )


def thinned(curve: Roc, points: int) -> Roc:
    """Return the curve by at most `points` of its points, evenly along it; the area stays."""
    x, y = curve.false_positives, curve.true_positives
    if len(x) <= points:
        return curve
    along = x + y
    kept = np.unique(np.searchsorted(along, np.linspace(0, along[-1], points)))
    return replace(curve, false_positives=x[kept], true_positives=y[kept])


def class_rocs(
    bank: Tensor,
    bank_labels: Tensor,
    queries: Tensor,
    query_labels: Tensor,
    classes: int,
    k: int = ANOMALY_K,
    on_chunk: Callable[[], None] = lambda: None,
    within: bool = False,
) -> list[Roc | None]:
    """Return for each class the curve with that class as outliers, as if the bank had none of its
    images.

    `bank` is float (N, D), `queries` float (M, D), labels int64 below `classes`. Scores are those
    of `anomaly_scores` with the bank's other classes. `within`: the queries are the bank, and each
    is left out of its own neighbours. None for a class without queries or without
    k bank latents of other classes, and where all queries are of the class.
    """
    distances, labels = _nearest_of_each_class(
        bank, bank_labels, queries, classes, k, on_chunk, within
    )
    truth = query_labels.cpu().numpy()
    curves: list[Roc | None] = []
    for index in range(classes):
        others = distances.masked_fill(labels == index, math.inf)
        nearest = others.topk(min(k, others.shape[1]), largest=False).values
        on_chunk()
        outlying = truth == index
        few = nearest.shape[1] < k or bool(nearest.isinf().any())
        if few or outlying.all() or not outlying.any():
            curves.append(None)
            continue
        scores = nearest.mean(1).cpu().numpy()
        curves.append(roc(scores[~outlying], scores[outlying]))
    return curves


def _nearest_of_each_class(
    bank: Tensor,
    bank_labels: Tensor,
    queries: Tensor,
    classes: int,
    k: int,
    on_chunk: Callable[[], None],
    within: bool,
) -> tuple[Tensor, Tensor]:
    """Return distances to latents near each query, (M, at most 2k), and their classes, int64.

    They are at most k of each class, and the 2k nearest of those: k of other classes are among them
    whichever class is left out.
    """
    distances = torch.empty((len(queries), 0), device=queries.device)
    labels = torch.empty((len(queries), 0), dtype=torch.int64, device=queries.device)
    for index in range(classes):
        of_class = bank_labels == index
        members = bank[of_class]
        if len(members):
            # One more than k, of which a member leaves out itself.
            count = min(k + within, len(members))
            found, rows = NeighbourSearch(members).nearest(queries, count, on_chunk)
            if within:
                own = (of_class.cumsum(0) - 1).where(of_class, -1)
                found = found.masked_fill(rows == own[:, None], torch.inf)
                found = found.topk(min(k, count), largest=False).values
            distances = torch.cat([distances, found], 1)
            labels = torch.cat([labels, torch.full_like(found, index, dtype=torch.int64)], 1)
            count = min(2 * k, distances.shape[1])
            distances, nearest = distances.topk(count, largest=False)
            labels = labels.gather(1, nearest)
    return distances, labels
