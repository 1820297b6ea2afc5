"""What a network gets from images that differ from the training images."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from tui_latent.config.settings import DataSettings
from tui_latent.datasets.fitting import Fit
from tui_latent.datasets.preprocessing import Preprocessing
from tui_latent.datasets.sources import resized

DIGITS = DataSettings(source="digits")


def made(channels: int, height: int, width: int) -> Preprocessing:
    """Return a preprocessing that normalises nothing: pixels come out in 0..1."""
    state: dict[str, Any] = {
        "image_shape": [channels, height, width],
        "mean": torch.zeros(channels, 1, 1),
        "std": torch.ones(channels, 1, 1),
    }
    return Preprocessing(DIGITS, state)


def photos(channels: int, height: int, width: int) -> Tensor:
    """Return smooth images, so that methods of resizing agree on them."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(3, channels, 5, 5, generator=generator)
    fine = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic")
    return fine.mul(255).round().clamp(0, 255).to(torch.uint8)


def test_images_of_the_right_shape_are_only_normalised() -> None:
    state = {
        "image_shape": [3, 8, 8],
        "mean": torch.full((3, 1, 1), 0.5),
        "std": torch.full((3, 1, 1), 0.25),
    }
    images = photos(3, 8, 8)
    expected = (images.numpy() / 255.0 - 0.5) / 0.25
    found = Preprocessing(DIGITS, state)(images)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)


def test_larger_images_are_resized_as_pillow_does() -> None:
    images = photos(1, 40, 40)
    found = made(1, 16, 16)(images) * 255
    for image, small in zip(images, found, strict=True):
        pillow = Image.fromarray(image[0].numpy()).resize((16, 16), Image.Resampling.BILINEAR)
        assert np.abs(small[0].numpy() - np.asarray(pillow, dtype=np.float64)).max() <= 1


def test_of_an_oblong_image_the_centre_square_is_used() -> None:
    images = photos(1, 16, 26)
    np.testing.assert_array_equal(made(1, 16, 16)(images), made(1, 16, 16)(images[..., 5:21]))


def test_colour_becomes_grey_as_in_pillow_and_grey_becomes_colour() -> None:
    images = photos(3, 8, 8)
    greys = made(1, 8, 8)(images) * 255
    for image, grey in zip(images, greys, strict=True):
        pillow = Image.fromarray(image.permute(1, 2, 0).numpy()).convert("L")
        assert np.abs(grey[0].numpy() - np.asarray(pillow, dtype=np.float64)).max() <= 1
    found = made(3, 8, 8)(images[:, :1])
    assert found.shape == images.shape and torch.equal(found[:, 0], found[:, 2])


@pytest.mark.parametrize(
    ("images", "problem"),
    [
        (torch.zeros(1, 8, 8), r"shape \(N, C, H, W\) .* not \(1, 8, 8\)"),
        (torch.zeros(2, 8, 8, 3), "1 or 3 channels"),
        (torch.zeros(2, 1, 8, 8, dtype=torch.int64), r"uint8, or floats .* not torch\.int64"),
        (torch.full((2, 1, 8, 8), 255.0), r"in 0\.\.1, not in 255\.\.255: scale them"),
        (torch.full((2, 1, 8, 8), torch.nan), r"not in nan\.\.nan"),
    ],
)
def test_what_is_no_batch_of_images_is_refused(images: Tensor, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        made(1, 8, 8)(images)


def test_an_empty_batch_stays_empty() -> None:
    assert made(3, 8, 8)(torch.zeros(0, 3, 8, 8)).shape == (0, 3, 8, 8)


def test_integers_as_in_the_files_are_scaled_by_the_range_of_the_run() -> None:
    state: dict[str, Any] = {
        "image_shape": [5, 8, 8],
        "mean": torch.full((5, 1, 1), 0.25),
        "std": torch.full((5, 1, 1), 0.5),
        "value_range": [100.0, 1100.0],
    }
    module = Preprocessing(DIGITS, state)
    raw = np.random.default_rng(0).integers(0, 2000, (4, 5, 8, 8)).astype(np.uint16)
    expected = (((raw.astype(np.float64) - 100) / 1000).clip(0, 1) - 0.25) / 0.5
    for given in (raw, raw.astype(np.int32)):
        found = module(torch.from_numpy(given)).numpy()
        np.testing.assert_allclose(found, expected, atol=1e-5)
    with pytest.raises(ValueError, match="with 5 channels"):
        module(torch.zeros(1, 3, 8, 8))
    with pytest.raises(ValueError, match=r"scale them as \(x - 100\) / 1000"):
        module(torch.full((1, 5, 8, 8), 700.0))


@pytest.mark.parametrize("fit", ["crop", "stretch", "pad"])
def test_images_of_another_size_are_fitted_as_those_of_the_run(fit: Fit) -> None:
    state = {"image_shape": [1, 8, 8], "mean": torch.zeros(1, 1, 1), "std": torch.ones(1, 1, 1)}
    module = Preprocessing(DIGITS.model_copy(update={"fit": fit}), state)
    images = photos(1, 16, 32)
    expected = resized(images, 8, fit)  # as an array of them is for training
    torch.testing.assert_close(module(images), expected.float() / 255, atol=1 / 255, rtol=0)
