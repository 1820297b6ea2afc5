"""Intervals of differences over seeds, against scipy and a least-squares fit."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from tui_latent.sweeps.spread import Spread, difference_intervals
from tui_latent.sweeps.studentised_range import quantile


@pytest.mark.slow
@pytest.mark.parametrize(("groups", "freedom"), [(2, 1), (3, 4), (9, 18), (40, 80), (2, 500)])
def test_the_quantile_is_scipys(groups: int, freedom: int) -> None:
    expected = stats.studentized_range.ppf(0.95, groups, freedom)
    assert quantile(0.95, groups, freedom) == pytest.approx(expected, rel=2e-5)


def test_without_common_seeds_the_intervals_are_tukeys() -> None:
    random = np.random.default_rng(0)
    samples = [random.normal(mean, 0.1, count) for mean, count in ((0.9, 4), (0.8, 3), (0.85, 5))]
    spreads = [Spread(tuple(map(float, sample))) for sample in samples]
    expected = stats.tukey_hsd(*samples).confidence_interval(0.95)
    found = difference_intervals(spreads, 0)
    assert found[0] is None
    for place in (1, 2):
        interval = expected.low[place, 0], expected.high[place, 0]
        assert found[place] == pytest.approx(interval, abs=1e-5)


def test_what_a_seed_does_to_all_groups_is_no_noise_between_them() -> None:
    random = np.random.default_rng(1)
    groups, seeds = 4, 3
    of_seed = random.normal(0, 1.0, seeds)  # far larger than the noise
    values = np.array([[0.1 * g + of_seed[s] for s in range(seeds)] for g in range(groups)])
    values += random.normal(0, 0.01, values.shape)
    spreads = [Spread(tuple(map(float, row)), tuple(range(seeds))) for row in values]
    # Independent: fit an effect for each group and each seed, and take what is left.
    rows = [(g, s) for g in range(groups) for s in range(seeds)]
    design = np.zeros((len(rows), groups + seeds - 1))
    for at, (g, s) in enumerate(rows):
        design[at, g] = 1.0
        if s:
            design[at, groups + s - 1] = 1.0
    flat = values.reshape(-1)
    left = flat - design @ np.linalg.lstsq(design, flat, rcond=None)[0]
    freedom = len(rows) - design.shape[1]
    error = math.sqrt(float(left @ left) / freedom / seeds)
    half = float(stats.studentized_range.ppf(0.95, groups, freedom)) * error
    found = difference_intervals(spreads, 3)
    for g in range(3):
        difference = float(values[g].mean() - values[3].mean())
        assert found[g] == pytest.approx((difference - half, difference + half), rel=1e-4)


def test_one_seed_each_gives_no_interval() -> None:
    assert difference_intervals([Spread((0.9,)), Spread((0.1,))], 0) == [None, None]
    assert difference_intervals([], 0) == []


def test_groups_that_do_not_differ_are_told_apart_in_one_of_twenty_sweeps_at_most() -> None:
    random = np.random.default_rng(2)
    wrong = 0
    for _ in range(400):
        values = random.normal(0, 1, (6, 3)) + random.normal(0, 2, 3)
        spreads = [Spread(tuple(map(float, row)), (0, 1, 2)) for row in values]
        best = max(range(6), key=lambda place: spreads[place].mean)
        found = difference_intervals(spreads, best)
        wrong += any(interval is not None and interval[1] < 0 for interval in found)
    assert wrong / 400 < 0.075
