"""Random changes of pixel values: brightness, contrast, colour, blur, noise."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

from tui_latent.config.settings import AugmentSettings

_YIQ = (
    (0.299, 0.587, 0.114),
    (0.5959, -0.2746, -0.3213),
    (0.2115, -0.5227, 0.3112),
)
"""NTSC: luma, and two colour axes; a rotation of these changes the hue but not the luma"""
_SIGMA = (0.1, 2.0)
"""standard deviation of the blur in pixels, from SimCLR"""


def jittered(x: Tensor, settings: AugmentSettings, generator: torch.Generator) -> Tensor:
    """Change brightness, contrast, saturation and hue of (B, C, H, W), differently per image.

    All four are linear in the colour of a pixel, so they combine into one 3x3 matrix and one
    offset per image; the result is clamped to 0..1 once. Unless there are three channels, only
    brightness and contrast change, the latter of each channel about its own mean.
    """
    u = 2 * torch.rand(4, len(x), generator=generator, device=generator.device) - 1
    brightness, contrast = 1 + u[0] * settings.brightness, 1 + u[1] * settings.contrast
    mean = x.mean((2, 3), keepdim=True)
    gain = (brightness * contrast)[:, None, None]
    if x.shape[1] != 3:
        offset = (brightness * (1 - contrast))[:, None, None, None] * mean
        return (x * gain[..., None] + offset).clamp_(0, 1)
    offset = (brightness * (1 - contrast) * luma(mean).flatten())[:, None, None]
    matrix = colour_matrix(1 + u[2] * settings.saturation, u[3] * settings.hue)
    return torch.baddbmm(offset, matrix * gain, x.flatten(2)).clamp_(0, 1).view_as(x)


def colour_matrix(saturation: Tensor, hue: Tensor) -> Tensor:
    """Return (B, 3, 3) matrices that scale the saturation and rotate the hue (in full circles).

    In YIQ they scale and rotate (I, Q); greys do not change.
    """
    luma_part, cos_part, sin_part = _yiq_parts(hue.device)
    turn = 2 * math.pi * hue
    cos, sin = saturation * turn.cos(), saturation * turn.sin()
    return luma_part + cos[:, None, None] * cos_part + sin[:, None, None] * sin_part


def luma(x: Tensor) -> Tensor:
    """Return the luma of grey or colour images, (B, 1, H, W); grey ones are returned unchanged."""
    if x.shape[1] == 1:
        return x
    red, green, blue = _YIQ[0]
    return red * x[:, :1] + green * x[:, 1:2] + blue * x[:, 2:]


def blurred(x: Tensor, generator: torch.Generator) -> Tensor:
    """Blur (B, C, H, W) with a 3x3 Gaussian whose width is drawn for each image."""
    low, high = _SIGMA
    u = torch.rand(len(x), 1, 1, 1, generator=generator, device=generator.device)
    beside = (-0.5 / (low + (high - low) * u).square()).exp()
    beside = beside / (1 + 2 * beside)
    across = F.pad(x, (1, 1, 0, 0), mode="replicate")
    x = torch.lerp(x, (across[..., 2:] + across[..., :-2]) / 2, 2 * beside)
    down = F.pad(x, (0, 0, 1, 1), mode="replicate")
    return torch.lerp(x, (down[..., 2:, :] + down[..., :-2, :]) / 2, 2 * beside)


def solarized(x: Tensor) -> Tensor:
    """Invert values of 0.5 and above."""
    return torch.where(x < 0.5, x, 1 - x)


def noisy(x: Tensor, deviation: float, generator: torch.Generator) -> Tensor:
    """Add Gaussian noise to every value; the result is clamped to 0..1."""
    noise = torch.randn(x.shape, generator=generator, device=generator.device)
    return noise.mul_(deviation).add_(x).clamp_(0, 1)


@lru_cache(maxsize=4)
def _yiq_parts(device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Return the (3, 3) parts of a colour matrix: constant, times cos(hue) and times sin(hue)."""
    to_yiq = torch.tensor(_YIQ, dtype=torch.float64)
    from_yiq = torch.linalg.inv(to_yiq)
    stays, scaled, turned = torch.zeros(3, 3, 3, dtype=torch.float64)
    stays[0, 0] = scaled[1, 1] = scaled[2, 2] = 1
    turned[1, 2], turned[2, 1] = 1, -1  # from red via yellow to green, as in HSV
    parts = [(from_yiq @ part @ to_yiq).float().to(device) for part in (stays, scaled, turned)]
    return parts[0], parts[1], parts[2]
