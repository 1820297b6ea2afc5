"""Warping against scipy and torch's own grid, and the range of what is drawn."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import ndimage
from scipy.stats import ks_2samp
from torch import Tensor
from torch.nn import functional as F
from torchvision.transforms import RandomResizedCrop

from tui_latent.config.settings import AugmentSettings
from tui_latent.datasets.augmentations.geometric import affine_matrix, crop_window, warp


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def ramps(images: int, side: int = 32) -> Tensor:
    """Images whose red is the column and whose green is the row, both 0..1 at the edges."""
    across = ((torch.arange(side) + 0.5) / side).expand(side, side)
    return torch.stack([across, across.T, torch.zeros(side, side)]).repeat(images, 1, 1, 1)


def middle_derivatives(x: Tensor) -> tuple[Tensor, Tensor]:
    """Change of source column and row per pixel to the right and down, at the centre: (B, 2)."""
    side = x.shape[-1]
    a, b = side // 2 - 1, side // 2
    right = (x[:, :2, a, b] - x[:, :2, a, a]) * side
    down = (x[:, :2, b, a] - x[:, :2, a, a]) * side
    return right, down


@pytest.mark.parametrize("shape", [(28, 28), (20, 32), (33, 17)])
def test_affine_equals_scipy(shape: tuple[int, int]) -> None:
    height, width = shape
    angle, shear, scale_x, scale_y, shift_x, shift_y = 0.5, -0.3, 1.2, 0.8, 0.1, -0.2
    image = np.random.default_rng(0).random(shape)
    cos, sin = math.cos(angle), math.sin(angle)
    forward = (
        np.array([[cos, -sin], [sin, cos]])
        @ np.array([[1, math.tan(shear)], [0, 1]])
        @ np.diag([scale_x, scale_y])
    )
    inverse = np.linalg.inv(forward)[::-1, ::-1]  # rows and columns, as scipy counts
    centre = np.array([(height - 1) / 2, (width - 1) / 2])
    offset = centre - inverse @ (centre + np.array([shift_y * height, shift_x * width]))
    expected = ndimage.affine_transform(image, inverse, offset, order=1, mode="grid-constant")

    values = (angle, shear, scale_x, scale_y, shift_x, shift_y)
    one = [torch.tensor([value], dtype=torch.float64) for value in values]
    matrix = affine_matrix(one[0], one[1], one[2], one[3], one[4], one[5], height / width)
    grid = F.affine_grid(matrix, [1, 1, height, width], align_corners=False)
    found = F.grid_sample(torch.from_numpy(image)[None, None], grid, align_corners=False)
    np.testing.assert_allclose(found[0, 0].numpy(), expected, atol=1e-9)


def test_certain_flip_mirrors_every_image() -> None:
    x = torch.rand(8, 3, 9, 14)
    torch.testing.assert_close(warp(x, AugmentSettings(flip=1.0), generator()), x.flip(-1))


def test_half_of_the_images_are_flipped() -> None:
    x = ramps(2000, 4)
    right, _ = middle_derivatives(warp(x, AugmentSettings(flip=0.5), generator()))
    assert 0.45 < (right[:, 0] < 0).float().mean() < 0.55


def test_rotation_is_uniform_up_to_its_bound() -> None:
    right, down = middle_derivatives(warp(ramps(3000), AugmentSettings(rotate=30), generator()))
    angle = torch.rad2deg(torch.atan2(right[:, 1], right[:, 0]))
    assert angle.abs().max() <= 30.1
    assert angle.max() > 29 and angle.min() < -29
    assert abs(float(angle.mean())) < 1.5
    assert float(angle.std()) == pytest.approx(60 / math.sqrt(12), rel=0.05)
    torch.testing.assert_close(right.norm(dim=1), torch.ones(3000), atol=1e-3, rtol=0)
    torch.testing.assert_close(down.norm(dim=1), torch.ones(3000), atol=1e-3, rtol=0)


def test_scale_changes_width_and_height_alone() -> None:
    right, down = middle_derivatives(warp(ramps(3000), AugmentSettings(scale=0.25), generator()))
    for size in (1 / right[:, 0], 1 / down[:, 1]):
        assert size.min() >= 0.749 and size.max() <= 1.251
        assert size.min() < 0.76 and size.max() > 1.24
    both = torch.stack([right[:, 0], down[:, 1]])
    assert abs(float(torch.corrcoef(both)[0, 1])) < 0.1


def test_shear_slants_by_up_to_its_bound() -> None:
    right, down = middle_derivatives(warp(ramps(3000), AugmentSettings(shear=20), generator()))
    slant = torch.rad2deg(torch.atan(-down[:, 0]))
    assert slant.abs().max() <= 20.1 and slant.max() > 19.5 and slant.min() < -19.5
    torch.testing.assert_close(right[:, 0], torch.ones(3000), atol=1e-3, rtol=0)


def test_translation_is_a_share_of_the_side() -> None:
    x = ramps(3000, 33)
    moved = warp(x, AugmentSettings(translate=0.2), generator())[:, :2, 16, 16]
    shift = 0.5 - moved
    assert shift.abs().max() <= 0.201
    assert bool((shift.amax(0) > 0.19).all()) and bool((shift.amin(0) < -0.19).all())


def test_crop_keeps_its_share_and_stays_inside() -> None:
    x = ramps(4000)
    view = warp(x, AugmentSettings(crop=0.3), generator())[:, :2]
    right, down = middle_derivatives(view)
    width, height = right[:, 0], down[:, 1]
    area = width * height
    assert area.min() >= 0.299 and area.max() <= 1.001
    assert area.min() < 0.32 and area.max() > 0.98
    assert float(area.mean()) == pytest.approx(0.61, abs=0.02)
    assert (width / height).max() <= 4 / 3 + 0.01 and (width / height).min() >= 3 / 4 - 0.01
    left = view[:, 0, 16, 15] - width / 64
    centre_to_edge = width / 2
    assert bool((left + width / 32 - centre_to_edge > -0.01).all())
    assert bool((left + width / 32 + centre_to_edge < 1.01).all())


@pytest.mark.slow
@pytest.mark.parametrize("least", [0.08, 0.5, 0.95])
@pytest.mark.parametrize(("height", "width"), [(1000, 1000), (400, 1000)])
def test_crops_are_drawn_as_torchvision_draws_them(least: float, height: int, width: int) -> None:
    torch.manual_seed(0)
    image = torch.zeros(1, height, width)
    params = [
        RandomResizedCrop.get_params(image, [least, 1.0], [3 / 4, 4 / 3]) for _ in range(1500)
    ]
    theirs = np.array(params) / [height, width, height, width]  # top, left, height, width
    u = torch.rand(22, 4000, generator=generator())
    half_width, half_height, x, y = crop_window(u, least, height / width)
    ours = np.stack([(1 + y - half_height) / 2, (1 + x - half_width) / 2, half_height, half_width])
    assert ours.min() >= -1e-6 and (ours[2:] <= 1).all()
    assert (ours[:2] + ours[2:]).max() <= 1 + 1e-6
    blur = np.random.default_rng(0).uniform(-0.01, 0.01, (2, 4000))  # theirs are whole pixels
    for mine, its in zip(ours, theirs.T, strict=True):
        assert ks_2samp(mine + blur[0], its + blur[1, :1500]).statistic < 0.06
    assert (ours[2] * ours[3]).mean() == pytest.approx(
        (theirs[:, 2] * theirs[:, 3]).mean(), abs=0.01
    )


@pytest.mark.parametrize("points", [2, 4, 6, 12])
def test_no_elastic_displacement_is_larger_than_the_setting(points: int) -> None:
    x, elastic = ramps(500), 0.05
    view = warp(x, AugmentSettings(elastic=elastic, elastic_grid=points), generator())
    inside = slice(6, -6)  # what comes from beyond the edge shows no place
    moved = (view - x)[:, :2, inside, inside].abs()
    assert float(moved.max()) <= elastic + 1e-5
    assert float(moved.max()) > 0.8 * elastic


def test_the_strongest_bundled_field_hardly_folds() -> None:
    """Where the source goes backwards while the view goes on, the Jacobian is negative."""
    x = ramps(400, 28)
    view = warp(x, AugmentSettings(elastic=0.09, elastic_grid=6), generator())
    source = 28 * view[:, :2, 4:-4, 4:-4]
    along_x = (source[..., 1:] - source[..., :-1])[:, :, :-1]
    along_y = (source[..., 1:, :] - source[..., :-1, :])[..., :-1]
    jacobian = along_x[:, 0] * along_y[:, 1] - along_y[:, 0] * along_x[:, 1]
    folded = jacobian < 0
    assert float(folded.float().mean()) < 0.002
    assert float(folded.flatten(1).any(1).float().mean()) < 0.15


@pytest.mark.slow
@pytest.mark.parametrize("points", [2, 6, 12])
def test_elastic_displacement_is_about_its_share_of_the_side(points: int) -> None:
    x = ramps(500, 64)
    view = warp(x, AugmentSettings(elastic=0.05, elastic_grid=points), generator())
    shift = (view - x)[:, :2, 8:-8, 8:-8].abs().flatten(1)
    assert 0.03 < shift.max() < 0.075
    strength = shift.amax(1)
    assert strength.min() < 0.005, "some images are barely folded"
    neighbours = (view - x)[:, 0, 8:-8, 9:-8] - (view - x)[:, 0, 8:-8, 8:-9]
    assert neighbours.abs().max() < 0.05, "the field is smooth"


def test_outside_is_black_for_one_channel_and_a_reflection_for_three() -> None:
    settings = AugmentSettings(translate=0.5)
    assert float(warp(torch.ones(50, 1, 8, 8), settings, generator()).min()) == 0
    assert float(warp(torch.ones(50, 3, 8, 8), settings, generator()).min()) == pytest.approx(1)


def test_each_image_is_moved_its_own_way_and_the_same_seed_repeats_it() -> None:
    x = torch.rand(1, 1, 12, 12).repeat(4, 1, 1, 1)
    settings = AugmentSettings(rotate=30, elastic=0.1, crop=0.5)
    first, again, other = (warp(x, settings, generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)
    assert not torch.allclose(first[0], first[1])
