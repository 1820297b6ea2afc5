from __future__ import annotations

from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from tui_latent.analysis.cluster_matching import Clusters, matched


def clusters(numbers: list[int], images: list[int] | None = None) -> Clusters:
    every = list(range(len(numbers))) if images is None else images
    return Clusters(np.array(every), np.array(numbers))


def shared(a: NDArray[np.int64], b: NDArray[np.int64]) -> int:
    return int((a == b).sum())


def test_as_many_images_as_possible_keep_their_cluster() -> None:
    random = np.random.default_rng(0)
    before = random.integers(0, 4, 60)
    now = np.where(random.random(60) < 0.6, (before + 1) % 4, random.integers(0, 4, 60))
    found = matched(clusters(now.tolist()), clusters(before.tolist())).numbers
    best = max(shared(np.array(way)[now], before) for way in permutations(range(4)))
    assert shared(found, before) == best
    assert len({*zip(now.tolist(), found.tolist(), strict=True)}) == 4


def test_a_new_cluster_gets_a_free_number_and_a_lost_one_leaves_its_own() -> None:
    more = matched(clusters([0, 0, 1, 1, 2, 2]), clusters([1, 1, 0, 0, 0, 0]))
    assert more.numbers.tolist() == [1, 1, 0, 0, 2, 2]
    fewer = matched(clusters([0, 0, 0, 1, 1]), clusters([0, 0, 1, 2, 2]))
    assert fewer.numbers.tolist() == [0, 0, 0, 2, 2]


def test_only_images_of_both_maps_count() -> None:
    found = matched(clusters([0, 0, 1], [10, 11, 12]), clusters([5, 3], [12, 11]))
    assert found.numbers.tolist() == [3, 3, 5]


def test_clusters_that_share_nothing_are_numbered_anew() -> None:
    found = matched(clusters([4, 4, 7], [0, 1, 2]), clusters([0, 1], [8, 9]))
    assert found.numbers.tolist() == [0, 0, 1]
