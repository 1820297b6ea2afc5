"""Images as read from a source, before classes are chosen: numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class RawSplit:
    """Images in reading order."""

    images: NDArray[np.uint8]
    """(N, C, H, W), C is 1 or 3; may be a memory-mapped file"""
    labels: NDArray[np.int64]
    """(N,) positions in the class names"""

    def take(self, rows: NDArray[np.int64]) -> RawSplit:
        """Return some of the rows; all rows in order are not copied."""
        if len(rows) == len(self.labels) and bool((np.diff(rows) == 1).all()):
            return self
        return RawSplit(self.images[rows], self.labels[rows])


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
