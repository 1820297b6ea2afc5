"""Whether the images fit a GPU, found before they are moved there."""

from __future__ import annotations

from dataclasses import fields
from math import isqrt

import torch
from torch import Tensor

from tui_latent.config.settings import DataSettings
from tui_latent.datasets.image_set import Dataset, ImageSet
from tui_latent.sources.errors import DataError
from tui_latent.training.device import describe_device

_KEPT_FREE = 1 << 30
"""bytes left to the network, its activations and the libraries' work space"""


def move_to(dataset: Dataset, settings: DataSettings, device: torch.device) -> Dataset:
    """Return the dataset on the device; DataError where a GPU has too little free memory.

    Both splits stay on the device for the whole run.
    """
    if device.type == "cuda" and dataset.train.images.device != device:
        free, _ = torch.cuda.mem_get_info(device)
        cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        _refuse_too_large(dataset, settings, describe_device(device), free + cached - _KEPT_FREE)
    return dataset.to(device)


def _refuse_too_large(dataset: Dataset, settings: DataSettings, device: str, room: int) -> None:
    """Raise DataError with what would fit if the dataset has more than `room` bytes."""
    needed = _bytes(dataset.train) + _bytes(dataset.val)
    if needed <= room:
        return
    remedies = [*_smaller(dataset, settings, room), "--device cpu"]
    raise DataError(
        f"{dataset.name}: the images take {needed / 2**30:.1f} GiB, and {device} has room for "
        f"{max(room, 0) / 2**30:.1f} GiB of them (1 GiB is left for the network): "
        f"use {' or '.join(remedies)}"
    )


def _smaller(dataset: Dataset, settings: DataSettings, room: int) -> list[str]:
    """Return the settings that make the dataset fit, each alone; none where none does."""
    train, val = dataset.train, dataset.val
    remedies = []
    classes = max(len(train.class_names), 1)  # images without one count as one class
    per_class = (room - _bytes(val)) // (_bytes(train) // len(train)) // classes
    if per_class >= 2:
        remedies.append(f"--set data.per_class={per_class}")
    channels, height, width = train.images.shape[1:]
    images = len(train) + len(val)
    others = _bytes(train) + _bytes(val) - images * channels * height * width
    side = isqrt(max(room - others, 0) // (images * channels))
    if side >= 8 and settings.inputs == "raw":  # smaller images would have other features
        remedies.append(f"--set data.size={side}")
    return remedies


def _bytes(images: ImageSet) -> int:
    values = (getattr(images, field.name) for field in fields(images))
    return sum(value.nbytes for value in values if isinstance(value, Tensor))
