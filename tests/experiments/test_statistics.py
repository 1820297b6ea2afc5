"""Means over seeds and paired intervals, against scipy and numpy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from experiments.findings.statistics import difference, spread


@pytest.mark.parametrize("seeds", [2, 3, 5, 10, 40])
def test_an_interval_is_that_of_a_paired_t_test(seeds: int) -> None:
    random = np.random.default_rng(seeds)
    first, second = random.normal(size=(2, seeds))
    found = difference(first.tolist(), second.tolist())
    theirs = stats.ttest_rel(first, second)
    low, high = theirs.confidence_interval(0.95)
    assert (found.low, found.high, found.p) == pytest.approx((low, high, theirs.pvalue))
    assert found.mean == pytest.approx(float((first - second).mean()))
    both = spread(first.tolist())
    assert both.deviation == pytest.approx(float(first.std(ddof=1)))


def test_what_all_seeds_share_is_no_noise() -> None:
    ease = np.linspace(0, 0.5, 6)
    assert difference((ease + 0.01).tolist(), ease.tolist()).low == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("first", "second", "larger", "said"),
    [
        pytest.param([0.9, 0.8, 0.85], [0.1, 0.2, 0.15], True, "shown", id="larger"),
        pytest.param([0.1, 0.2, 0.15], [0.9, 0.8, 0.85], True, "the opposite", id="smaller"),
        pytest.param([0.1, 0.2, 0.15], [0.9, 0.8, 0.85], False, "shown", id="said-to-be-smaller"),
        pytest.param([0.5, 0.6, 0.4], [0.4, 0.7, 0.4], True, "not shown", id="noise"),
        pytest.param([0.9, 0.8, 0.85], [0.1, 0.2, 0.15], None, "larger", id="open"),
        pytest.param([0.1, 0.2, 0.15], [0.9, 0.8, 0.85], None, "smaller", id="open-smaller"),
        pytest.param([0.9], [0.1], True, "one seed", id="one-seed"),
        pytest.param([0.5, 0.5], [0.5, 0.5], True, "not shown", id="all-equal"),
    ],
)
def test_a_finding_is_shown_only_beyond_the_noise(
    first: list[float], second: list[float], larger: bool | None, said: str
) -> None:
    assert difference(first, second).shows(larger) == said


def test_seeds_are_paired_one_to_one() -> None:
    with pytest.raises(ValueError, match="zip"):
        difference([0.1, 0.2], [0.1])
    with pytest.raises(ValueError, match="no value"):
        spread([])
