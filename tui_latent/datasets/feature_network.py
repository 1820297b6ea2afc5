"""A published network that turns images into features, prepared as it was trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Expects:
    """What a network expects of an image."""

    size: tuple[int, int]
    """height and width in pixels"""
    mean: tuple[float, ...]
    """of each channel, in 0..1, by which images are normalised"""
    std: tuple[float, ...]
    interpolation: Literal["bilinear", "bicubic"]
    stretches: bool = False
    """whether an image that is not square is stretched instead of cropped to its middle"""


class FeatureNetwork(nn.Module):
    """A network without its classifier: features (B, D) of images in 0..1."""

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, expects: Expects) -> None:
        super().__init__()
        self.network = network.eval().requires_grad_(False)
        self.expects = expects
        self.register_buffer("mean", _per_channel(expects.mean), persistent=False)
        self.register_buffer("std", _per_channel(expects.std), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return float32 features of float32 images (B, C, H, W); C is 1 or 3."""
        colour = images.expand(-1, 3, -1, -1)
        sized = self._sized(colour).clamp(0, 1)  # bicubic weights overshoot
        scaled = ((sized - self.mean) / self.std).contiguous(memory_format=torch.channels_last)
        features: Tensor = self.network(scaled)
        return features.float()

    def _sized(self, images: Tensor) -> Tensor:
        """Return the image in the network's size: all of it if it is square, else its middle."""
        height, width = self.expects.size
        if not self.expects.stretches:
            images = _middle(images, height / width)
        if images.shape[2:] == (height, width):
            return images
        mode = self.expects.interpolation
        return F.interpolate(images, (height, width), mode=mode, antialias=True)


def _per_channel(values: Sequence[float]) -> Tensor:
    return torch.tensor(tuple(values))[:, None, None]


def _middle(images: Tensor, ratio: float) -> Tensor:
    """Return the largest part in the middle with this height over width."""
    height, width = images.shape[2:]
    tall, wide = min(height, round(width * ratio)), min(width, round(height / ratio))
    top, left = (height - tall) // 2, (width - wide) // 2
    return images[:, :, top : top + tall, left : left + wide]
