"""Random geometric changes of images, combined into one sampling grid."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

from tui_latent.config.settings import AugmentSettings

_ASPECT = math.log(4 / 3)
"""aspect ratios of crops are 3/4 to 4/3, as in Inception"""
_TRIES = 10
"""tries to find a crop that fits into the image, as in torchvision"""


def moves(settings: AugmentSettings) -> bool:
    """Return whether these settings contain any geometric change."""
    return any(
        (
            settings.rotate,
            settings.shear,
            settings.scale,
            settings.translate,
            settings.elastic,
            settings.crop,
            settings.flip,
        )
    )


def warp(x: Tensor, settings: AugmentSettings, generator: torch.Generator) -> Tensor:
    """Rotate, shear, scale, shift, distort, crop and flip (B, C, H, W), differently per image.

    One grid holds the source position of every pixel and is sampled once, bilinearly. Pixels
    outside the image are black for one channel (a figure on a background), reflected for colour
    images (photos).
    """
    batch, channels, height, width = x.shape
    grid = _linear_grid(_inverse_affine(batch, height / width, settings, generator), height, width)
    if settings.elastic:
        grid += _elastic_field(batch, height, width, settings, generator)
    padding = "zeros" if channels == 1 else "reflection"
    return F.grid_sample(x, grid, padding_mode=padding, align_corners=False)


def affine_matrix(
    angle: Tensor,
    shear: Tensor,
    scale_x: Tensor,
    scale_y: Tensor,
    shift_x: Tensor,
    shift_y: Tensor,
    height_over_width: float,
) -> Tensor:
    """Return (B, 2, 3) maps from a position in the result to its source in the image.

    The image is scaled, sheared, rotated and shifted about its centre, in this order. Angles are
    in radians, in pixel space with y pointing down; shifts are shares of the side; coordinates
    range from -1 to 1 along both sides.
    """
    cos, sin, tan = angle.cos(), angle.sin(), shear.tan()
    # inverse of rotation · shear · scale, in units of the width
    m00, m01 = (cos + tan * sin) / scale_x, (sin - tan * cos) / scale_x
    m10, m11 = -sin / scale_y, cos / scale_y
    m01, m10 = m01 * height_over_width, m10 / height_over_width
    x, y = 2 * shift_x, 2 * shift_y
    rows = [m00, m01, -(m00 * x + m01 * y), m10, m11, -(m10 * x + m11 * y)]
    return torch.stack(rows, -1).view(-1, 2, 3)


def crop_window(drawn: Tensor, least: float, height_over_width: float) -> tuple[Tensor, ...]:
    """Return half-width, half-height and centre of crops, in coordinates from -1 to 1: (B,) each.

    `drawn` is uniform in 0..1, (2T + 2, B): the area kept, from `least` to 1, and the aspect ratio,
    log-uniform in 3/4..4/3, of T tries, then the position. The first try that fits into the image
    is used; if none fits, the largest centred crop is. torchvision's RandomResizedCrop does the
    same, and rounds to whole pixels.
    """
    tries = len(drawn) // 2 - 1
    area = 1 - (1 - least) * drawn[:tries]
    ratio = ((2 * drawn[tries : 2 * tries] - 1) * _ASPECT).exp() * height_over_width
    widths, heights = (area * ratio).sqrt(), (area / ratio).sqrt()
    fits = (widths <= 1) & (heights <= 1)
    first, fitting = fits.byte().argmax(0, keepdim=True), fits.any(0)
    widest = math.exp(_ASPECT) * height_over_width
    width = torch.where(fitting, widths.gather(0, first)[0], min(1.0, widest))
    largest = math.exp(_ASPECT) / height_over_width
    height = torch.where(fitting, heights.gather(0, first)[0], min(1.0, largest))
    x, y = torch.where(fitting, 2 * drawn[2 * tries :] - 1, 0)
    return width, height, x * (1 - width), y * (1 - height)


def _inverse_affine(
    batch: int, height_over_width: float, settings: AugmentSettings, generator: torch.Generator
) -> Tensor:
    """Draw a (2, 3) map per image from coordinates in the result to coordinates in the image."""
    u = torch.rand(11, batch, generator=generator, device=generator.device)
    sign = 2 * u - 1
    matrix = affine_matrix(
        sign[0] * math.radians(settings.rotate),
        sign[1] * math.radians(settings.shear),
        1 + sign[2] * settings.scale,
        1 + sign[3] * settings.scale,
        sign[4] * settings.translate,
        sign[5] * settings.translate,
        height_over_width,
    )
    if not settings.crop and not settings.flip:
        return matrix
    half_width, half_height = torch.ones_like(u[6:8])
    x = y = torch.zeros_like(half_width)
    if settings.crop:
        more = torch.rand(2 * _TRIES, batch, generator=generator, device=generator.device)
        drawn = torch.cat([more, u[8:10]])
        half_width, half_height, x, y = crop_window(drawn, settings.crop, height_over_width)
    half_width = torch.where(u[10] < settings.flip, -half_width, half_width)
    linear, offset = matrix[:, :, :2], matrix[:, :, 2:]
    centre = torch.stack([x, y], -1).unsqueeze(-1)
    turned = (linear * centre.transpose(1, 2)).sum(2, keepdim=True) + offset
    return torch.cat([linear * torch.stack([half_width, half_height], -1).unsqueeze(1), turned], 2)


def _linear_grid(matrix: Tensor, height: int, width: int) -> Tensor:
    """Return (B, H, W, 2): the maps applied to the centre of every pixel.

    Computed as sums, because a matrix product would round to ten bits if TF32 is enabled.
    """
    x, y = _centres(width, matrix.device), _centres(height, matrix.device)
    grid = matrix.new_empty(len(matrix), height, width, 2)
    for axis in (0, 1):
        along_x, along_y, offset = matrix[:, axis].unsqueeze(-1).unbind(1)
        torch.add(
            (along_x * x)[:, None, :], (along_y * y + offset)[:, :, None], out=grid[..., axis]
        )
    return grid


def _centres(pixels: int, device: torch.device) -> Tensor:
    return (torch.arange(pixels, device=device) * 2 + 1) / pixels - 1


def _elastic_field(
    batch: int, height: int, width: int, settings: AugmentSettings, generator: torch.Generator
) -> Tensor:
    """Draw smooth displacements (B, H, W, 2), in coordinates from -1 to 1.

    Control points move by at most `elastic` of the side, scaled by a random strength per image;
    interpolation between them is bicubic, and cut off where it would go beyond that. At an
    `elastic` of 0.09 on a grid of 6, the field folds over in one image of ten, for about one
    pixel in a thousand.
    """
    points = settings.elastic_grid**2
    draw = torch.rand(batch, 2, points + 1, generator=generator, device=generator.device)
    strength = draw[:, :1, points:] * (2 * settings.elastic)
    control = (draw[:, :, :points] * 2 - 1) * strength
    field = control.view(-1, points) @ _bicubic(settings.elastic_grid, height, width, draw.device)
    field.clamp_(-2 * settings.elastic, 2 * settings.elastic)
    return field.view(batch, 2, height, width).permute(0, 2, 3, 1)


@lru_cache(maxsize=8)
def _bicubic(points: int, height: int, width: int, device: torch.device) -> Tensor:
    """Return the fixed linear map (points², H·W) that upsamples a square of control points."""
    each = torch.eye(points**2, device=device).view(points**2, 1, points, points)
    return F.interpolate(each, (height, width), mode="bicubic", align_corners=True).flatten(1)
