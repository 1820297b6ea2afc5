"""What a network is given of images that are not as the training images were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from tui_latent.config.settings import DataSettings
from tui_latent.datasets.preprocessing import Preprocessing

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
