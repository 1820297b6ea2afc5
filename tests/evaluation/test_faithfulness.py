"""Trustworthiness and continuity against scikit-learn and plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.manifold import trustworthiness as reference

from tui_latent.evaluation import faithfulness as module
from tui_latent.evaluation.faithfulness import faithfulness, trustworthiness


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
    assert trustworthiness(latents, points, between=lambda: calls.append(None)) == whole
    assert len(calls) == 9


def test_all_equal_latents_leave_nothing_to_be_wrong_about() -> None:
    assert trustworthiness(np.ones((20, 5)), np.random.default_rng(0).normal(size=(20, 2))) == 1


@pytest.mark.parametrize(("count", "k"), [(10, 5), (2, 5), (0, 1)])
def test_too_few_images_are_refused(count: int, k: int) -> None:
    with pytest.raises(ValueError, match="half of the"):
        trustworthiness(np.ones((count, 3)), np.ones((count, 2)), k)


def test_what_is_not_finite_is_refused() -> None:
    latents, points = pair(20, 3)
    points[4, 1] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        faithfulness(latents, points)
