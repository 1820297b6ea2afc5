"""Colour changes against torchvision, colorsys and scipy."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional as reference

from tui_latent.config.settings import AugmentSettings
from tui_latent.datasets.augmentations.color import (
    blurred,
    colour_matrix,
    jittered,
    luma,
    noisy,
    solarized,
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def soft(images: int, channels: int = 3) -> torch.Tensor:
    """Images far enough from black and white that nothing is cut off."""
    return 0.4 + 0.2 * torch.rand(images, channels, 6, 6, generator=generator(9))


@pytest.mark.parametrize("factor", [0.0, 0.4, 1.0, 1.7])
def test_saturation_equals_torchvision(factor: float) -> None:
    x = soft(4)
    matrix = colour_matrix(torch.full((4,), factor), torch.zeros(4))
    found = torch.einsum("bij,bjhw->bihw", matrix, x)
    torch.testing.assert_close(found, reference.adjust_saturation(x, factor), atol=1e-3, rtol=0)


@pytest.mark.parametrize("turn", [-0.5, -0.2, 0.05, 0.1, 0.25])
def test_hue_turns_as_colorsys_and_keeps_the_luma(turn: float) -> None:
    random = np.random.default_rng(1)
    colours = 0.5 + 0.1 * (random.random((200, 3)) - 0.5)
    matrix = colour_matrix(torch.ones(1), torch.tensor([turn]))[0].double().numpy()
    turned = colours @ matrix.T
    weights = np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(turned @ weights, colours @ weights, atol=1e-6)
    hues = np.array([colorsys.rgb_to_hsv(*colour)[0] for colour in colours])
    after = np.array([colorsys.rgb_to_hsv(*colour)[0] for colour in turned])
    error = (after - hues - turn + 0.5) % 1 - 0.5
    assert np.abs(error).max() < 0.11, "YIQ's circle is not quite HSV's"
    assert abs(error.mean()) < 0.02


def test_half_a_turn_of_the_hue_negates_yiq_colour() -> None:
    x = soft(1)
    matrix = colour_matrix(torch.ones(1), torch.tensor([0.5]))
    turned = torch.einsum("bij,bjhw->bihw", matrix, x)
    torch.testing.assert_close(turned - luma(x), luma(x) - x, atol=1e-5, rtol=0)


def test_grey_has_no_colour_to_change() -> None:
    grey = torch.full((16, 3, 4, 4), 0.3)
    settings = AugmentSettings(saturation=1.0, hue=0.5)
    torch.testing.assert_close(jittered(grey, settings, generator()), grey)


@pytest.mark.parametrize("channels", [1, 3])
def test_brightness_is_one_factor_an_image_within_its_bound(channels: int) -> None:
    x = soft(2000, channels)
    ratio = (jittered(x, AugmentSettings(brightness=0.4), generator()) / x).flatten(1)
    assert float((ratio.amax(1) - ratio.amin(1)).max()) < 1e-4
    assert 0.6 <= float(ratio.min()) < 0.61 and 1.39 < float(ratio.max()) <= 1.4001


@pytest.mark.parametrize("channels", [1, 3])
def test_contrast_equals_torchvision(channels: int) -> None:
    x = soft(200, channels)
    found = jittered(x, AugmentSettings(contrast=0.5), generator())
    factors = found.flatten(1).std(1) / x.flatten(1).std(1)
    if channels == 3:  # colours differ from grey by more than the mean's shift
        factors = (found - luma(found)).flatten(1).std(1) / (x - luma(x)).flatten(1).std(1)
    assert 0.5 <= float(factors.min()) < 0.52 and 1.48 < float(factors.max()) <= 1.5001
    for image, factor, expected in zip(x[:20], factors[:20], found[:20], strict=True):
        torch.testing.assert_close(
            expected, reference.adjust_contrast(image, float(factor)), atol=1e-3, rtol=0
        )


def test_luma_is_torchvisions_grayscale() -> None:
    x = torch.rand(3, 3, 5, 5)
    torch.testing.assert_close(luma(x), reference.rgb_to_grayscale(x), atol=1e-3, rtol=0)
    assert torch.equal(luma(x[:, :1]), x[:, :1])


def test_blur_is_a_separable_gaussian_that_keeps_the_sum() -> None:
    point = torch.zeros(3000, 1, 7, 7)
    point[:, :, 3, 3] = 1
    kernel = blurred(point, generator())[:, 0, 2:5, 2:5].double()
    torch.testing.assert_close(kernel.sum((1, 2)), torch.ones(3000).double(), atol=1e-5, rtol=0)
    centre, side, corner = kernel[:, 1, 1], kernel[:, 0, 1], kernel[:, 0, 0]
    torch.testing.assert_close(corner * centre, side * side, atol=1e-6, rtol=0)
    sigma = (-0.5 / (side / centre).clamp_min(1e-30).log()).sqrt()
    assert float(sigma.min()) < 0.2
    assert 1.95 < float(sigma.max()) <= 2.001


def test_blur_equals_torchvision_inside() -> None:
    image = torch.rand(1, 3, 9, 9)
    point = torch.zeros(1, 1, 7, 7)
    point[:, :, 3, 3] = 1
    kernel = blurred(point, generator(5))[0, 0, 2:5, 2:5].double()
    sigma = float((-0.5 / (kernel[0, 1] / kernel[1, 1]).log()).sqrt())
    expected = reference.gaussian_blur(image, [3, 3], [sigma, sigma])
    found = blurred(image, generator(5))
    torch.testing.assert_close(found[..., 1:-1, 1:-1], expected[..., 1:-1, 1:-1], atol=1e-4, rtol=0)


def test_solarize_inverts_the_bright_half() -> None:
    x = torch.tensor([0.0, 0.2, 0.49, 0.5, 0.75, 1.0])
    expected = torch.tensor([v if v < 0.5 else 1 - v for v in x.tolist()])
    torch.testing.assert_close(solarized(x), expected)


def test_noise_has_its_deviation_and_stays_in_range() -> None:
    x = torch.full((100, 1, 20, 20), 0.5)
    noise = noisy(x, 0.1, generator()) - x
    assert float(noise.std()) == pytest.approx(0.1, rel=0.02)
    assert abs(float(noise.mean())) < 0.002
    strong = noisy(x, 3.0, generator())
    assert float(strong.min()) == 0 and float(strong.max()) == 1


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_contrast_of_other_channels_is_about_the_mean_of_each(channels: int) -> None:
    x = soft(3, channels)
    chosen = AugmentSettings(jitter=1, brightness=0.3, contrast=0.5, saturation=0.9, hue=0.5)
    found = jittered(x, chosen, generator(4))
    u = (2 * torch.rand(4, 3, generator=generator(4)) - 1).double()
    for image in range(3):
        brightness, contrast = 1 + 0.3 * u[0, image], 1 + 0.5 * u[1, image]
        for channel in range(channels):
            plane = x[image, channel].double()
            expected = brightness * (plane.mean() + contrast * (plane - plane.mean()))
            torch.testing.assert_close(
                found[image, channel].double(), expected.clamp(0, 1), atol=1e-5, rtol=0
            )
