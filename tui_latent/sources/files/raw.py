"""Images as read from a source, before classes are chosen: numpy only."""

from __future__ import annotations

import mmap
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.sources.files.columns import Column

UNLABELLED: Final = -1
"""label of an image that has no class"""


def in_file(array: NDArray[np.generic]) -> bool:
    """Return whether an array, or what it is a view of, is mapped from a file."""
    base: object = array
    while isinstance(base, np.ndarray):
        base = base.base
    return isinstance(base, mmap.mmap)


@dataclass(frozen=True, eq=False)
class RawSplit:
    """Images in reading order."""

    images: NDArray[np.uint8] | NDArray[np.uint16]
    """(S, C, H, W), C from 1 to 16; may be a memory-mapped file"""
    labels: NDArray[np.int64]
    """(N,) positions in the class names; UNLABELLED where an image has no class"""
    places: NDArray[np.int64] | None = None
    """(N,) the place of each image in the reading order of the source; None: 0 to N - 1"""
    rows: NDArray[np.int64] | None = None
    """(N,) which of a mapped file's images these are; None if they are all, in this order"""
    columns: tuple[Column, ...] = ()
    """what else the source says about each image, N values each"""

    def take(self, rows: NDArray[np.int64]) -> RawSplit:
        """Return some of the rows; all rows in order are not copied, nor is a mapped file."""
        if len(rows) == len(self.labels) and bool((np.diff(rows) == 1).all()):
            return self
        places = rows if self.places is None else self.places[rows]
        columns = tuple(column.take(rows) for column in self.columns)
        if in_file(self.images):
            taken = rows if self.rows is None else self.rows[rows]
            return RawSplit(self.images, self.labels[rows], places, taken, columns)
        return RawSplit(self.images[rows], self.labels[rows], places, columns=columns)

    def in_memory(self) -> RawSplit:
        """Return the split with its images, and no others, in memory."""
        if not in_file(self.images):
            return self
        images = self.images.copy() if self.rows is None else self.images[self.rows]
        return replace(self, images=images, rows=None)

    def in_order(self) -> NDArray[np.int64]:
        """Return the place of each image in the reading order of the source: (N,)."""
        return np.arange(len(self.labels)) if self.places is None else self.places

    def unlabelled(self) -> RawSplit:
        """Return the same images without their classes."""
        return replace(self, labels=np.full(len(self.labels), UNLABELLED, dtype=np.int64))


@dataclass(frozen=True, eq=False)
class RawImages:
    """What a source holds."""

    name: str
    class_names: tuple[str, ...]
    train: RawSplit
    test: RawSplit | None
    """None if the source has no held-out images of its own"""
    held_out: str = "test images"
    """what `test` is, in words"""
    notes: tuple[str, ...] = ()
    """how the files were changed and which are not used, in words"""

    value_range: tuple[float, float] | None = None
    """the values that became black and white; None if these are 0 and 255"""

    def unlabelled(self) -> RawImages:
        """Return the same images without their classes."""
        test = None if self.test is None else self.test.unlabelled()
        return replace(self, class_names=(), train=self.train.unlabelled(), test=test)
