"""Whole views: what is switched off does nothing, what is on stays in range and repeats."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from tui_latent.config.settings import AugmentSettings
from tui_latent.datasets.augmentations.pipeline import augment, thickened

SHARES = ("thickness", "flip", "jitter", "grayscale", "blur", "solarize")
STRENGTHS = {
    "rotate": 180.0,
    "shear": 60.0,
    "scale": 0.9,
    "translate": 1.0,
    "elastic": 0.5,
    "crop": 0.9,
    "brightness": 1.0,
    "contrast": 1.0,
    "saturation": 1.0,
    "hue": 0.5,
    "noise": 0.5,
}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@st.composite
def augment_settings(draw: st.DrawFn) -> AugmentSettings:
    values: dict[str, Any] = {}
    for name in draw(st.sets(st.sampled_from(SHARES))):
        values[name] = draw(st.floats(0, 1) | st.just(1.0))  # all views are a case of their own
    for name in draw(st.sets(st.sampled_from(sorted(STRENGTHS)))):
        values[name] = draw(st.floats(0, STRENGTHS[name]))
    return AugmentSettings(elastic_grid=draw(st.integers(2, 8)), **values)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(augment_settings(), st.sampled_from([1, 3]), st.integers(1, 9), st.sampled_from([8, 11]))
def test_views_stay_images_and_repeat(
    chosen: AugmentSettings, channels: int, images: int, side: int
) -> None:
    x = torch.rand(images, channels, side, 9, generator=generator(1))
    before = x.clone()
    view = augment(x, chosen, generator(2))
    assert view.shape == x.shape and view.dtype == torch.float32
    assert bool(view.isfinite().all())
    assert float(view.min()) >= -1e-5 and float(view.max()) <= 1 + 1e-5
    assert torch.equal(x, before), "the images themselves are not touched"
    assert torch.equal(view, augment(x, chosen, generator(2)))


def test_nothing_switched_on_returns_the_images_themselves() -> None:
    x = torch.rand(5, 3, 8, 8)
    assert augment(x, AugmentSettings(), generator()) is x
    unused = AugmentSettings(brightness=0.5, hue=0.2, elastic_grid=9)
    assert augment(x, unused, generator()) is x, "strengths of a jitter that no view gets"


def test_colour_leaves_one_channel_alone() -> None:
    x = torch.rand(5, 1, 8, 8)
    colours = AugmentSettings(jitter=1.0, saturation=1.0, hue=0.5, grayscale=1.0)
    assert augment(x, colours, generator()) is x


@pytest.mark.parametrize("name", ["thickness", "jitter", "grayscale", "blur", "solarize"])
def test_a_share_of_the_views_is_changed(name: str) -> None:
    x = torch.rand(200, 3, 8, 8, generator=generator(3))
    chosen = AugmentSettings.model_validate({name: 0.3, "brightness": 0.5})
    first = (augment(x, chosen, generator(4)) != x).flatten(1).any(1)
    assert 55 <= int(first.sum()) <= 60, "a blur may be too narrow to be seen"
    second = (augment(x, chosen, generator(5)) != x).flatten(1).any(1)
    assert not torch.equal(first, second), "another draw changes others"


@pytest.mark.parametrize(("images", "changed"), [(4, 0), (5, 0), (6, 1), (16, 2), (200, 20)])
def test_a_share_is_of_whole_views(images: int, changed: int) -> None:
    """So a share of a tenth changes nothing in a batch of five, which counting would not show."""
    x = torch.rand(images, 3, 8, 8, generator=generator(3))
    view = augment(x, AugmentSettings(solarize=0.1), generator(4))
    assert int((view != x).flatten(1).any(1).sum()) == changed


def test_grayscale_views_have_three_equal_channels() -> None:
    view = augment(torch.rand(4, 3, 8, 8), AugmentSettings(grayscale=1.0), generator())
    assert torch.equal(view[:, 0], view[:, 1]) and torch.equal(view[:, 0], view[:, 2])


def test_a_change_of_all_views_may_be_followed_by_one_of_some() -> None:
    chosen = AugmentSettings(grayscale=1.0, blur=0.5, solarize=0.5)
    view = augment(torch.rand(8, 3, 8, 8), chosen, generator())
    torch.testing.assert_close(view[:, 0], view[:, 2])


def test_thickness_mixes_with_the_3x3_maximum_or_minimum() -> None:
    x = torch.rand(200, 1, 9, 7, generator=generator(6))
    found = thickened(x, generator(7))[:, 0].double().numpy()
    thick_weights: list[float] = []
    thin_weights: list[float] = []
    for image, changed in zip(x[:, 0].double().numpy(), found, strict=True):
        most = ndimage.maximum_filter(image, 3, mode="nearest") - image
        least = ndimage.minimum_filter(image, 3, mode="nearest") - image
        pool, weights = (
            (most, thick_weights) if (changed - image).sum() > 0 else (least, thin_weights)
        )
        weight = float(((changed - image) * pool).sum() / (pool * pool).sum())
        np.testing.assert_allclose(changed, image + weight * pool, atol=1e-6)
        weights.append(weight)
    assert 70 < len(thick_weights) < 130
    assert 0 <= min(thick_weights) < 0.1 and 0.9 < max(thick_weights) <= 1
    assert 0 <= min(thin_weights) < 0.1 and 0.6 < max(thin_weights) <= 0.7


def test_autocast_around_it_changes_nothing() -> None:
    x = torch.rand(6, 3, 16, 16)
    chosen = AugmentSettings(rotate=20, elastic=0.1, jitter=1.0, hue=0.1, contrast=0.3)
    expected = augment(x, chosen, generator())
    with torch.autocast("cpu", torch.bfloat16):
        found = augment(x, chosen, generator())
    assert torch.equal(found, expected)
