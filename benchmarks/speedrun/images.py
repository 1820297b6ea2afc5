"""CIFAR-10 for the race: images and labels apart, in an order that tells nothing of the classes."""

from __future__ import annotations

import hashlib
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.speedrun.divisions import Division

Images = NDArray[np.uint8]
"""(N, 3, 32, 32)"""
_ORDER = 20_261_126
"""seed of the order of both splits, the same for everyone"""


class NoImagesError(Exception):
    """The images of a division are not where they are looked for."""


def read_images(division: Division, split: str) -> Images:
    """Return the images of `train` or `test` in the order of the race, uint8 (N, 3, 32, 32).

    NoImagesError says which folder is missing.
    """
    if not division.jpegs:
        whole, _ = _of_batches(_part(division, split))
        return whole[_rows(division, split, len(whole))]
    files = _jpegs(_part(division, split))
    chosen = [files[row] for row in _rows(division, split, len(files))]
    images = np.empty((len(chosen), 32, 32, 3), np.uint8)
    for row, (file, _) in enumerate(chosen):
        with Image.open(file) as image:
            images[row] = np.asarray(image.convert("RGB"))
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2))


def read_labels(division: Division, split: str) -> NDArray[np.int64]:
    """Return the class of each image of `read_images`: for the judge alone."""
    if not division.jpegs:
        _, labels = _of_batches(_part(division, split))
        return labels[_rows(division, split, len(labels))]
    files = _jpegs(_part(division, split))
    names = sorted({name for _, name in files})
    rows = _rows(division, split, len(files))
    return np.array([names.index(files[row][1]) for row in rows])


def digest(division: Division) -> str:
    """Return the SHA-256 of both splits, images and labels, in the order of the race."""
    found = hashlib.sha256()
    for split in ("train", "test"):
        found.update(read_images(division, split).tobytes())
        found.update(read_labels(division, split).astype(np.uint8).tobytes())
    return found.hexdigest()


def _rows(division: Division, split: str, total: int) -> NDArray[np.int64]:
    """Return which of a split's images take part, in their order."""
    order = np.random.default_rng(_ORDER).permutation(total)
    if division.rehearsal:
        order = order[: division.training_images]
        fitted = len(order) * 4 // 5
        return order[:fitted] if split == "train" else order[fitted:]
    return order[: division.training_images] if split == "train" else order


def _part(division: Division, split: str) -> str:
    """Return the part of CIFAR-10 that a split comes from."""
    return "train" if division.rehearsal else split


def _data_folder() -> Path:
    return Path(os.environ.get("TUI_LATENT_DATA", "data"))


def _jpegs(split: str) -> list[tuple[str, str]]:
    """Return the path and the class of each image file of a split, sorted by path."""
    folder = _data_folder() / "cifar10-jpeg" / split
    names = _sorted_names(folder) if folder.is_dir() else []
    # Strings: sorting 50,000 objects of Path takes as long as decoding 5,000 images.
    files = [
        (f"{folder}/{name}/{file}", name) for name in names for file in _sorted_names(folder / name)
    ]
    if not files:
        raise NoImagesError(
            f"{folder} has no image files in folders of classes: "
            "set TUI_LATENT_DATA to the folder that contains cifar10-jpeg"
        )
    return files


def _sorted_names(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries)


class _Plain(pickle.Unpickler):
    """Reads CIFAR's batches, which contain arrays and byte strings, and nothing else."""

    _KNOWN = frozenset({"_reconstruct", "ndarray", "dtype"})

    def find_class(self, module: str, name: str) -> Any:
        if module.split(".")[0] == "numpy" and name in self._KNOWN:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a batch of CIFAR-10")


def _of_batches(split: str) -> tuple[Images, NDArray[np.int64]]:
    folder = _data_folder() / "cifar-10-batches-py"
    names = [f"data_batch_{part}" for part in range(1, 6)] if split == "train" else ["test_batch"]
    images, labels = [], []
    for name in names:
        try:
            with (folder / name).open("rb") as file:
                batch = _Plain(file, encoding="bytes").load()
        except FileNotFoundError:
            raise NoImagesError(
                f"{folder} has no {name}: set TUI_LATENT_DATA to the folder that contains "
                "cifar-10-batches-py, as torchvision unpacks it"
            ) from None
        images.append(np.asarray(batch[b"data"], np.uint8).reshape(-1, 3, 32, 32))
        labels.append(np.asarray(batch[b"labels"], np.int64))
    return np.concatenate(images), np.concatenate(labels)
