"""Who changed their neighbourhood, against plain loops."""

from __future__ import annotations

import numpy as np
import pytest

from tui_latent.analysis.neighbourhood_change import K, find_changes
from tui_latent.runs.schema import LatentMap


def latent_map(points: np.ndarray, step: int) -> LatentMap:
    count = len(points)
    labels = np.zeros(count, np.int64)
    return LatentMap(step, points.astype(np.float32), np.arange(count), labels, ("a",))


def neighbours(points: np.ndarray, index: int) -> set[int]:
    wide = points.astype(np.float32).astype(np.float64)
    others = [i for i in range(len(wide)) if i != index]
    return set(sorted(others, key=lambda i: float(np.linalg.norm(wide[i] - wide[index])))[:K])


def test_shares_are_those_of_a_plain_loop() -> None:
    generator = np.random.default_rng(0)
    before = generator.normal(size=(90, 2))
    after = before + 0.3 * generator.normal(size=(90, 2))
    kept = [len(neighbours(before, i) & neighbours(after, i)) / K for i in range(90)]
    found = find_changes(latent_map(before, 1), latent_map(after, 2), 90)
    assert found is not None
    assert found.mean_kept == pytest.approx(sum(kept) / 90)
    assert found.kept.tolist() == sorted(kept)
    for index, share in zip(found.indices.tolist(), found.kept.tolist(), strict=True):
        assert share == pytest.approx(kept[index])


def test_an_image_that_jumped_comes_first_and_a_turned_map_has_no_movers() -> None:
    generator = np.random.default_rng(1)
    before = np.concatenate([generator.normal(size=(100, 2)), 50 + generator.normal(size=(100, 2))])
    after = before.copy()
    after[7] = (50, 50)
    found = find_changes(latent_map(before, 1), latent_map(after, 2), 3)
    assert found is not None and found.indices[0] == 7 and found.kept[0] == 0
    turned = before @ np.array([[0.6, -0.8], [0.8, 0.6]])
    still = find_changes(latent_map(before, 1), latent_map(turned, 2), 3)
    assert still is not None and still.mean_kept > 0.99


def test_maps_of_other_images_have_no_movers() -> None:
    points = np.random.default_rng(2).normal(size=(30, 2))
    assert find_changes(latent_map(points, 1), latent_map(points[:20], 2), 3) is None
    assert find_changes(latent_map(points[:1], 1), latent_map(points[:1], 2), 3) is None


def test_points_that_are_not_finite_do_not_count() -> None:
    points = np.random.default_rng(2).normal(size=(30, 2))
    broken = points.copy()
    broken[4] = np.nan
    found = find_changes(latent_map(points, 1), latent_map(broken, 2), 30)
    assert found is not None and 4 not in found.indices and len(found.indices) == 29
