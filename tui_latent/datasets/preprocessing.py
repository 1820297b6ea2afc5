"""From images of any size to what a network was trained on, as one module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tui_latent.config.feature_models import published_model
from tui_latent.config.settings import DataSettings
from tui_latent.datasets.feature_network import feature_network
from tui_latent.datasets.features import hog
from tui_latent.datasets.image_set import Dataset
from tui_latent.datasets.pretrained_weights import fetched_weights

_LUMA: Final = (0.299, 0.587, 0.114)
"""of red, green and blue in a grey value (ITU-R BT.601), as Pillow converts"""
_ROUNDING: Final = 1e-3
"""how far from 0..1 a float may be"""


def preprocessing_state(dataset: Dataset) -> dict[str, Any]:
    """Return what a checkpoint keeps of a dataset, so that a network needs no images to be used."""
    state = {
        "image_shape": list(dataset.train.shape),
        "mean": dataset.mean.cpu(),
        "std": dataset.std.cpu(),
    }
    if dataset.feature_mean is not None and dataset.feature_std is not None:
        state |= {"feature_mean": dataset.feature_mean, "feature_std": dataset.feature_std}
    return state


class Preprocessing(nn.Module):
    """Does to images what was done to the training images.

    Images of another size are brought to the run's: to its square, the centre square of each. Grey
    and colour are converted to what the run has. 8-bit images are rounded to 8 bits as they were
    for training, and float images are not, so that gradients reach them.
    """

    mean: Tensor
    std: Tensor
    luma: Tensor

    def __init__(self, settings: DataSettings, state: Mapping[str, Any]) -> None:
        """Take `state` of `preprocessing_state`; DataError when pretrained weights are missing."""
        super().__init__()
        channels, height, width = (int(number) for number in state["image_shape"])
        self.channels, self.size = channels, (height, width)
        of_features = settings.inputs != "raw"
        mean, std = ("feature_mean", "feature_std") if of_features else ("mean", "std")
        self.register_buffer("mean", state[mean])
        self.register_buffer("std", state[std])
        self.register_buffer("luma", torch.tensor(_LUMA)[:, None, None], persistent=False)
        self.inputs = settings.inputs
        self.network: nn.Module | None = None
        if model := published_model(settings.inputs):
            weights = fetched_weights(settings, lambda _: None)
            self.network = feature_network(model, weights, torch.device("cpu"))

    def forward(self, images: Tensor) -> Tensor:
        """Return the network's inputs, float32 (N, C, H, W) or (N, D), of images (N, C, H, W).

        Images are uint8, or floats in 0..1; C is 1 or 3. ValueError for others.
        """
        _refuse_others(images)
        whole = images.dtype == torch.uint8
        pixels = images.float() if whole else images.float() * 255
        pixels = self._sized(pixels, whole)
        if pixels.shape[1] == 3 and self.channels == 1:
            pixels = (pixels * self.luma).sum(1, keepdim=True)
            pixels = pixels.round() if whole else pixels
        elif pixels.shape[1] == 1 and self.channels == 3:
            pixels = pixels.expand(-1, 3, -1, -1)
        if self.inputs == "raw":
            return (pixels / 255 - self.mean) / self.std
        features: Tensor = hog(pixels) if self.network is None else self.network(pixels / 255)
        return (features - self.mean) / self.std

    def _sized(self, pixels: Tensor, whole: bool) -> Tensor:
        if pixels.shape[2:] == self.size:
            return pixels
        if self.size[0] == self.size[1]:
            pixels = _centre_square(pixels)
        sized = F.interpolate(pixels, self.size, mode="bilinear", antialias=True)
        return sized.round().clamp(0, 255) if whole else sized


def _centre_square(pixels: Tensor) -> Tensor:
    height, width = pixels.shape[2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return pixels[:, :, top : top + side, left : left + side]


def _refuse_others(images: Tensor) -> None:
    """Raise ValueError for what is not a batch of images."""
    shape: Sequence[int] = tuple(images.shape)
    if len(shape) != 4 or shape[1] not in (1, 3):
        raise ValueError(
            f"images should have the shape (N, C, H, W) with 1 or 3 channels, not {shape}"
        )
    if images.dtype == torch.uint8 or not images.numel():
        return
    if not images.is_floating_point():
        raise ValueError(f"images should be uint8, or floats in 0..1, not {images.dtype}")
    low, high = (float(end) for end in torch.aminmax(images.detach()))
    if not (low >= -_ROUNDING and high <= 1 + _ROUNDING):
        raise ValueError(
            f"float images should lie in 0..1, not in {low:.3g}..{high:.3g}: scale them, without "
            "normalising them, or give them as uint8"
        )
