"""Images in memory, on one device: a single split, and a dataset with two splits."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tui_latent.sources.files.columns import Column


@dataclass(frozen=True, eq=False)
class ImageSet:
    """One split, with all tensors on one device."""

    images: Tensor
    """uint8 (N, C, H, W), C is 1 or 3"""
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
    columns: tuple[Column, ...] = ()
    """what else the source says of each image, N values each"""

    def __len__(self) -> int:
        return len(self.images)

    def to(self, device: torch.device | str) -> ImageSet:
        """Return the split with all tensors on `device`."""
        return replace(
            self,
            images=self.images.to(device),
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
    feature_mean: Tensor | None = None
    """float32 (D,), of the training images' features before they were standardised, on the CPU"""
    feature_std: Tensor | None = None
    """float32 (D,), likewise"""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of a network input: (C, H, W) pixels or (D,) features."""
        seen = self.train.images if self.train.features is None else self.train.features
        return tuple(seen.shape[1:])

    def to(self, device: torch.device | str) -> Dataset:
        """Return the dataset with all tensors on `device`."""
        return replace(
            self,
            train=self.train.to(device),
            val=self.val.to(device),
            mean=self.mean.to(device),
            std=self.std.to(device),
        )

    def with_classes(
        self, names: tuple[str, ...], train: NDArray[np.int64], val: NDArray[np.int64]
    ) -> Dataset:
        """Return the dataset with other classes, (N,) and (M,), for evaluations alone.

        What methods of labels train on, the targets, stays.
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
        return self.normalise(pixels(images, rows))


def pixels(images: ImageSet, rows: Tensor) -> Tensor:
    """Return some rows of a split as float32 images in 0..1, (B, C, H, W)."""
    # Indexing by [rows] takes 20 times as long on a CPU.
    return images.images.index_select(0, rows).float().div_(255)
