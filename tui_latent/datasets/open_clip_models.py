"""The image networks of open_clip's models: their features, and where weights are published."""

from __future__ import annotations

import logging
import os.path
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tui_latent.config.feature_models import PublishedModel
from tui_latent.datasets.feature_network import Expects, FeatureNetwork
from tui_latent.datasets.hub_files import HubFile
from tui_latent.datasets.model_names import how_to_install, similar
from tui_latent.datasets.weight_choice import weights_of
from tui_latent.datasets.weight_files import loading_weights, read_weight_file
from tui_latent.sources.errors import DataError

_NAMES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
"""of weights on the hub, as open_clip looks for them"""


def published(model: PublishedModel, setting: str) -> HubFile:
    """Return where the weights are published; DataError if the model or the tag is not known."""
    known = _published_as(_open_clip(model, setting), model, setting)
    repository, name = os.path.split(known.get("hf_hub") or "")
    names = (f"{Path(name).stem}.safetensors", name) if name else _NAMES
    return HubFile(repository, names, "" if repository else known.get("url") or "")


def open_clip_features(model: PublishedModel, weights: Path) -> FeatureNetwork:
    """Return the image network of a model with the weights of a file."""
    open_clip = _open_clip(model, "data.inputs")
    known = open_clip.get_pretrained_cfg(model.name, model.tag) if model.tag else {}
    with loading_weights(weights, str(model)), _without_log():
        whole = open_clip.create_model(
            model.name,
            pretrained=None,
            force_image_size=model.size or None,
            force_quick_gelu=bool(known.get("quick_gelu")),
            force_preprocess_cfg={k: known[k] for k in ("mean", "std") if k in known}
            | ({"interpolation": known["interpolation"]} if known.get("interpolation") else {}),
            pretrained_image=False,
        )
        with _as_open_clip_reads_it(weights, whole) as file:
            open_clip.load_checkpoint(whole, str(file), strict=True, weights_only=True)
    config = whole.visual.preprocess_cfg
    size = config["size"]
    height, width = (size, size) if isinstance(size, int) else size
    way: Literal["bilinear", "bicubic"] = "bicubic"
    if config["interpolation"] == "bilinear":
        way = "bilinear"
    mean, std = tuple(config["mean"]), tuple(config["std"])
    squashed = config.get("resize_mode") == "squash"
    return FeatureNetwork(
        _ImageTower(whole.visual), Expects((height, width), mean, std, way, squashed)
    )


class _ImageTower(nn.Module):
    """Embeddings of unit length, the space in which a CLIP compares images with words."""

    def __init__(self, visual: nn.Module) -> None:
        super().__init__()
        self.visual = visual

    def forward(self, images: Tensor) -> Tensor:
        found: Any = self.visual(images)
        features: Tensor = (
            found[0] if isinstance(found, tuple) else found
        )  # CoCa returns tokens too
        return F.normalize(features, dim=-1)


@contextmanager
def _as_open_clip_reads_it(weights: Path, network: nn.Module) -> Iterator[Path]:
    """Give a file with nothing but the network's weights, which open_clip converts if need be."""
    if weights.suffix == ".npz":
        yield weights
        return
    content = read_weight_file(weights)
    state = weights_of(content, network.state_dict())
    if weights.suffix == ".safetensors" and state.keys() == content.keys():
        yield weights
        return
    with TemporaryDirectory() as folder:
        file = Path(folder) / "weights.pt"
        torch.save(state, file)
        yield file


@contextmanager
def _without_log() -> Iterator[None]:
    """Keep open_clip's warnings about weights that are loaded later off the terminal."""
    silent = logging.NullHandler()
    root = logging.getLogger()
    root.addHandler(silent)  # without any handler, logging writes to the terminal
    try:
        yield
    finally:
        root.removeHandler(silent)


def _published_as(open_clip: Any, model: PublishedModel, setting: str) -> dict[str, Any]:
    tags = open_clip.list_pretrained_tags_by_model(model.name)
    if not model.tag:
        example = f": write {model}/{tags[0]}, for example" if tags else ""
        raise DataError(f"{setting}: {model} does not say which weights{example}")
    known: dict[str, Any] = open_clip.get_pretrained_cfg(model.name, model.tag)
    if not known:
        near = similar(model.tag, tags) or f": it has those of {', '.join(tags[:6]) or 'none'}"
        raise DataError(f"{setting}: open_clip has no weights '{model.tag}' of {model.name}{near}")
    return known


def _open_clip(model: PublishedModel, setting: str) -> Any:
    """Return open_clip; DataError if it is not installed, or has no such model."""
    try:
        import open_clip
    except ImportError as error:
        raise DataError(f"{setting}: {how_to_install('open_clip')}") from error
    if model.name not in (known := open_clip.list_models()):
        raise DataError(f"{setting}: open_clip has no '{model.name}'{similar(model.name, known)}")
    return open_clip
