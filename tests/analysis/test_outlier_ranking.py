"""The most anomalous images against sorted distances."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.trained_runs import stored
from tui_latent.analysis.errors import InspectionError
from tui_latent.analysis.outlier_ranking import AnomalyRanking
from tui_latent.analysis.run_data import RunData

Trained = Callable[[str], Path]


@pytest.mark.parametrize("name", ["contrastive", "vicreg"])
def test_images_are_ranked_by_the_mean_distance_to_five_neighbours(
    trained: Trained, name: str
) -> None:
    source = RunData(trained(name))
    tensors = stored(source.path)
    bank = tensors["bank_latents"].double().numpy()
    scores = np.array(
        [
            np.sort(np.linalg.norm(bank - query, axis=1))[:5].mean()
            for query in tensors["query_latents"].double().numpy()
        ]
    )
    found = AnomalyRanking(source).most_anomalous(8)
    assert found.k == 5 and found.size == len(scores)
    assert found.indices.tolist() == np.argsort(-scores)[:8].tolist()
    np.testing.assert_allclose(found.scores, np.sort(scores)[:-9:-1], rtol=1e-5)
    assert found.median == pytest.approx(np.median(scores), rel=1e-5)
    expected = source.dataset().val.images[found.indices, 0].numpy()
    assert np.array_equal(found.images[..., 0], expected)
    later = AnomalyRanking(source).most_anomalous(3, first=5)
    assert later.indices.tolist() == found.indices[5:].tolist() and later.first == 5


def test_two_training_images_are_all_the_neighbours_there_are(trained: Trained) -> None:
    found = AnomalyRanking(RunData(trained("two-images"))).most_anomalous(4)
    assert found.k == 2 and (np.diff(found.scores) <= 0).all()


def test_ranks_beyond_the_last_are_nothing_and_lost_images_are_named(
    trained: Trained, request: pytest.FixtureRequest
) -> None:
    ranking = AnomalyRanking(RunData(trained("contrastive")))
    assert not len(ranking.most_anomalous(5, first=10**6).indices)
    request.getfixturevalue("no_digits")
    with pytest.raises(InspectionError, match="digits are not in /data"):
        AnomalyRanking(RunData(trained("contrastive"))).most_anomalous(5)
