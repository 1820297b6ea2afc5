"""A published network, built by its library with the weights of a file."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from tui_latent.config.feature_models import PublishedModel
from tui_latent.datasets.feature_network import Expects, FeatureNetwork
from tui_latent.datasets.open_clip_models import open_clip_features
from tui_latent.datasets.timm_models import timm_features
from tui_latent.datasets.weight_choice import weights_of
from tui_latent.datasets.weight_files import loading_weights, read_weight_file
from tui_latent.sources.errors import DataError


def feature_network(model: PublishedModel, weights: Path, device: torch.device) -> FeatureNetwork:
    """Return a network with the weights of a file, in evaluation mode.

    DataError if the file does not hold its weights, or its library is not there.
    """
    if model.library == "timm":
        network = timm_features(model, weights)
    elif model.library == "open_clip":
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


def refuse_channels(channels: int, model: PublishedModel) -> None:
    """Raise DataError for images that no published network can see."""
    if channels not in (1, 3):
        raise DataError(
            f"data.inputs: {model} was trained on images in grey or colour, and these have "
            f"{channels} channels: set data.inputs=raw, with method.network=timm:… for an encoder "
            "that takes any number of channels"
        )
