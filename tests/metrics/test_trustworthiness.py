"""Trustworthiness and continuity against scikit-learn and plain loops."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.manifold import trustworthiness as reference

from tui_latent.metrics import trustworthiness as module
from tui_latent.metrics.trustworthiness import faithfulness, trustworthiness


def pair(count: int, dimensions: int, seed: int = 0) -> tuple[NDArray[np.float64], ...]:
    random = np.random.default_rng(seed)
    latents = random.normal(size=(count, dimensions))
    return latents, latents[:, :2] + 0.3 * random.normal(size=(count, 2))


def by_loops(original: NDArray[np.float64], shown: NDArray[np.float64], k: int) -> float:
    """Add up the ranks beyond k, image by image."""
    count, surplus = len(original), 0
    for i in range(count):
        far = [float(np.sum((original[i] - row) ** 2)) for row in original]
        near = [float(np.sum((shown[i] - row) ** 2)) for row in shown]
        by_rank = sorted((j for j in range(count) if j != i), key=lambda j: far[j])
        on_map = sorted((j for j in range(count) if j != i), key=lambda j: near[j])
        surplus += sum(max(0, by_rank.index(j) + 1 - k) for j in on_map[:k])
    return 1 - 2 * surplus / (count * k * (2 * count - 3 * k - 1))


@pytest.mark.parametrize(("count", "dimensions", "k"), [(40, 3, 5), (300, 16, 5), (101, 8, 50)])
def test_both_figures_are_scikit_learns(count: int, dimensions: int, k: int) -> None:
    latents, points = pair(count, dimensions)
    found = faithfulness(latents, points, k)
    assert found.trustworthiness == pytest.approx(reference(latents, points, n_neighbors=k))
    assert found.continuity == pytest.approx(reference(points, latents, n_neighbors=k))
    assert (found.k, found.images) == (k, count)


def test_they_are_those_of_plain_loops() -> None:
    latents, points = pair(50, 6, seed=1)
    found = faithfulness(latents, points, 4)
    assert found.trustworthiness == pytest.approx(by_loops(latents, points, 4))
    assert found.continuity == pytest.approx(by_loops(points, latents, 4))


def test_a_turned_and_scaled_map_is_as_true_as_the_latents_themselves() -> None:
    latents = np.random.default_rng(2).normal(size=(80, 2))
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    found = faithfulness(latents, 7 * latents @ turn + 3)
    assert (found.trustworthiness, found.continuity) == (1, 1)


def test_a_map_that_tears_is_trustworthy_and_one_that_folds_is_continuous() -> None:
    """A ring cut open keeps all neighbours true; a ring pressed flat keeps all it had."""
    angle = np.linspace(0, 2 * np.pi, 200, endpoint=False) + 0.001 * np.arange(200) ** 0.5
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    cut = faithfulness(ring, np.stack([angle, 0 * angle], axis=1))
    pressed = faithfulness(ring, np.stack([np.cos(angle), 0 * angle], axis=1))
    assert cut.trustworthiness > 0.999 > cut.continuity
    assert pressed.continuity > 0.95 > 0.8 > pressed.trustworthiness


def test_many_images_are_sampled_and_the_figures_stay_near(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    latents, points = pair(1200, 6, seed=3)
    monkeypatch.setattr(module, "SAMPLE", 600)
    found = faithfulness(latents, points)
    assert found.images == 600
    assert found.trustworthiness == pytest.approx(reference(latents, points), abs=0.03)


def test_chunks_change_nothing_and_something_runs_between_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    latents, points = pair(90, 4, seed=4)
    whole = trustworthiness(latents, points)
    monkeypatch.setattr(module, "_PAIRS_AT_ONCE", 1000)
    calls: list[None] = []
    assert trustworthiness(latents, points, on_chunk=lambda: calls.append(None)) == whole
    assert len(calls) == 9


def over_all_orders(original: NDArray[np.float64], shown: NDArray[np.float64], k: int) -> float:
    """Average the loops' figure over every order that equal distances may be put in."""

    def orders(points: NDArray[np.float64], i: int) -> list[tuple[int, ...]]:
        far = [float(np.sum((points[i] - row) ** 2)) for row in points]
        others = [j for j in range(len(points)) if j != i]
        rising = sorted(far[j] for j in others)
        return [o for o in itertools.permutations(others) if [far[j] for j in o] == rising]

    count, surplus = len(original), 0.0
    for i in range(count):
        theirs, on_map = orders(original, i), orders(shown, i)
        sums = [sum(max(0, r.index(j) + 1 - k) for j in m[:k]) for r in theirs for m in on_map]
        surplus += sum(sums) / len(sums)
    return 1 - 2 * surplus / (count * k * (2 * count - 3 * k - 1))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(("count", "k"), [(5, 1), (5, 2), (6, 2), (7, 3)])
def test_equal_distances_count_as_the_mean_over_all_their_orders(
    seed: int, count: int, k: int
) -> None:
    random = np.random.default_rng(seed)
    latents = random.integers(0, 2, (count, 3)).astype(float)
    points = random.integers(0, 3, (count, 2)).astype(float)
    found = faithfulness(latents, points, k)
    assert found.trustworthiness == pytest.approx(over_all_orders(latents, points, k), abs=1e-12)
    assert found.continuity == pytest.approx(over_all_orders(points, latents, k), abs=1e-12)


@pytest.mark.slow
def test_with_ties_scikit_learns_figure_scatters_around_ours() -> None:
    """It puts equals in the order of the rows: over shuffled rows that is a random order."""
    random = np.random.default_rng(0)
    latents = random.integers(0, 2, (60, 4)).astype(float)
    points = random.normal(size=(60, 2))
    shuffled = (random.permutation(60) for _ in range(300))
    figures = [reference(latents[rows], points[rows], n_neighbors=5) for rows in shuffled]
    assert trustworthiness(latents, points) == pytest.approx(np.mean(figures), abs=0.004)


@pytest.mark.slow
@pytest.mark.parametrize("collapsed", ["latents", "map"])
def test_what_has_collapsed_is_no_more_faithful_than_chance(collapsed: str) -> None:
    spread = np.random.default_rng(0).normal(size=(100, 2))
    points, latents = (
        (spread, np.zeros((100, 8))) if collapsed == "latents" else (0 * spread, spread)
    )
    found = faithfulness(latents, points)
    by_chance = [
        reference(spread, spread[np.random.default_rng(seed).permutation(100)])
        for seed in range(100)
    ]
    assert found.trustworthiness == pytest.approx(np.mean(by_chance), abs=0.01)
    assert found.continuity == pytest.approx(np.mean(by_chance), abs=0.01)


def test_latents_and_map_on_one_point_are_not_faithful_either() -> None:
    found = faithfulness(np.zeros((40, 3)), np.zeros((40, 2)))
    assert found.trustworthiness == found.continuity
    assert found.trustworthiness < 0.6


def test_the_order_of_the_images_changes_neither_sample_nor_figures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    latents, points = pair(700, 4, seed=5)
    by_first = np.argsort(latents[:, 0])
    monkeypatch.setattr(module, "SAMPLE", 200)
    found, again = faithfulness(latents, points), faithfulness(latents[by_first], points[by_first])
    assert again == found


@pytest.mark.parametrize(("count", "k"), [(10, 5), (2, 5), (0, 1)])
def test_too_few_images_are_refused(count: int, k: int) -> None:
    with pytest.raises(ValueError, match="half of the"):
        trustworthiness(np.ones((count, 3)), np.ones((count, 2)), k)


def test_what_is_not_finite_is_refused() -> None:
    latents, points = pair(20, 3)
    points[4, 1] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        faithfulness(latents, points)
