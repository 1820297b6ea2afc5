"""From images of any size to what a network was trained on, as one module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tui_latent.config.feature_models import published_model
from tui_latent.config.settings import DataSettings
from tui_latent.datasets.features import hog
from tui_latent.datasets.fitting import place
from tui_latent.datasets.image_set import Dataset
from tui_latent.datasets.pretrained_weights import fetched_weights
from tui_latent.datasets.published_network import feature_network

_LUMA: Final = (0.299, 0.587, 0.114)
"""of red, green and blue in a grey value (ITU-R BT.601), as Pillow converts"""
_WIDE: Final = (torch.uint16, torch.int16, torch.uint32, torch.int32)
_ROUNDING: Final = 1e-3
"""how far from 0..1 a float may be"""


def preprocessing_state(dataset: Dataset) -> dict[str, Any]:
    """Return what a checkpoint keeps of a dataset, so that a network needs no images to be used."""
    state = {
        "image_shape": list(dataset.train.shape),
        "mean": dataset.mean.cpu(),
        "std": dataset.std.cpu(),
    }
    if dataset.value_range is not None:
        state["value_range"] = list(dataset.value_range)
    if dataset.feature_mean is not None and dataset.feature_std is not None:
        state |= {"feature_mean": dataset.feature_mean, "feature_std": dataset.feature_std}
    return state


class Preprocessing(nn.Module):
    """Does to images what was done to the training images.

    Images of another size are brought to the run's: to its square as `data.fit` says. Grey and
    colour are converted to what the run has. 8-bit images are rounded to 8 bits as they were
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
        self.fit = settings.fit
        low, high = state.get("value_range", (0.0, 65535.0))
        self.value_range = float(low), float(high)
        self.network: nn.Module | None = None
        if model := published_model(settings.inputs):
            weights = fetched_weights(settings, lambda _: None)
            self.network = feature_network(model, weights, torch.device("cpu"))

    def forward(self, images: Tensor) -> Tensor:
        """Return the network's inputs, float32 (N, C, H, W) or (N, D), of images (N, C, H, W).

        Images are uint8, wider integers as in the files, which are scaled by the run's
        range of values, or floats in 0..1. They have the channels of the run; grey and colour
        are converted into each other. ValueError for others.
        """
        self._refuse_others(images)
        if not images.is_floating_point() and images.dtype != torch.uint8:
            low, high = self.value_range
            images = ((images.double() - low) / (high - low)).clamp(0, 1).float()
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
        height, width = self.size
        if height != width:
            sized = F.interpolate(pixels, self.size, mode="bilinear", antialias=True)
            return sized.round().clamp(0, 255) if whole else sized
        if self.fit == "crop":
            pixels = _centre_square(pixels)
        _, (across, down), (left, top) = place(pixels.shape[3], pixels.shape[2], height, self.fit)
        sized = F.interpolate(pixels, (down, across), mode="bilinear", antialias=True)
        sized = sized.round().clamp(0, 255) if whole else sized
        right, bottom = width - across - left, height - down - top
        return F.pad(sized, (left, right, top, bottom))

    def _refuse_others(self, images: Tensor) -> None:
        """Raise ValueError for what is not a batch of images like the run's."""
        shape: Sequence[int] = tuple(images.shape)
        known = (1, 3) if self.channels in (1, 3) else (self.channels,)
        if len(shape) != 4 or shape[1] not in known:
            channels = " or ".join(map(str, known)) + (" channel" if known == (1,) else " channels")
            raise ValueError(
                f"images should have the shape (N, C, H, W) with {channels}, not {shape}"
            )
        if images.dtype == torch.uint8 or not images.numel():
            return
        if images.dtype in _WIDE:
            return
        if not images.is_floating_point():
            raise ValueError(
                "images should be uint8, or floats in 0..1, or integers of 16 or 32 bits as in the "
                f"files, not {images.dtype}"
            )
        low, high = (float(end) for end in torch.aminmax(images.detach()))
        if not (low >= -_ROUNDING and high <= 1 + _ROUNDING):
            black, most = self.value_range
            raise ValueError(
                f"float images should be in 0..1, not in {low:.3g}..{high:.3g}: scale them as "
                f"(x - {black:.6g}) / {most - black:.6g}, without normalising them"
            )


def _centre_square(pixels: Tensor) -> Tensor:
    height, width = pixels.shape[2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return pixels[:, :, top : top + side, left : left + side]
