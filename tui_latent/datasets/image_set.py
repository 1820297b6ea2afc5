"""Images in memory: one split, and the two splits of a dataset, resident on one device."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class ImageSet:
    """One split, resident on one device."""

    images: Tensor
    """uint8 (N, C, H, W), C is 1 or 3"""
    labels: Tensor
    """int64 (N,), plain labels, positions in `class_names`"""
    class_names: tuple[str, ...]
    features: Tensor | None
    """float32 (N, D) when `data.inputs` is not "raw" """
    targets: Tensor
    """int64 (N,), labels for training: composite where `data.merge` says so"""
    target_names: tuple[str, ...] = ()
    """names of the targets; empty where they are the plain labels"""

    def __len__(self) -> int:
        return len(self.images)

    def to(self, device: torch.device | str) -> ImageSet:
        """Return the split with every tensor on `device`."""
        return replace(
            self,
            images=self.images.to(device),
            labels=self.labels.to(device),
            features=None if self.features is None else self.features.to(device),
            targets=self.targets.to(device),
        )

    def target_name(self, target: int) -> str:
        """Return what a target is called."""
        return (self.target_names or self.class_names)[target]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images to learn from and images held out, with what it takes to normalise them."""

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
    """in words: "test images", "20 % of the training images" """

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one thing a network sees: (C, H, W) pixels or (D,) features."""
        seen = self.train.images if self.train.features is None else self.train.features
        return tuple(seen.shape[1:])

    def to(self, device: torch.device | str) -> Dataset:
        """Return the dataset with every tensor on `device`."""
        return replace(
            self,
            train=self.train.to(device),
            val=self.val.to(device),
            mean=self.mean.to(device),
            std=self.std.to(device),
        )

    def normalise(self, pixels: Tensor) -> Tensor:
        """Return float images in 0..1, (N, C, H, W), as networks see them."""
        return (pixels - self.mean).div_(self.std)

    def inputs(self, images: ImageSet, rows: Tensor) -> Tensor:
        """Return what a network sees of some rows of a split, nothing random: float32.

        `rows` is int64 (B,) on the split's device; the result is (B, C, H, W) or (B, D).
        """
        if images.features is not None:
            return images.features[rows]
        return self.normalise(pixels(images, rows))


def pixels(images: ImageSet, rows: Tensor) -> Tensor:
    """Return some images of a split as float32 in 0..1, (B, C, H, W)."""
    # Indexing by [rows] takes 20 times as long on a CPU.
    return images.images.index_select(0, rows).float().div_(255)
