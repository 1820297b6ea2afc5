"""Images of one split, and a dataset with two of them: on a device, in memory or in a file.

Where they are is known here and in `row_file.py` alone: everything else asks for `pixels`,
`stored` or `in_chunks`, and never indexes `ImageSet.images`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tui_latent.datasets.row_file import RowFile
from tui_latent.sources.files.columns import Column


@dataclass(frozen=True, eq=False)
class ImageSet:
    """One split. Labels, targets and features are on one device, the images there or on the CPU."""

    images: Tensor
    """uint8 or uint16 (S, C, H, W), C from 1 to 16: the images themselves, or a store that has
    them among others (see `rows`)"""
    labels: Tensor
    """int64 (N,), class of each image: indices into `class_names`, UNLABELLED where it has none"""
    class_names: tuple[str, ...]
    """empty if no image of the dataset has a class"""
    features: Tensor | None
    """float32 (N, D) if `data.inputs` is not "raw" """
    targets: Tensor
    """int64 (N,), labels for training: those of merged classes if `data.merge` is set"""
    target_names: tuple[str, ...] = ()
    """names of the targets; empty if they are the classes"""
    places: NDArray[np.int64] | None = None
    """(N,) the place of each image in the reading order of the source; None if it is not known"""
    rows: Tensor | None = None
    """int64 (N,) on the CPU: which of `images` these are; None if they are all, in this order"""
    file: RowFile | None = None
    """how to read `images` where they are a mapped file; None if they are in memory"""
    columns: tuple[Column, ...] = ()
    """what else the source says about each image, N values each"""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of each image."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    @property
    def device(self) -> torch.device:
        """The device of labels, targets and features, and of what `pixels` returns."""
        return self.labels.device

    @property
    def ready(self) -> bool:
        """Whether `inputs` and `pixels` need nothing but its device."""
        there = self.file is None and self.images.device == self.device
        return there or self.features is not None

    @property
    def nbytes(self) -> int:
        """Bytes of its images, wherever they are; in a store, only those of the split."""
        return len(self) * self.images[:1].nbytes

    def to(self, device: torch.device | str) -> ImageSet:
        """Return the split with all tensors on `device`, and the images of a file in its memory."""
        return replace(self.beside(device), images=_whole(self, device), rows=None, file=None)

    def beside(self, device: torch.device | str) -> ImageSet:
        """Return the split for work on `device`, with the images where they are."""
        return replace(
            self,
            labels=self.labels.to(device),
            features=None if self.features is None else self.features.to(device),
            targets=self.targets.to(device),
        )

    def target_name(self, target: int) -> str:
        """Return the name of a target."""
        return (self.target_names or self.class_names)[target]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Training and held-out images, with the statistics to normalise them."""

    name: str
    """ "mnist", "digits", or the folder's name"""
    train: ImageSet
    val: ImageSet
    """held out"""
    mean: Tensor
    """float32 (C, 1, 1), of the training images in 0..1"""
    std: Tensor
    """float32 (C, 1, 1), of the training images in 0..1"""
    held_out: str
    """description of `val`: "test images", "20 % of the training images" """
    own_test: bool = False
    """whether `val` is the source's second part, with places of its own, and not drawn from the
    first"""
    value_range: tuple[float, float] | None = None
    """the values of the source that are black and white; None if these are 0 and 255"""
    feature_mean: Tensor | None = None
    """float32 (D,), of the training images' features before they were standardised, on the CPU"""
    feature_std: Tensor | None = None
    """float32 (D,), likewise"""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of a network input: (C, H, W) pixels or (D,) features."""
        return self.train.shape if self.train.features is None else self.train.features.shape[1:]

    def to(self, device: torch.device | str) -> Dataset:
        """Return the dataset with all tensors on `device`."""
        mean, std = self.mean.to(device), self.std.to(device)
        train, val = self.train.to(device), self.val.to(device)
        return replace(self, train=train, val=val, mean=mean, std=std)

    def beside(self, device: torch.device | str) -> Dataset:
        """Return the dataset for work on `device`, with the images where they are."""
        mean, std = self.mean.to(device), self.std.to(device)
        train, val = self.train.beside(device), self.val.beside(device)
        return replace(self, train=train, val=val, mean=mean, std=std)

    def with_classes(
        self, names: tuple[str, ...], train: NDArray[np.int64], val: NDArray[np.int64]
    ) -> Dataset:
        """Return the dataset with other classes, (N,) and (M,), for evaluations only. The targets,
        on which methods with labels train, stay.
        """
        splits = [
            replace(
                split,
                labels=torch.from_numpy(labels).to(split.labels.device),
                class_names=names,
                target_names=split.target_names or split.class_names,
            )
            for split, labels in ((self.train, train), (self.val, val))
        ]
        return replace(self, train=splits[0], val=splits[1])

    def normalise(self, pixels: Tensor) -> Tensor:
        """Normalise float images in 0..1, (N, C, H, W), as network inputs."""
        return (pixels - self.mean).div_(self.std)

    def inputs(self, images: ImageSet, rows: Tensor) -> Tensor:
        """Return the network inputs of some rows of a split, without augmentation: float32.

        `rows` is int64 (B,) on the device of the split; the result is (B, C, H, W) or (B, D).
        """
        if images.features is not None:
            return images.features[rows]
        return self.of_stored(stored(images, rows))

    def of_stored(self, images: Tensor) -> Tensor:
        """Return network inputs of images as they are stored, uint8 or uint16 (B, C, H, W)."""
        return self.normalise(as_pixels(images))


def pixels(images: ImageSet, rows: Tensor) -> Tensor:
    """Return some rows of a split as float32 images in 0..1, (B, C, H, W), on its device."""
    return as_pixels(stored(images, rows))


def stored(images: ImageSet, rows: Tensor) -> Tensor:
    """Return some rows of a split as they are stored, uint8 or uint16 (B, C, H, W), on its device.

    `rows` is int64 (B,) on any device. Images that are not on the device are gathered on the CPU,
    and only those rows are copied. OSError if a file cannot be read.
    """
    if images.images.device != torch.device("cpu"):
        return _selected(images.images, rows)
    return gathered(images, rows.cpu()).to(images.device)


def gathered(images: ImageSet, rows: Tensor, out: Tensor | None = None) -> Tensor:
    """Return rows, int64 (B,) on the CPU, of images that are there: (B, C, H, W), as stored.

    They are written into `out` if there is one, which may be pinned.
    """
    taken = rows if images.rows is None else images.rows.index_select(0, rows)
    if images.file is not None:
        into = None if out is None else out.numpy()
        found = images.file.read(taken.numpy(), into)
        return torch.from_numpy(found) if out is None else out
    if out is None:
        return _selected(images.images, taken)
    return torch.index_select(images.images, 0, taken, out=out)


def in_chunks(images: ImageSet, size: int) -> Iterator[Tensor]:
    """Yield the images in order, as they are stored and where they are: (size, C, H, W) or fewer.

    The images of a file come one chunk at a time into memory.
    """
    for first in range(0, len(images), size):
        yield chunk_of(images, first, size)


def chunk_of(images: ImageSet, first: int, size: int) -> Tensor:
    """Return the images from row `first` on, at most `size`, as `in_chunks` does."""
    last = min(first + size, len(images))
    if images.file is None and images.rows is None:
        return images.images[first:last]
    return gathered(images, torch.arange(first, last))


def as_pixels(images: Tensor) -> Tensor:
    """Return stored images, uint8 or uint16, as float32 in 0..1."""
    return images.float().div_(white(images.dtype))


def white(dtype: torch.dtype) -> int:
    """Return the value of white in stored images: 255 or 65,535."""
    return torch.iinfo(dtype).max


def _selected(images: Tensor, rows: Tensor) -> Tensor:
    # Indexing by [rows] takes 20 times as long on a CPU.
    if images.dtype == torch.uint16:  # which few kernels of a GPU know
        return images.view(torch.int16).index_select(0, rows).view(torch.uint16)
    return images.index_select(0, rows)


_COPIED = 1 << 26
"""bytes read from a file at a time when all its images are copied to a device"""


def _whole(images: ImageSet, device: torch.device | str) -> Tensor:
    """Return all images of a split on a device; those of a file are never all on the CPU too."""
    if images.file is None and images.rows is None:
        return images.images.to(device)
    if images.images.device != torch.device("cpu"):
        raise ValueError("a selection of images stays on the CPU until it is copied")
    whole = torch.empty((len(images), *images.shape), dtype=images.images.dtype, device=device)
    size = max(_COPIED // max(images.images[:1].nbytes, 1), 1)
    for first, chunk in enumerate(in_chunks(images, size)):
        whole[first * size : first * size + len(chunk)].copy_(chunk)
    return whole
