"""Inputs other than pixels: HOG or the features of a pretrained network, computed once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from tui_latent.config.feature_models import PublishedModel, published_model
from tui_latent.config.settings import DataSettings
from tui_latent.datasets.feature_blocks import Extraction, Extractor, features_of
from tui_latent.datasets.feature_network import Expects, FeatureNetwork
from tui_latent.datasets.image_set import Dataset, as_pixels
from tui_latent.datasets.published_network import feature_network, refuse_channels

Log = Callable[[str], None]

_BLOCK = 2048
"""images per cache file; an interrupted run loses the features of at most one block"""
_SMALL_BLOCK = 256
"""the same for published networks, some of which take a second per image"""
_BATCH = 64
_SMALL_BATCH = 16
"""images at once on a CPU, where larger batches are no faster, and a stop waits for the batch"""
_ORIENTATIONS = 9
_CLIPPED = 0.2
"""maximum value in the histogram of a block (L2-Hys, Dalal and Triggs)"""


def with_features(
    dataset: Dataset,
    settings: DataSettings,
    weights: Path | None,
    log: Log,
    device: torch.device,
    poll: Callable[[], None] = lambda: None,
) -> Dataset:
    """Return the dataset with the features that `settings.inputs` names; cached ones are reused.

    `weights` are those of the network, None for HOG. Each dimension is standardised by the
    statistics of the training images. DataError if the file does not hold the network's weights,
    or it cannot see images with so many channels.
    """
    parts = (dataset.train, dataset.val)
    model = published_model(settings.inputs)
    if model is None or weights is None:
        how = Extraction("hog", hog, _BLOCK, _BATCH)
    else:
        refuse_channels(dataset.train.shape[0], model)
        network = feature_network(model, weights, device)
        name, block = f"{model} {_digest(weights)}", _BLOCK
        if model.library != "torchvision":
            name, block = f"{name} {network.expects}", _SMALL_BLOCK
            _log_sizes(dataset, model, network.expects, log)
        extract = _of_network(network, device)
        batch = _BATCH if device.type == "cuda" else _SMALL_BATCH
        how = Extraction(name, extract, block, batch)
    train, val = (features_of(part, how, log, poll) for part in parts)
    mean, std = train.mean(0), train.std(0, correction=0)
    std[std < 1e-6] = 1  # a constant dimension carries no information and stays 0
    return replace(
        dataset,
        train=replace(dataset.train, features=(train - mean) / std),
        val=replace(dataset.val, features=(val - mean) / std),
        feature_mean=mean,
        feature_std=std,
    )


def hog(images: Tensor) -> Tensor:
    """Return histograms of oriented gradients of images (B, C, H, W): float32 (B, D).

    Same as `hog` in scikit-image with nine orientations, blocks of 2x2 cells and L2-Hys; the side
    of a cell is a quarter of the image side, at most 8 pixels. It works on batches: a loop over
    scikit-image's takes five times as long for 1,000 colour images of 32x32 on one core.
    """
    x = images.float() / 257 if images.dtype == torch.uint16 else images.float()
    along_rows, along_columns = torch.zeros_like(x), torch.zeros_like(x)
    along_rows[:, :, 1:-1] = x[:, :, 2:] - x[:, :, :-2]
    along_columns[:, :, :, 1:-1] = x[:, :, :, 2:] - x[:, :, :, :-2]
    squared = along_rows.square() + along_columns.square()  # whole numbers: ties are exact
    steepest, channel = squared.max(1, keepdim=True)
    angle = torch.atan2(along_rows.gather(1, channel), along_columns.gather(1, channel))
    degrees = torch.rad2deg(angle).remainder(180)
    orientation = (degrees * (_ORIENTATIONS / 180)).long().clamp_max(_ORIENTATIONS - 1)
    by_orientation = x.new_zeros(len(x), _ORIENTATIONS, *x.shape[2:])
    by_orientation.scatter_(1, orientation, steepest.sqrt())
    cells = F.avg_pool2d(by_orientation, _hog_cell(x))
    blocks = cells.unfold(2, 2, 1).unfold(3, 2, 1).permute(0, 2, 3, 4, 5, 1).flatten(3)
    clipped = _unit_length(blocks).clamp_max(_CLIPPED)
    return _unit_length(clipped).flatten(1)


def _hog_cell(images: Tensor) -> int:
    return max(1, min(8, min(images.shape[2:]) // 4))


def _unit_length(x: Tensor) -> Tensor:
    return x / (x.square().sum(-1, keepdim=True) + 1e-10).sqrt()


def _of_network(network: FeatureNetwork, device: torch.device) -> Extractor:
    return lambda stored: network(as_pixels(stored).to(device))


def _log_sizes(dataset: Dataset, model: PublishedModel, expects: Expects, log: Log) -> None:
    """Say what the network sees, and when its images would better be larger."""
    height, width = expects.size
    _, *shown = dataset.train.shape
    text = f"{model} sees images of {height}x{width} pixels"
    if max(shown) < min(height, width):
        text += (
            f", and these have {shown[0]}x{shown[1]}: if the files are larger, "
            f"--set data.size={max(height, width)} shows the network more detail"
        )
    log(text)


def _digest(weights: Path) -> str:
    with weights.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
