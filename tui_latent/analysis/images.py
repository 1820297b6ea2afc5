"""Images of a run or a preset for screens and reports: uint8, channels last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tui_latent.analysis.errors import InspectionError
from tui_latent.config.settings import AugmentSettings, DataSettings, Preset
from tui_latent.datasets.paths import only_looking
from tui_latent.sources.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor

    from tui_latent.datasets.identity import DataIdentity
    from tui_latent.datasets.image_set import Dataset, ImageSet


def load_images(
    settings: DataSettings, seed: int, found: Callable[[DataIdentity], None] = lambda _: None
) -> Dataset:
    """Load the images, without features computed from them."""
    return load(settings.model_copy(update={"inputs": "raw"}), seed, found)


def load(
    settings: DataSettings, seed: int, found: Callable[[DataIdentity], None] = lambda _: None
) -> Dataset:
    """Load the images and the inputs of the network, without downloading anything.

    `found` is called first with the identity of the images, and may refuse them with a DataError.
    InspectionError says what is missing.
    """
    from tui_latent.datasets.sources import load_dataset

    try:
        with only_looking():
            return load_dataset(settings, seed, lambda _: None, "cpu", found)
    except DataError as error:
        raise InspectionError(str(error)) from error


def preset_augmentations(preset: Preset, images: int, views: int, seed: int) -> NDArray[np.uint8]:
    """Return held-out images of a preset's data, one of each class in turn, and views of each.

    (images, 1 + views, H, W, C), the original first; fewer images if the data has fewer.
    InspectionError if the data cannot be read.
    """
    split = load_images(preset.data, preset.train.seed).val
    drawn = views_of(split, examples(split, images), preset.augment, views, seed)
    return shown(drawn, preset.data.show)


def examples(split: ImageSet, count: int) -> list[int]:
    """Return indices of a split's images, one of each class in turn, in their order."""
    return in_turn(split.labels.numpy(), count)


def in_turn(labels: NDArray[np.int64], count: int) -> list[int]:
    """Return indices of images (N,), one of each class in turn; without labels, evenly spread."""
    if (labels < 0).all():
        spread = np.linspace(0, len(labels) - 1, min(count, len(labels)))
        return [int(index) for index in spread.round()]
    by_class = np.argsort(labels, kind="stable")
    first = np.searchsorted(labels[by_class], labels[by_class])
    turns = np.empty(len(labels), dtype=np.int64)
    turns[by_class] = np.arange(len(labels)) - first
    return [int(index) for index in np.lexsort((labels, turns))[:count]]


def views_of(
    split: ImageSet, indices: Sequence[int], settings: AugmentSettings, views: int, seed: int
) -> Tensor:
    """Return images and random views of each: float32 in 0..1, (images, 1 + views, C, H, W)."""
    import torch

    from tui_latent.datasets.augmentations.pipeline import augment
    from tui_latent.datasets.image_set import pixels

    originals = pixels(split, torch.tensor(indices, dtype=torch.int64))
    generator = torch.Generator().manual_seed(seed)
    drawn = augment(originals.repeat_interleave(views, dim=0), settings, generator)
    drawn = drawn.reshape(len(indices), views, *originals.shape[1:])
    return torch.cat([originals[:, None], drawn], dim=1)


def shown(images: Tensor, channels: Sequence[int] = ()) -> NDArray[np.uint8]:
    """Convert images (…, C, H, W), as stored or float in 0..1, to uint8 (…, H, W, 1 or 3).

    `channels` are those of `data.show`: one is shown as grey, several as red, green and blue. If
    there are none, the first three channels are shown, or the first of two.
    """
    import torch

    there = images.shape[-3]
    chosen = [channel for channel in channels if channel < there] or list(range(min(there, 3)))
    if len(chosen) == 2:
        chosen = chosen if channels else chosen[:1]
    if chosen != list(range(there)):
        images = images.index_select(-3, torch.tensor(chosen))
    if len(chosen) == 2:
        images = torch.cat([images, torch.zeros_like(images[..., :1, :, :])], -3)
    from tui_latent.datasets.image_set import as_pixels

    if images.dtype == torch.uint16:
        images = as_pixels(images)
    if images.dtype != torch.uint8:
        images = images.mul(255).round().clamp(0, 255).to(torch.uint8)
    array: NDArray[np.uint8] = images.movedim(-3, -1).contiguous().numpy()
    return array
