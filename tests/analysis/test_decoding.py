"""Latents back to images, against the method itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.trained_runs import stored
from tui_latent.analysis.decoding import RunDecoder, no_decoder
from tui_latent.analysis.errors import InspectionError
from tui_latent.analysis.run_data import RunData
from tui_latent.config.methods import METHOD_SETTINGS
from tui_latent.methods import METHODS
from tui_latent.methods.method import Method

Trained = Callable[[str], Path]


def test_the_methods_named_as_decoding_are_those_that_decode() -> None:
    decoding = {name for name, method in METHODS.items() if method.decode is not Method.decode}
    assert decoding == {name for name, method in METHOD_SETTINGS.items() if method.decodes}


def test_reconstructions_are_the_decoded_latents_that_training_wrote(trained: Trained) -> None:
    source = RunData(trained("autoencoder"))
    found = RunDecoder(source).reconstruct([0, 5, 9])
    latents = stored(source.path)["query_latents"][[0, 5, 9]]
    with torch.inference_mode():
        x_hat = source.model().method.decode(latents)
    assert x_hat is not None
    expected = x_hat.double().numpy().transpose(0, 2, 3, 1)
    assert found.images.shape == (3, 8, 8, 1)
    np.testing.assert_allclose(found.images / 255, expected, atol=0.51 / 255)
    originals = source.dataset().val.images[[0, 5, 9], 0].numpy()
    assert np.array_equal(found.originals[..., 0], originals)
    plain = [
        np.mean([(a - b / 255) ** 2 for a, b in zip(one.flat, other.flat, strict=True)])
        for one, other in zip(expected, originals, strict=True)
    ]
    np.testing.assert_allclose(found.errors, plain, rtol=1e-3)


def test_decoding_needs_the_weights_alone(trained: Trained, no_digits: None) -> None:
    source = RunData(trained("autoencoder"))
    latents = stored(source.path)["bank_latents"][:4].numpy()
    images = RunDecoder(source).decode(latents)
    assert images.shape == (4, 8, 8, 1) and images.dtype == np.uint8
    assert len({image.tobytes() for image in images}) == 4
    with pytest.raises(InspectionError, match="digits are not in /data: mount it"):
        RunDecoder(source).reconstruct([0])


def test_the_whole_of_a_set_can_be_decoded_piece_by_piece(trained: Trained) -> None:
    decoder = RunDecoder(RunData(trained("autoencoder")))
    latents = stored(trained("autoencoder"))["bank_latents"].numpy()
    pieces = np.concatenate([decoder.decode(latents[:7]), decoder.decode(latents[7:])])
    together = decoder.decode(latents).astype(int)
    assert np.abs(together - pieces).max() <= 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("contrastive", "contrastive has no decoder"),
        ("features", "turns latents into hog features"),
    ],
)
def test_what_cannot_be_decoded_says_why(trained: Trained, name: str, words: str) -> None:
    source = RunData(trained(name))
    assert words in no_decoder(source.preset)
    with pytest.raises(InspectionError, match=words):
        RunDecoder(source).decode(np.zeros((1, source.own_preset().method.latent_dim)))
    with pytest.raises(InspectionError, match=words):
        RunDecoder(source).reconstruct([0])


def test_latents_of_another_width_are_refused(trained: Trained) -> None:
    decoder = RunDecoder(RunData(trained("autoencoder")))
    with pytest.raises(InspectionError, match="of 7 numbers each are decoded, not 2x3"):
        decoder.decode(np.zeros((2, 3)))
    with pytest.raises(InspectionError, match="no held-out image 5,000"):
        decoder.reconstruct([5000])
