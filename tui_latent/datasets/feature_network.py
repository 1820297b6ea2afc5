"""A published network that turns images into features, prepared as it was trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tui_latent.config.feature_models import PublishedModel
from tui_latent.datasets.weight_choice import weights_of
from tui_latent.datasets.weight_files import loading_weights, read_weight_file
from tui_latent.sources.errors import DataError


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


def feature_network(model: PublishedModel, weights: Path, device: torch.device) -> FeatureNetwork:
    """Return a network with the weights of a file, in evaluation mode.

    DataError if the file does not hold its weights, or its library is not there.
    """
    if model.library == "timm":
        from tui_latent.datasets.timm_models import timm_features

        network = timm_features(model, weights)
    elif model.library == "open_clip":
        from tui_latent.datasets.open_clip_models import open_clip_features

        network = open_clip_features(model, weights)
    else:
        network = _torchvisions(model.name, weights)
    network.network.to(memory_format=torch.channels_last)
    return network.eval().to(device)


def _torchvisions(name: str, weights: Path) -> FeatureNetwork:
    """Return a ResNet as runs of version 0.1 use it: images stretched to 224x224, bilinear."""
    from torchvision import models  # a second to import

    network: nn.Module = getattr(models, name)()
    network.fc = nn.Identity()
    with loading_weights(weights, f"torchvision's {name}"):
        state = weights_of(read_weight_file(weights), network.state_dict())
        network.load_state_dict({k: v for k, v in state.items() if not k.startswith("fc.")})
    # of ImageNet, as the weights of torchvision expect
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    return FeatureNetwork(network, Expects((224, 224), mean, std, "bilinear", stretches=True))


def _per_channel(values: Sequence[float]) -> Tensor:
    return torch.tensor(tuple(values))[:, None, None]


def _middle(images: Tensor, ratio: float) -> Tensor:
    """Return the largest part in the middle with this height over width."""
    height, width = images.shape[2:]
    tall, wide = min(height, round(width * ratio)), min(width, round(height / ratio))
    top, left = (height - tall) // 2, (width - wide) // 2
    return images[:, :, top : top + tall, left : left + wide]


def refuse_channels(channels: int, model: PublishedModel) -> None:
    """Raise DataError for images that no published network can see."""
    if channels not in (1, 3):
        raise DataError(
            f"data.inputs: {model} was trained on images in grey or colour, and these have "
            f"{channels} channels: set data.inputs=raw, with method.network=timm:… for an encoder "
            "that takes any number of channels"
        )
