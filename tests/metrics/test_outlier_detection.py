"""Anomaly scores and ROC curves against plain loops and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.metrics import roc_auc_score, roc_curve

from tui_latent.metrics.nearest_neighbours import NeighbourSearch
from tui_latent.metrics.outlier_detection import (
    Roc,
    anomaly_scores,
    class_rocs,
    roc,
    thinned,
)

SCORES = st.lists(st.integers(0, 9), min_size=1, max_size=30)


def area(curve: Roc) -> float:
    """Return the area under a curve, trapezium by trapezium."""
    x, y = curve.false_positives.tolist(), curve.true_positives.tolist()
    return float(sum((x[i + 1] - x[i]) * (y[i + 1] + y[i]) / 2 for i in range(len(x) - 1)))


def precision_loop(truth: list[int], scores: list[int]) -> float:
    """Sum precision over the steps of recall, threshold by threshold, as average precision does."""
    total, recall = 0.0, 0.0
    for threshold in sorted(set(scores), reverse=True):
        called = [t for t, s in zip(truth, scores, strict=True) if s >= threshold]
        total += (sum(called) / sum(truth) - recall) * sum(called) / len(called)
        recall = sum(called) / sum(truth)
    return total


@pytest.mark.parametrize("dimensions", [2, 20])
def test_the_score_is_the_mean_distance_to_the_nearest(dimensions: int) -> None:
    random = torch.Generator().manual_seed(0)
    bank = torch.randn(200, dimensions, generator=random)
    queries = 2 * torch.randn(30, dimensions, generator=random)
    found = anomaly_scores(NeighbourSearch(bank), queries, k=7)
    for score, query in zip(found.tolist(), queries.double(), strict=True):
        distances = sorted(float((row - query).square().sum().sqrt()) for row in bank.double())
        assert score == pytest.approx(sum(distances[:7]) / 7, rel=1e-5)


@pytest.mark.slow
@given(SCORES, SCORES)
def test_curve_and_area_are_scikit_learns(inliers: list[int], outliers: list[int]) -> None:
    found = roc(np.array(inliers, float), np.array(outliers, float))
    truth, scores = [0] * len(inliers) + [1] * len(outliers), inliers + outliers
    x, y, _ = roc_curve(truth, scores)
    assert found.auc == pytest.approx(roc_auc_score(truth, scores))
    assert found.aupr == pytest.approx(precision_loop(truth, scores))
    enough = [t for t in set(scores) if np.mean([s >= t for s in outliers]) >= 0.95]
    assert found.fpr95 == pytest.approx(min(np.mean([s >= t for s in inliers]) for t in enough))
    assert area(found) == pytest.approx(found.auc)
    expected = sorted({(a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)})
    points = list(zip(found.false_positives.tolist(), found.true_positives.tolist(), strict=True))
    assert points[0] == (0, 0) and points[-1] == (1, 1)
    assert all(any(p == pytest.approx(e) for e in expected) for p in points)


def test_the_area_is_the_chance_that_an_outlier_scores_higher() -> None:
    random = np.random.default_rng(3)
    inliers, outliers = random.normal(0, 1, 60), random.normal(1, 1, 50)
    wins = np.mean([(o > i) + (o == i) / 2 for o in outliers for i in inliers])
    assert roc(inliers, outliers).auc == pytest.approx(wins)


def test_a_thinned_curve_keeps_its_ends_its_area_and_its_shape() -> None:
    random = np.random.default_rng(4)
    whole = roc(random.normal(0, 1, 4000), random.normal(1.5, 1, 4000))
    few = thinned(whole, 100)
    assert len(few.false_positives) <= 100 < len(whole.false_positives)
    assert (few.false_positives[0], few.true_positives[-1]) == (0, 1)
    assert few.auc == whole.auc and area(few) == pytest.approx(whole.auc, abs=0.002)
    assert thinned(few, 100) is few


def test_a_curve_needs_both_kinds() -> None:
    for inliers, outliers in (([], [1.0]), ([1.0], [])):
        with pytest.raises(ValueError, match="inliers and outliers"):
            roc(np.array(inliers), np.array(outliers))


def test_each_class_left_out_is_as_if_its_bank_were_not_there() -> None:
    random = torch.Generator().manual_seed(5)
    labels, query_labels = torch.arange(120) % 4, torch.arange(60) % 4
    centres = 3 * torch.randn(4, 3, generator=random)
    bank = centres[labels] + torch.randn(120, 3, generator=random)
    queries = centres[query_labels] + torch.randn(60, 3, generator=random)
    found = class_rocs(bank, labels, queries, query_labels, 4, k=3)
    for index in range(4):
        search = NeighbourSearch(bank[labels != index])
        scores = anomaly_scores(search, queries, k=3).numpy()
        truth = (query_labels == index).numpy()
        curve = found[index]
        assert curve is not None and curve.auc == pytest.approx(roc_auc_score(truth, scores))


@pytest.mark.parametrize("classes", [3, 10, 20, 40])
def test_without_a_bank_every_other_image_counts_however_small_its_class(classes: int) -> None:
    latents = torch.randn(40, 4, generator=torch.Generator().manual_seed(3))
    latents[30:] = latents[20:30]  # copies, among which an image must find itself
    labels = torch.arange(40) % classes
    found = class_rocs(latents, labels, latents, labels, classes, within=True)
    distances = cdist(latents, latents)
    np.fill_diagonal(distances, np.inf)
    for index, curve in enumerate(found):
        others, truth = labels.numpy() != index, labels.numpy() == index
        scores = np.sort(distances[:, others], axis=1)[:, :5].mean(1).astype(np.float32)
        assert curve is not None
        assert curve.auc == pytest.approx(roc_auc_score(truth, scores), abs=0.02)


def test_a_class_that_cannot_be_left_out_has_no_curve() -> None:
    one = torch.zeros(8, dtype=torch.int64)
    latents = torch.arange(16.0).reshape(8, 2)
    assert class_rocs(latents, one, latents, one, 1) == [None]
    labels = torch.tensor([0, 0, 0, 0, 0, 0, 1, 1])
    assert class_rocs(latents, labels, latents[:6], labels[:6], 2, k=2) == [None, None]
    two = torch.tensor([0, 1])
    assert class_rocs(latents[:2], two, latents[:2], two, 2, within=True) == [None, None]
