"""Inputs other than pixels: HOG or the features of a pretrained network, computed once."""

from __future__ import annotations

import hashlib
import pickle
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tui_latent.config.settings import DataSettings
from tui_latent.datasets.download import download
from tui_latent.datasets.image_set import Dataset, ImageSet, in_chunks
from tui_latent.datasets.paths import prepared_folders
from tui_latent.datasets.pretrained_weights import weights_file
from tui_latent.datasets.progress import ProgressLog
from tui_latent.datasets.shared_files import NOT_WRITABLE, make_folder, whole_file
from tui_latent.runtime.array_files import check_stored, read_array
from tui_latent.sources.errors import DataError

Extractor = Callable[[Tensor], Tensor]
"""from uint8 images (B, C, H, W) to float32 features (B, D)"""

_BLOCK = 2048
"""images per cache file; an interrupted run loses the features of at most one block"""
_BATCH = 64
_SIDE = 224
"""side in pixels of the images that the pretrained networks were trained on"""
_MEAN = torch.tensor((0.485, 0.456, 0.406))[:, None, None]
_STD = torch.tensor((0.229, 0.224, 0.225))[:, None, None]
"""of ImageNet, as the weights of torchvision expect"""
_ORIENTATIONS = 9
_CLIPPED = 0.2
"""maximum value in the histogram of a block (L2-Hys, Dalal and Triggs)"""


def with_features(
    dataset: Dataset, settings: DataSettings, log: Callable[[str], None], device: torch.device
) -> Dataset:
    """Return the dataset with the features that `settings.inputs` names; cached ones are reused.

    Each dimension is standardised by the statistics of the training images. DataError as for
    `weights_file`, or if a file does not hold the weights of the network.
    """
    parts = (dataset.train, dataset.val)
    if settings.inputs == "hog":
        train, val = (_features(part, "hog", hog, device, log) for part in parts)
    else:
        path = fetched_weights(settings, log)
        name = f"{settings.inputs} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        extract = pretrained(settings.inputs, path, device)
        train, val = (_features(part, name, extract, device, log) for part in parts)
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
    of a cell is a quarter of the image side, at most 8 pixels. It works on batches: a loop
    of scikit-image's over 1,000 colour images of 32x32 takes five times as long on one core.
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


class PretrainedFeatures(nn.Module):
    """A network without its classifier: features (B, D) of uint8 or float images in 0..255."""

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", _MEAN, persistent=False)
        self.register_buffer("std", _STD, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return float32 features of (B, C, H, W)."""
        colour = (images.float() / 255).expand(-1, 3, -1, -1)
        large = F.interpolate(colour, (_SIDE, _SIDE), mode="bilinear", antialias=True)
        scaled = ((large - self.mean) / self.std).contiguous(memory_format=torch.channels_last)
        features: Tensor = self.network(scaled)
        return features


def pretrained(name: str, path: Path, device: torch.device) -> PretrainedFeatures:
    """Return a ResNet without its classifier; DataError if `path` does not hold its weights."""
    from torchvision import models  # a second to import

    network: nn.Module = getattr(models, name)()
    network.fc = nn.Identity()
    try:
        with suppress(zipfile.BadZipFile):  # old versions of torch did not write archives
            check_stored(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
        network.load_state_dict({k: v for k, v in state.items() if not k.startswith("fc.")})
    except (
        OSError, ValueError, RuntimeError, pickle.UnpicklingError, EOFError, AttributeError,
        KeyError,
    ) as error:  # fmt: skip
        reason = str(error).splitlines()[0]
        raise DataError(f"{path}: not the weights of torchvision's {name} ({reason})") from error
    network.to(memory_format=torch.channels_last)
    return PretrainedFeatures(network).eval().to(device)


def fetched_weights(settings: DataSettings, log: Callable[[str], None]) -> Path:
    """Return the file with the weights, downloaded if it is missing; DataError if that fails."""
    path = weights_file(settings)
    if not path.is_file():
        digits = path.stem.rpartition("-")[2]
        url = f"https://download.pytorch.org/models/{path.name}"
        download([url], path, f"sha256:{digits}", log, f"the weights file of {settings.inputs}")
    return path


@torch.no_grad()
def _features(
    images: ImageSet,
    name: str,
    extract: Extractor,
    device: torch.device,
    log: Callable[[str], None],
) -> Tensor:
    """Return float32 (N, D), block by block; cached blocks are reused."""
    blocks, progress, done = [], ProgressLog(log), 0
    for block in in_chunks(images, _BLOCK):
        key = _key(block, name)
        features = _kept(key)
        if features is None:
            batches = []
            for batch in torch.split(block, _BATCH):
                batches.append(extract(batch.to(device)).float().cpu())
                done += len(batch)
                progress(f"{name.split()[0]} features: {done:,} of {len(images):,} images")
            features = torch.cat(batches)
            _save(key, features)
        else:
            done += len(block)
        blocks.append(features)
    return torch.cat(blocks)


def _key(block: Tensor, name: str) -> str:
    digest = hashlib.sha256(f"{name} {tuple(block.shape)}".encode())
    digest.update(block.contiguous().numpy().data)
    return digest.hexdigest()[:32]


def _paths(key: str) -> list[Path]:
    return [folder / "features" / f"{key}.npy" for folder in prepared_folders()]


def _kept(key: str) -> Tensor | None:
    """Return the cached features of a block; None if they are missing or damaged."""
    for path in _paths(key):
        with suppress(OSError, ValueError, EOFError):
            return torch.from_numpy(read_array(path))
    return None


def _save(key: str, features: Tensor) -> None:
    """Cache features; processes that compute the same ones do not get in each other's way."""
    problem: OSError | None = None
    for path in _paths(key):
        try:
            make_folder(path.parent)
            with whole_file(path) as file:
                np.save(file, features.numpy())
            return
        except OSError as error:
            problem = problem or error
            if error.errno not in NOT_WRITABLE:
                break
    assert problem is not None
    raise DataError(
        f"{_paths(key)[0].parent}: features cannot be saved ({problem.strerror}): "
        "free some space, or set TUI_LATENT_DATA to a writable folder"
    ) from problem
