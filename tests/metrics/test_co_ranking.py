"""The co-ranking measures against a matrix counted pair by pair, and against scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr

from tui_latent.metrics.co_ranking import RANKED, co_ranking, distance_correlation

Points = NDArray[np.float64]


def rank_of(space: Points, i: int, j: int) -> int:
    """Return 1 for the nearest of i, counting word for word who is nearer than j."""
    near = math.dist(space[i], space[j])
    return 1 + sum(
        math.dist(space[i], space[m]) < near for m in range(len(space)) if m not in (i, j)
    )


def matrix_of(high: Points, low: Points) -> NDArray[np.int64]:
    count = len(high)
    matrix = np.zeros((count - 1, count - 1), dtype=np.int64)
    for i in range(count):
        for j in range(count):
            if i != j:
                matrix[rank_of(high, i, j) - 1, rank_of(low, i, j) - 1] += 1
    return matrix


@pytest.mark.parametrize("noise", [0.0, 0.3, 5.0])
def test_measures_are_those_of_the_co_ranking_matrix(noise: float) -> None:
    random = np.random.default_rng(3)
    high = random.normal(size=(30, 6))
    low = high[:, :2] + noise * random.normal(size=(30, 2))
    matrix, count = matrix_of(high, low), 30
    q = [matrix[:size, :size].sum() / (size * count) for size in range(1, count)]
    for k in (1, 5, 20):
        found = co_ranking(high, low, k)
        assert found.q_nx == pytest.approx(q[k - 1])
        assert found.lcmc == pytest.approx(q[k - 1] - k / (count - 1))
    r = [((count - 1) * q[k - 1] - k) / (count - 1 - k) for k in range(1, count - 1)]
    area = sum(value / k for k, value in enumerate(r, 1)) / sum(1 / k for k in range(1, count - 1))
    assert co_ranking(high, low, 5).area == pytest.approx(area)


def test_a_map_that_is_the_space_is_perfect_and_an_unrelated_one_is_chance() -> None:
    random = np.random.default_rng(0)
    space, other = random.normal(size=(400, 2)), random.normal(size=(400, 2))
    same = co_ranking(space, 3 * space + 7)
    assert same.q_nx == 1 and same.area == pytest.approx(1)
    chance = co_ranking(space, other)
    assert abs(chance.area) < 0.03 and abs(chance.lcmc) < 0.03


@pytest.mark.parametrize("collapsed", ["latents", "map"])
def test_points_that_fell_together_agree_by_chance_only(collapsed: str) -> None:
    random = np.random.default_rng(1)
    spread, point = random.normal(size=(300, 3)), np.zeros((300, 3))
    high, low = (point, spread) if collapsed == "latents" else (spread, point)
    found = co_ranking(high, low)
    assert abs(found.lcmc) < 0.03 and abs(found.area) < 0.03
    assert abs(co_ranking(point, point).area) < 0.03
    assert math.isnan(distance_correlation(high, low)[0])


@pytest.mark.slow
def test_the_order_of_the_images_does_not_matter_and_samples_are_named() -> None:
    random = np.random.default_rng(2)
    high = random.normal(size=(RANKED + 50, 4))
    low = high[:, :2].copy()
    found, order = co_ranking(high, low), random.permutation(len(high))
    assert found.images == RANKED and co_ranking(high[order], low[order]) == found


def test_rank_correlation_is_that_of_scipy() -> None:
    random = np.random.default_rng(4)
    high = random.normal(size=(80, 9))
    low = high[:, :2].round(1)  # some distances are equal
    value, images = distance_correlation(high, low)
    assert images == 80
    assert value == pytest.approx(spearmanr(pdist(high), pdist(low)).statistic)


def test_what_cannot_be_compared_is_refused() -> None:
    space = np.random.default_rng(5).normal(size=(9, 2))
    for k in (0, 8):
        with pytest.raises(ValueError, match="k is"):
            co_ranking(space, space, k)
    space[3, 1] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        co_ranking(space, space, 3)
    with pytest.raises(ValueError, match="not finite"):
        distance_correlation(space, space)
