"""Intervals and class tables against scipy and scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from tui_latent.metrics.class_scores import class_scores, wilson_interval


@pytest.mark.parametrize(
    ("right", "total"), [(0, 1), (1, 1), (0, 40), (40, 40), (7, 40), (9_814, 10_000), (1, 60_000)]
)
def test_the_interval_is_scipys_wilson_interval(right: int, total: int) -> None:
    expected = binomtest(right, total).proportion_ci(0.95, method="wilson")
    low, high = wilson_interval(right, total)
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert 0 <= low <= right / total <= high <= 1


def test_the_interval_holds_the_truth_about_19_times_in_20() -> None:
    random, truth, cases = np.random.default_rng(0), 0.93, 300
    intervals = [
        wilson_interval(int(right), cases) for right in random.binomial(cases, truth, 2000)
    ]
    covered = np.mean([low <= truth <= high for low, high in intervals])
    assert 0.93 < covered < 0.97


def test_without_cases_there_is_no_interval() -> None:
    assert all(math.isnan(bound) for bound in wilson_interval(0, 0))


def test_the_scores_of_each_class_are_scikit_learns() -> None:
    random = np.random.default_rng(1)
    truth = random.integers(0, 5, 400)
    called = np.where(random.random(400) < 0.6, truth, random.integers(0, 5, 400))
    scores = class_scores(confusion_matrix(truth, called, labels=range(5)))
    expected = precision_recall_fscore_support(truth, called, labels=range(5))
    for index, score in enumerate(scores):
        found = (score.precision, score.recall, score.f1, score.support)
        assert found == pytest.approx([column[index] for column in expected])


def test_what_has_no_images_or_is_never_called_has_no_share() -> None:
    never_called, absent, found = class_scores(np.array([[0, 0, 4], [0, 0, 0], [0, 0, 6]]))
    assert math.isnan(never_called.precision) and never_called.recall == 0 and never_called.f1 == 0
    assert math.isnan(absent.recall) and math.isnan(absent.f1) and absent.support == 0
    assert (found.precision, found.recall, found.support) == (0.6, 1.0, 6)
