"""How well k-means clusters of latents match the classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from tui_latent.metrics.sample_order import drawn_order
from tui_latent.nouns import IMAGES, Nouns

STARTS: Final = 10
"""runs of k-means, of which the one with the smallest inertia is kept"""
SILHOUETTE_OF: Final = 4000
"""number of latents above which the silhouette, which compares all pairs, is that of a random
sample"""


@dataclass(frozen=True, eq=False)
class Clustering:
    """A k-means clustering compared with the classes."""

    assigned: NDArray[np.int64]
    """(N,) cluster of each latent"""
    clusters: int
    """clusters found: as many as asked for, or as there are distinct latents"""
    accuracy: float
    """share of the latents whose cluster stands for their class, each cluster for at most one"""
    nmi: float
    """normalised mutual information, by the arithmetic mean of the entropies: 0..1"""
    ari: float
    """adjusted Rand index: 1 is the same partition, 0 what chance gives"""
    ami: float
    """adjusted mutual information, by the arithmetic mean: 1 is the same, 0 what chance gives"""
    silhouette: float
    """-1..1, how much nearer a latent is to its own cluster than to the next; NaN for one cluster
    or where every latent is its own"""
    silhouette_of: int
    """latents that the silhouette was computed of"""
    class_silhouettes: dict[int, float]
    """label -> mean silhouette of its latents, with the classes as clusters: how far each class
    lies apart from the next, whatever k-means finds; of the same sample, empty for one class"""

    @property
    def class_silhouette(self) -> float:
        """Mean over the classes, all with the same weight; NaN where there is none."""
        return float(np.mean(list(self.class_silhouettes.values()) or [np.nan]))


def evaluate_clustering(
    latents: NDArray[np.floating], labels: NDArray[np.int64], clusters: int, seed: int = 0
) -> Clustering:
    """Cluster latents (N, D) by k-means and compare the clusters with the labels (N,).

    A negative label means that the class is not known: such latents are clustered, but not
    compared. What is compared is NaN where no label is known.

    k-means++ with `STARTS` starts on the latents as they are, in float64; `seed` draws the
    starts. Neither they nor the silhouette's sample depend on the order of the latents.
    ValueError without latents, or when one is not finite.
    """
    from sklearn.metrics import (
        adjusted_mutual_info_score,
        adjusted_rand_score,
        normalized_mutual_info_score,
    )

    wide = np.asarray(latents, dtype=np.float64)
    assigned = k_means(wide, clusters, seed)
    found = len(np.unique(assigned))
    silhouette, of = _silhouette(wide, assigned)
    known = labels >= 0
    agreement = (float("nan"),) * 4
    if known.any():
        called, truth = assigned[known], labels[known]
        agreement = (
            matched_accuracy(called, truth),
            float(normalized_mutual_info_score(truth, called)),
            float(adjusted_rand_score(truth, called)),
            float(adjusted_mutual_info_score(truth, called)),
        )
    by_class = _class_silhouettes(wide[known], labels[known])
    return Clustering(assigned, found, *agreement, silhouette, of, by_class)


def why_no_clustering(labels: NDArray[np.int64], nouns: Nouns = IMAGES) -> str:
    """Say why as many clusters as there are classes among labels (N,) would mean nothing.

    Empty where they mean something.
    """
    classes = len(np.unique(labels))
    one = nouns.image
    if len(labels) < 2:
        return f"one {one} is too few for clusters" if len(labels) else f"there are no {one}s"
    if classes < 2:
        return f"all {one}s are of one class: one cluster is always right"
    if classes == len(labels):
        only = "is the only one of its class: clusters mean nothing"
        return f"each of the {classes:,} {one}s {only}"
    return ""


def k_means(
    latents: NDArray[np.floating], clusters: int, seed: int = 0, starts: int = STARTS
) -> NDArray[np.int64]:
    """Return the cluster of each latent (N, D): int64 (N,); fewer clusters where fewer differ.

    The order of the latents does not matter. ValueError without latents, or when one is not
    finite.
    """
    from sklearn.cluster import KMeans

    wide = np.asarray(latents, dtype=np.float64)
    if not len(wide) or not np.isfinite(wide).all():
        raise ValueError("k-means needs latents, all of them finite")
    order = drawn_order(torch.from_numpy(wide)).numpy()
    # Centred, because scikit-learn measures its tolerance against the variance alone.
    centred = wide[order] - wide.mean(axis=0)
    count = min(clusters, _different(wide, clusters))
    # In place, because this copy is nobody else's.
    fitted = KMeans(count, n_init=starts, random_state=seed, copy_x=False)
    assigned = np.empty(len(wide), dtype=np.int64)
    assigned[order] = fitted.fit_predict(centred)
    return assigned


def matched_classes(assigned: NDArray[np.int64], labels: NDArray[np.int64]) -> dict[int, int]:
    """Return which class each cluster stands for, so that most images are in their class's.

    Clusters are matched one to one with classes by the Hungarian method (Kuhn 1955), as is usual
    for clustering accuracy (Xie, Girshick and Farhadi, ICML 2016, eq. 10); where there are more
    clusters than classes, some have none.
    """
    classes, truth = np.unique(labels, return_inverse=True)
    clusters, group = np.unique(assigned, return_inverse=True)
    counts = np.zeros((len(clusters), len(classes)), dtype=np.int64)
    np.add.at(counts, (group, truth), 1)
    matched = linear_sum_assignment(counts, maximize=True)
    return {int(clusters[i]): int(classes[j]) for i, j in zip(*matched, strict=True)}


def matched_accuracy(assigned: NDArray[np.int64], labels: NDArray[np.int64]) -> float:
    """Return the share of latents whose cluster stands for their class."""
    classes = matched_classes(assigned, labels)
    called = np.array([classes.get(cluster, -1) for cluster in assigned.tolist()])
    return float((called == labels).mean())


def _different(latents: NDArray[np.float64], enough: int) -> int:
    """Count different latents, up to `enough`."""
    seen: set[bytes] = set()
    for row in latents:
        seen.add((row + 0.0).tobytes())  # so that -0 is 0
        if len(seen) == enough:
            break
    return len(seen)


def _class_silhouettes(latents: NDArray[np.float64], labels: NDArray[np.int64]) -> dict[int, float]:
    from sklearn.metrics import silhouette_samples

    rows = drawn_order(torch.from_numpy(latents))[:SILHOUETTE_OF].numpy()
    latents, labels = latents[rows], labels[rows]
    classes = np.unique(labels)
    if not 1 < len(classes) < len(labels):
        return {}
    each = silhouette_samples(latents, labels)
    return {int(label): float(each[labels == label].mean()) for label in classes}


def _silhouette(latents: NDArray[np.float64], assigned: NDArray[np.int64]) -> tuple[float, int]:
    from sklearn.metrics import silhouette_score

    rows = drawn_order(torch.from_numpy(latents))[:SILHOUETTE_OF].numpy()
    if not 1 < len(np.unique(assigned[rows])) < len(rows):
        return float("nan"), len(rows)
    return float(silhouette_score(latents[rows], assigned[rows])), len(rows)
