"""timm networks: their features, and where their weights are published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from tui_latent.config.feature_models import FILE_SETTINGS, PublishedModel
from tui_latent.datasets.feature_network import Expects, FeatureNetwork
from tui_latent.datasets.hub_files import HubFile
from tui_latent.datasets.model_names import how_to_install, similar
from tui_latent.datasets.weight_choice import weights_of
from tui_latent.datasets.weight_files import are_missing, loading_weights, read_weight_file
from tui_latent.nouns import counted
from tui_latent.runtime.near_names import near_names
from tui_latent.sources.errors import DataError

_COLOUR = 3
"""channels that published networks see"""
_NAMES = ("model.safetensors", "pytorch_model.bin")
"""of weights on the hub, as timm looks for them"""


def published(model: PublishedModel, setting: str) -> HubFile:
    """Return where the weights are published; DataError if the name is not known, or none are."""
    timm = _timm(model, setting)
    try:
        known = timm.get_pretrained_cfg(model.name, allow_unregistered=True)
    except RuntimeError:  # there are weights, but none with this tag
        known = None
    if known is None or not known.has_weights:
        tags = timm.list_pretrained(f"{_architecture(model)}.*")
        near = near_names(model.name, tags, 3) or tags[:3]
        others = f", only those of {' and '.join(near)}" if tags else ""
        raise DataError(
            f"{setting}: timm does not publish the weights of '{model.name}'{others}: name "
            f"another, or a file with {FILE_SETTINGS[setting]}"
        )
    names = (known.hf_hub_filename,) if known.hf_hub_filename else _NAMES
    url = known.url[0] if isinstance(known.url, tuple) else known.url
    return HubFile(known.hf_hub_id or "", names, "" if known.hf_hub_id else url or "")


def timm_features(model: PublishedModel, weights: Path) -> FeatureNetwork:
    """Return a network with the weights of a file, and what it expects of an image."""
    timm = _timm(model, "data.inputs")
    settings: dict[str, Any] = {"num_classes": 0}
    size = (model.size, model.size)
    network = (
        _for_size(timm, model, settings, size, "data.inputs")
        if model.size
        else timm.create_model(model.name, **settings)
    )
    load_into(network, model, weights, settings)
    config = timm.data.resolve_model_data_config(network)
    height, width = size if model.size else config["input_size"][1:]
    way: Literal["bilinear", "bicubic"] = "bicubic"
    if config["interpolation"] == "bilinear":
        way = "bilinear"
    return FeatureNetwork(network, Expects((height, width), config["mean"], config["std"], way))


def timm_trunk(model: PublishedModel, shape: Sequence[int]) -> tuple[TimmTrunk, int]:
    """Return an encoder's network for images (C, H, W) with random weights, and its features.

    DataError if the network cannot see images of this shape.
    """
    timm = _timm(model, "method.network")
    channels, height, width = shape
    settings: dict[str, Any] = {"num_classes": 0, "in_chans": channels}
    network = _for_size(timm, model, settings, (height, width), "method.network")
    try:
        with torch.no_grad():
            found = network.eval()(torch.zeros(2, *shape))
    except (RuntimeError, ValueError, AssertionError, IndexError, ZeroDivisionError) as error:
        why = (str(error) or type(error).__name__).splitlines()[0]
        raise DataError(
            f"method.network: {model} cannot see images of {height}x{width} pixels ({why}): set "
            "data.size to a size that it can, such as 64 or 224, or name another network"
        ) from error
    if found.ndim != 2:
        raise DataError(
            f"method.network: {model} returns {found.ndim - 1} dimensions for an image instead of "
            "a row of features: name another network"
        )
    return TimmTrunk(model, network.train(), settings), found.shape[1]


class TimmTrunk(nn.Module):
    """A timm network as the first part of an encoder: images (N, C, H, W) to (N, features)."""

    def __init__(self, model: PublishedModel, network: nn.Module, settings: dict[str, Any]) -> None:
        super().__init__()
        self.model, self.network, self.settings = model, network, settings

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, features)."""
        features: Tensor = self.network(x)
        return features

    def load(self, weights: Path) -> None:
        """Take the weights of a file; DataError if it does not hold them."""
        load_into(self.network, self.model, weights, self.settings)


def load_into(
    network: nn.Module, model: PublishedModel, weights: Path, settings: dict[str, Any]
) -> None:
    """Load the weights of a file into a network that was built with `settings`.

    timm converts what it publishes while it builds a network, and accepts missing weights silently.
    So the network is built twice from one seed, with the file and without: what is random in both
    is missing in the file.
    """
    import timm

    with loading_weights(weights, str(model)), torch.random.fork_rng([]):
        # Without a place to download from, timm cannot put its own weights in the file's place.
        source: dict[str, Any] = {"hf_hub_id": None, "url": None}
        # An array of JAX's is the one format that a network reads by itself.
        if weights.suffix == ".npz":
            if not hasattr(network, "load_pretrained"):
                raise ValueError("it has arrays of JAX, which this network cannot read")
            source |= {"file": str(weights), "custom_load": True}
        else:
            state = weights_of(read_weight_file(weights), network.state_dict())
            source |= {"state_dict": state, "custom_load": False} | _channels_of(network, state)
        torch.manual_seed(0)
        random = timm.create_model(model.name, pretrained=False, **settings).state_dict()
        torch.manual_seed(0)
        loaded = timm.create_model(
            model.name, pretrained=True, pretrained_cfg_overlay=source, **settings
        ).state_dict()
        missing = [
            name
            for name, value in random.items()
            if value.ndim > 1 and value.equal(loaded[name]) and _random(value)
        ]
        if missing:
            raise ValueError(are_missing(missing))
        network.load_state_dict(loaded)


def _channels_of(network: nn.Module, state: Mapping[str, Tensor]) -> dict[str, Any]:
    """Return what timm has to know of the images that the weights were trained on.

    It makes weights for any channels of those for red, green and blue. ValueError if the first
    layer was trained on images of other channels, which are not the network's either.
    """
    known: dict[str, Any] = getattr(network, "pretrained_cfg", {})
    first = known.get("first_conv")
    if not isinstance(first, str) or (weight := state.get(f"{first}.weight")) is None:
        return {}
    layer: Any = network.get_submodule(first)
    channels, own = weight.shape[1], layer.weight.shape[1]
    if channels == _COLOUR:
        return {}
    if channels != own:
        seen = counted(channels, "channel")
        others = str(own) if own == _COLOUR else f"{own} or {_COLOUR}"
        raise ValueError(f"its first layer takes images with {seen}, not {others}")
    return {"input_size": (channels, *known["input_size"][1:])}


def _random(value: Tensor) -> bool:
    return bool((value != value.flatten()[0]).any())


def _timm(model: PublishedModel, setting: str) -> Any:
    """Return timm; DataError if it is not installed, or has no such network."""
    try:
        import timm
    except ImportError as error:
        raise DataError(f"{setting}: {how_to_install('timm')}") from error
    if not timm.is_model(_architecture(model)):
        known = [*timm.list_models(), *timm.list_pretrained()]
        raise DataError(f"{setting}: timm has no '{model.name}'{similar(model.name, known)}")
    return timm


def _architecture(model: PublishedModel) -> str:
    return model.name.partition(".")[0]


def _for_size(
    timm: Any, model: PublishedModel, settings: dict[str, Any], size: tuple[int, int], setting: str
) -> nn.Module:
    """Build a network for images of this size, which only those with positions need to know.

    `settings` then holds the size.
    """
    try:
        network: nn.Module = timm.create_model(model.name, img_size=size, **settings)
        settings["img_size"] = size
    except TypeError:  # convolutions take any size, and no such argument
        network = timm.create_model(model.name, **settings)
    except (RuntimeError, ValueError, AssertionError) as error:
        why = (str(error) or type(error).__name__).splitlines()[0]
        raise DataError(
            f"{setting}: {model} cannot be built for images of {size[0]}x{size[1]} pixels ({why}): "
            "choose another size, or name another network"
        ) from error
    return network
