"""The way between two images, against straight lines in float64."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.trained_runs import stored
from tui_latent.analysis.decoding import RunDecoder
from tui_latent.analysis.errors import InspectionError
from tui_latent.analysis.interpolation import walk
from tui_latent.analysis.run_data import RunData

Trained = Callable[[str], Path]


@pytest.mark.parametrize("name", ["autoencoder", "contrastive"])
def test_the_steps_lie_evenly_on_the_line_and_know_their_nearest_image(
    trained: Trained, name: str
) -> None:
    source = RunData(trained(name))
    tensors = stored(source.path)
    found = walk(source, 3, 20, steps=6)
    start, end = tensors["query_latents"][[3, 20]].double().numpy()
    expected = np.array([start + step / 5 * (end - start) for step in range(6)])
    np.testing.assert_allclose(found.latents, expected, atol=1e-5)
    assert found.length == pytest.approx(np.linalg.norm(end - start))
    bank = tensors["bank_latents"].double().numpy()
    for step, point in enumerate(found.latents.astype(np.float64)):
        every = np.linalg.norm(bank - point, axis=1)
        assert found.distances[step] == pytest.approx(every.min(), abs=1e-6)
        assert found.labels[step] == str(int(tensors["bank_labels"][found.nearest[step]]))


def test_with_a_decoder_the_steps_are_decoded(trained: Trained) -> None:
    source = RunData(trained("autoencoder"))
    found = walk(source, 3, 20, steps=4)
    assert found.decoded
    assert np.array_equal(found.images, RunDecoder(source).decode(found.latents))


def test_without_a_decoder_the_nearest_training_images_stand_for_the_steps(
    trained: Trained,
) -> None:
    source = RunData(trained("contrastive"))
    found = walk(source, 3, 20, steps=5)
    assert not found.decoded
    expected = source.dataset().train.images[found.nearest, 0].numpy()
    assert np.array_equal(found.images[..., 0], expected)


def test_a_walk_to_the_same_image_stays_there(trained: Trained) -> None:
    found = walk(RunData(trained("autoencoder")), 5, 5, steps=3)
    assert found.length == 0 and np.array_equal(found.images[0], found.images[2])


def test_ends_that_are_not_there_are_named(trained: Trained) -> None:
    with pytest.raises(InspectionError, match="no held-out image 9,999"):
        walk(RunData(trained("autoencoder")), 0, 9999, steps=3)
