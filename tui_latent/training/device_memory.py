"""Whether images fit the memory of a device, found before they are put there."""

from __future__ import annotations

from math import isqrt

import torch

from tui_latent.config.settings import DataSettings
from tui_latent.datasets.image_set import Dataset, ImageSet
from tui_latent.runtime.limits import memory
from tui_latent.sources.errors import DataError
from tui_latent.training.device import describe_device

KEPT_FREE = 1 << 30
"""bytes left to the network, its activations and the libraries' work space"""


def move_to(dataset: Dataset, settings: DataSettings, device: torch.device) -> Dataset:
    """Return the dataset on the device; DataError where it has too little free memory.

    Both splits stay on the device for the whole run.
    """
    if device.type == "cuda" and dataset.train.images.device != device:
        room = free_memory(device) - KEPT_FREE
        _refuse_too_large(dataset, settings, describe_device(device), room)
    if device.type == "cpu" and not dataset.train.ready:
        _refuse_too_large(dataset, settings, "memory", free_memory(device) - KEPT_FREE)
    return dataset.to(device)


def free_memory(device: torch.device) -> int:
    """Return the bytes that this process can still get on a device; on a CPU, those of memory."""
    if device.type == "cpu":
        return memory().available
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


def images_bytes(dataset: Dataset) -> int:
    """Return the bytes that both splits take on a device."""
    return _bytes(dataset.train) + _bytes(dataset.val)


def _refuse_too_large(dataset: Dataset, settings: DataSettings, device: str, room: int) -> None:
    """Raise DataError with what would fit if the dataset has more than `room` bytes."""
    needed = images_bytes(dataset)
    if needed <= room:
        return
    elsewhere = [] if settings.resident == "auto" else ["--set data.resident=auto"]
    on_gpu = [] if device == "memory" else ["--device cpu"]
    remedies = [*elsewhere, *_smaller(dataset, settings, room), *on_gpu]
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
    channels = train.shape[0]
    images = len(train) + len(val)
    others = _bytes(train) + _bytes(val) - train.nbytes - val.nbytes
    each = channels * train.images.element_size()
    side = isqrt(max(room - others, 0) // (images * each))
    if side >= 8 and settings.inputs == "raw":  # smaller images would have other features
        remedies.append(f"--set data.size={side}")
    return remedies


def _bytes(images: ImageSet) -> int:
    """Return the bytes that a split takes on a device."""
    others = (images.labels, images.targets, images.features)
    return images.nbytes + sum(tensor.nbytes for tensor in others if tensor is not None)
