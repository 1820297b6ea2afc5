"""Where the images are kept while a network trains: on its device, in memory, or on disk."""

from __future__ import annotations

from collections.abc import Callable

import torch

from tui_latent.config.settings import Preset
from tui_latent.datasets.image_set import Dataset
from tui_latent.runtime.regular_files import amount
from tui_latent.training.device import describe_device
from tui_latent.training.device_memory import KEPT_FREE, free_memory, images_bytes, move_to

_SMALL = 8
"""images that would fit this many times need no measurement: a step cannot take as much"""

Log = Callable[[str], None]


def placed(
    dataset: Dataset,
    preset: Preset,
    device: torch.device,
    step_bytes: Callable[[], int],
    log: Log = lambda _: None,
) -> Dataset:
    """Return the dataset with its images where `data.resident` says, or where they fit.

    `auto` puts them on the device if that leaves room for a training step, which `step_bytes`
    measures on a GPU; else they stay in their file, or in memory if they have none. `log` is told
    where, and why, if there was a choice. DataError if they do not fit where they must be.
    """
    settings, wanted, train = preset.data, preset.data.resident, dataset.train
    if train.features is not None and train.file is not None:
        return dataset.beside(device)  # steps and evaluations see the features alone
    if wanted == "auto" and train.ready and train.images.device == device:
        return dataset.to(device)
    if wanted == "auto":
        fits, why = _fits(dataset, device, step_bytes)
        wanted = "device" if fits else "disk"
    else:
        why = f"data.resident is '{wanted}'"
    if wanted == "host" and not train.ready:
        dataset = move_to(dataset.beside("cpu"), settings, torch.device("cpu"))
    dataset = move_to(dataset, settings, device) if wanted == "device" else dataset.beside(device)
    log(f"images: {_where(dataset, device)}: {why}")
    return dataset


def _where(dataset: Dataset, device: torch.device) -> str:
    """Return where the images are, in words."""
    if dataset.train.ready:
        return "in memory" if device.type == "cpu" else f"on {describe_device(device)}"
    where = "on disk" if dataset.train.file is not None else "in memory"
    return f"{where}, read two steps ahead"


def _fits(
    dataset: Dataset, device: torch.device, step_bytes: Callable[[], int]
) -> tuple[bool, str]:
    """Return whether the images fit beside a training step, and the numbers in words."""
    needed, free = images_bytes(dataset), free_memory(device)
    words = f"they take {amount(needed)}, and {amount(free)} is free"
    if _SMALL * needed <= free:
        return True, words
    if device.type == "cpu":
        # What a step takes here comes and goes with its threads and libraries: it is estimated.
        return 2 * needed <= free, f"{words}, of which half is left for training"
    step = step_bytes()
    words += f", of which a training step takes {amount(step)} (measured)"
    return needed <= free - step - KEPT_FREE, f"{words} and {amount(KEPT_FREE)} is left to others"
