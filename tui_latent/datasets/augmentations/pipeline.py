"""Random views of images: pure functions of images, settings and a generator.

They work on batches on the device of the images, without a loop over images and without
synchronising. A change with a share below 1 is applied to exactly that share of the images,
drawn anew each time: to count independent draws would synchronise with the device.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from tui_latent.config.settings import AugmentSettings
from tui_latent.datasets.augmentations.color import blurred, jittered, luma, noisy, solarized
from tui_latent.datasets.augmentations.geometric import moves, warp

Change = Callable[[Tensor], Tensor]
"""a change of some images"""

_MOST_THINNED = 0.7
"""a thinned stroke keeps 30 % of its ink even if it is narrower than the change"""


def augment(x: Tensor, settings: AugmentSettings, generator: torch.Generator) -> Tensor:
    """Return one random view of each image: float32 (B, C, H, W) in 0..1, on x's device.

    All random choices are drawn by `generator`, on the same device. Without any change the result
    is `x` itself. Unless images have three channels, brightness and contrast are the only colour
    changes.
    """
    with torch.autocast(x.device.type, enabled=False):
        view = warp(x, settings, generator) if moves(settings) else x
        for share, change in _changes(x.shape[1], settings, generator):
            view = _on_some(view, share, generator, change, in_place=view is not x)
        return noisy(view, settings.noise, generator) if settings.noise else view


def _changes(
    channels: int, settings: AugmentSettings, generator: torch.Generator
) -> Iterator[tuple[float, Change]]:
    """Yield the changes of pixels in order, each with the share of the views that it applies to."""
    yield settings.thickness, lambda some: thickened(some, generator)
    colours = settings.saturation or settings.hue
    if settings.brightness or settings.contrast or (colours and channels == 3):
        yield settings.jitter, lambda some: jittered(some, settings, generator)
    if channels == 3:
        yield settings.grayscale, lambda some: luma(some).repeat(1, channels, 1, 1)
    yield settings.blur, lambda some: blurred(some, generator)
    yield settings.solarize, solarized


def thickened(x: Tensor, generator: torch.Generator) -> Tensor:
    """Thicken or thin the strokes of (B, C, H, W) by up to a pixel on either side.

    Each image is blended, by a random weight, with the maximum or minimum of each 3x3
    neighbourhood; the minimum is the negated maximum of the negative.
    """
    u = torch.rand(2, len(x), 1, 1, 1, generator=generator, device=generator.device)
    sign = torch.where(u[0] < 0.5, 1.0, -1.0)
    weight = u[1] * torch.where(u[0] < 0.5, 1.0, _MOST_THINNED)
    return torch.lerp(x, sign * _neighbourhood_maximum(sign * x), weight)


def _neighbourhood_maximum(x: Tensor) -> Tensor:
    """Return the largest value of each 3x3 neighbourhood, (B, C, H, W).

    It takes rows and columns in turn: same result as `max_pool2d`, many times faster on a CPU.
    """
    for axis in (2, 3):
        most, size = x.clone(), x.shape[axis] - 1
        for to, of in ((0, 1), (1, 0)):
            here = most.narrow(axis, to, size)
            torch.maximum(here, x.narrow(axis, of, size), out=here)
        x = most
    return x


def _on_some(
    x: Tensor, share: float, generator: torch.Generator, change: Change, in_place: bool
) -> Tensor:
    """Return x with `share` of its images, drawn at random, changed; `in_place` overwrites x."""
    count = round(share * len(x))
    if count == 0:
        return x
    if count == len(x):
        return change(x)
    rows = torch.randperm(len(x), generator=generator, device=x.device)[:count]
    changed = change(x.index_select(0, rows))
    return x.index_copy_(0, rows, changed) if in_place else x.index_copy(0, rows, changed)
