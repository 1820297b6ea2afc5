"""Clusters beside classes, against scikit-learn and plain searches through every renaming."""

from __future__ import annotations

import itertools
import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import (
    adjusted_mutual_info_score,
    adjusted_rand_score,
    normalized_mutual_info_score,
    silhouette_score,
)

from tui_latent.metrics import clustering
from tui_latent.metrics.clustering import (
    evaluate_clustering,
    matched_accuracy,
    why_no_clustering,
)

GROUPS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), min_size=1, max_size=30)


@given(GROUPS)
def test_the_accuracy_is_that_of_the_best_renaming(pairs: list[tuple[int, int]]) -> None:
    assigned, labels = (np.array(side) for side in zip(*pairs, strict=True))
    renamings = itertools.permutations(range(5))  # of clusters, to classes
    best = max(np.mean([names[a] == b for a, b in pairs]) for names in renamings)
    assert matched_accuracy(assigned, labels) == pytest.approx(best)


def silhouette_loop(latents: NDArray[np.float64], labels: NDArray[np.int64], of: int) -> float:
    """Mean of (b - a) / max(a, b) over the latents of a class, distance by distance."""
    values = []
    for i in np.flatnonzero(labels == of):
        means = {}
        for other in np.unique(labels):
            members = [j for j in np.flatnonzero(labels == other) if j != i]
            means[other] = np.mean([math.dist(latents[i], latents[j]) for j in members])
        own, next_ = means.pop(of), min(means.values())
        values.append((next_ - own) / max(next_, own))
    return float(np.mean(values))


@pytest.mark.slow
def test_the_figures_are_scikit_learns() -> None:
    random = np.random.default_rng(0)
    labels = np.arange(300) % 4
    latents = (3 * random.normal(size=(4, 5)))[labels] + 1.5 * random.normal(size=(300, 5))
    found = evaluate_clustering(latents.astype(np.float32), labels, 4)
    wide = latents.astype(np.float32).astype(np.float64)
    inertia = sum(
        ((wide[found.assigned == c] - wide[found.assigned == c].mean(0)) ** 2).sum()
        for c in range(4)
    )
    assert inertia == pytest.approx(
        KMeans(4, n_init=50, random_state=1).fit(wide).inertia_, rel=1e-3
    )
    assert found.nmi == pytest.approx(normalized_mutual_info_score(labels, found.assigned))
    assert found.ari == pytest.approx(adjusted_rand_score(labels, found.assigned))
    assert found.ami == pytest.approx(adjusted_mutual_info_score(labels, found.assigned))
    assert found.silhouette == pytest.approx(silhouette_score(wide, found.assigned), abs=1e-9)
    for label, value in found.class_silhouettes.items():
        assert value == pytest.approx(silhouette_loop(wide, labels, label))
    assert found.class_silhouette == pytest.approx(silhouette_score(wide, labels), abs=1e-9)
    assert (found.clusters, found.silhouette_of) == (4, 300)


def test_classes_far_apart_are_found_whole_wherever_they_lie() -> None:
    random = np.random.default_rng(1)
    labels = np.repeat(np.arange(3), 40)
    latents = 1e6 + 1e-3 * (20 * np.eye(3)[labels] + random.normal(size=(120, 3)))
    found = evaluate_clustering(latents, labels, 3)
    assert (found.accuracy, found.nmi, found.ari) == pytest.approx((1, 1, 1))


def test_a_large_silhouette_is_sampled_and_near_the_whole_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clustering, "SILHOUETTE_OF", 500)
    random = np.random.default_rng(2)
    labels = np.arange(1500) % 3
    latents = 4 * np.eye(3)[labels] + random.normal(size=(1500, 3))
    found = evaluate_clustering(latents, labels, 3)
    assert found.silhouette_of == 500
    assert found.silhouette == pytest.approx(silhouette_score(latents, found.assigned), abs=0.03)


def test_equal_latents_are_one_cluster_without_a_silhouette() -> None:
    labels = np.array([0, 0, 0, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = evaluate_clustering(np.full((4, 3), 0.25), labels, 2)
    assert (found.clusters, found.accuracy, found.nmi, found.ari) == (1, 0.75, 0, 0)
    assert math.isnan(found.silhouette)


def test_two_images_of_two_classes_are_two_clusters() -> None:
    found = evaluate_clustering(np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([0, 1]), 2)
    assert (found.clusters, found.accuracy) == (2, 1.0)
    assert math.isnan(found.silhouette)


@pytest.mark.parametrize("latents", [np.zeros((0, 2)), np.array([[0.0, np.nan]])])
def test_nothing_and_what_is_not_finite_are_refused(latents: NDArray[np.float64]) -> None:
    with pytest.raises(ValueError, match="finite"):
        evaluate_clustering(latents, np.zeros(len(latents), dtype=np.int64), 2)


def test_the_order_of_the_latents_changes_nothing() -> None:
    """With as many clusters as these blobs do not have, the starts decide where k-means ends."""
    random = np.random.default_rng(0)
    latents, labels = random.normal(size=(400, 3)), random.integers(0, 9, 400)
    found = evaluate_clustering(latents, labels, 9)
    for seed in range(3):
        rows = np.random.default_rng(seed).permutation(400)
        again = evaluate_clustering(latents[rows], labels[rows], 9)
        assert np.array_equal(again.assigned, found.assigned[rows])
        assert again.silhouette == pytest.approx(found.silhouette, abs=1e-12)
        assert again.accuracy == found.accuracy
        assert again.nmi == pytest.approx(found.nmi)


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        ([0, 1, 2], "the only one of its class"),
        ([1, 1, 1], "of one class"),
        ([0], "one image is too few"),
        ([], "no images"),
        ([0, 1, 1], ""),
    ],
)
def test_it_is_said_where_clusters_mean_nothing(labels: list[int], why: str) -> None:
    reason = why_no_clustering(np.array(labels, dtype=np.int64))
    assert why in reason
    assert bool(why) == bool(reason)
