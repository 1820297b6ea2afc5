"""Which classes kNN confuses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.runs.confusion import confused_pairs

_PAIRS: Final = 6
"""confused pairs of classes listed at most"""


@dataclass(frozen=True)
class Confused:
    """Images of one class that kNN assigns to another."""

    truth: str
    taken_for: str
    images: int
    percent: float
    """of the class's images"""


@dataclass(frozen=True, eq=False)
class Confusion:
    """kNN with the largest k on the held-out images; rows are the truth."""

    images: NDArray[np.int64]
    percent: NDArray[np.float64]
    """of the row; NaN for a class without held-out images"""
    most_confused: tuple[Confused, ...]


def knn_confusion(counts: NDArray[np.int64], names: tuple[str, ...]) -> Confusion:
    """Convert a confusion matrix, rows the truth, to percent and find the most confused pairs."""
    totals = counts.sum(axis=1, keepdims=True)
    percent = np.divide(100 * counts, totals, where=totals > 0, out=np.full(counts.shape, np.nan))
    pairs = tuple(
        Confused(names[truth], names[called], images, float(percent[truth, called]))
        for truth, called, images in confused_pairs(counts, _PAIRS)
    )
    return Confusion(counts, percent, pairs)
