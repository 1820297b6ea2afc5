"""Images near to and far from a class's middle, and from an image, in plain loops."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.trained_runs import stored
from tui_latent.analysis.class_extremes import class_extremes, most_distant
from tui_latent.analysis.errors import InspectionError
from tui_latent.analysis.run_data import RunData

Trained = Callable[[str], Path]


@pytest.mark.parametrize("name", ["contrastive", "vicreg"])
def test_a_class_is_ordered_by_the_distance_from_its_mean(trained: Trained, name: str) -> None:
    source = RunData(trained(name))
    found = class_extremes(source, label=7, k=5)
    tensors = stored(source.path)
    own = [row for row, label in enumerate(tensors["bank_labels"].tolist()) if label == 7]
    bank = tensors["bank_latents"].double().numpy()
    mean = bank[own].mean(axis=0)
    away = sorted((float(np.linalg.norm(bank[row] - mean)), row) for row in own)
    assert found.nearest.indices.tolist() == [row for _, row in away[:5]]
    assert found.farthest.indices.tolist() == [row for _, row in away[:-6:-1]]
    np.testing.assert_allclose(found.farthest.distances, [far for far, _ in away[:-6:-1]])
    assert found.median == pytest.approx(np.median([distance for distance, _ in away]))
    assert found.size == 40 and set(found.nearest.labels) == {"7"}
    expected = source.dataset().train.images[found.nearest.indices, 0].numpy()
    assert np.array_equal(found.nearest.images[..., 0], expected)


def test_a_small_class_shows_every_image_once(trained: Trained) -> None:
    found = class_extremes(RunData(trained("two-images")), label=0, k=10)
    assert sorted([*found.nearest.indices, *found.farthest.indices]) == [0, 1]
    with pytest.raises(InspectionError, match="class 1 has no training image"):
        class_extremes(RunData(trained("two-images")), label=1, k=10)


def test_the_most_distant_images_are_the_farthest_of_all(trained: Trained) -> None:
    source = RunData(trained("vicreg"))
    found = most_distant(source, 4, k=6)
    tensors = stored(source.path)
    asked = tensors["query_latents"][4].double().numpy()
    every = [float(np.linalg.norm(row - asked)) for row in tensors["bank_latents"].double().numpy()]
    expected = sorted(range(400), key=lambda row: -every[row])[:6]
    assert found.indices.tolist() == expected
    np.testing.assert_allclose(found.distances, [every[row] for row in expected], rtol=1e-6)
    assert found.labels == tuple(str(int(tensors["bank_labels"][row])) for row in expected)
    assert len(most_distant(source, 4, k=10**6).indices) == 400
    with pytest.raises(InspectionError, match="no held-out image 999"):
        most_distant(source, 999, k=3)
