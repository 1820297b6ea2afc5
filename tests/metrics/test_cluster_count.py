"""The number of clusters is that of well separated groups, and its score scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from tui_latent.metrics.cluster_count import best_count


@pytest.mark.slow
@pytest.mark.parametrize("groups", [2, 3, 5, 8])
def test_separate_groups_are_counted(groups: int) -> None:
    latents, _ = make_blobs(
        60 * groups, n_features=6, centers=groups, cluster_std=0.4, random_state=groups
    )
    assert best_count(latents) == groups


@pytest.mark.slow
def test_a_large_space_is_sampled() -> None:
    latents, _ = make_blobs(20_000, n_features=4, centers=4, cluster_std=0.3, random_state=1)
    assert best_count(latents) == 4


def test_equal_latents_are_one_cluster_and_those_not_finite_are_refused() -> None:
    assert best_count(np.ones((50, 3))) == 1
    assert best_count(np.ones((1, 3))) == 1
    with pytest.raises(ValueError, match="finite"):
        best_count(np.full((10, 2), np.nan))
