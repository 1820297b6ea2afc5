"""What an accuracy is worth: its confidence interval, and what it is made of, class by class."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_Z: Final = 1.959963984540054
"""97.5 % quantile of the standard normal: the interval covers 95 %"""


@dataclass(frozen=True)
class ClassScores:
    """How a classifier does on one class; NaN where a share has nothing to be a share of."""

    precision: float
    """share right of what was called this class"""
    recall: float
    """share found of what is this class"""
    f1: float
    """2 TP / (2 TP + FP + FN)"""
    support: int
    """images of this class"""


def wilson_interval(right: int, total: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a share: Wilson's score interval, within 0..1.

    NaN, NaN without cases. Unlike the normal approximation it stays true near 0 and 1. Wilson,
    JASA 1927; Brown, Cai and DasGupta, Statistical Science 2001, section 3.1.1.
    """
    if not total:
        return math.nan, math.nan
    share, z2 = right / total, _Z**2
    centre = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = _Z * math.sqrt(share * (1 - share) / total + z2 / (4 * total**2)) / (1 + z2 / total)
    low = 0.0 if right == 0 else max(centre - half, 0.0)
    high = 1.0 if right == total else min(centre + half, 1.0)
    return low, high


def class_scores(confusion: NDArray[np.integer[Any]]) -> Sequence[ClassScores]:
    """Return the scores of each class from counts (classes, classes), rows are the truth."""
    right = np.diag(confusion).tolist()
    support = confusion.sum(axis=1).tolist()
    called = confusion.sum(axis=0).tolist()
    return [
        ClassScores(_share(r, c), _share(r, s), _share(2 * r, s + c), s)
        for r, s, c in zip(right, support, called, strict=True)
    ]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else math.nan
