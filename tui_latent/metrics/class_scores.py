"""Accuracies in detail: confidence intervals, and the scores of each class."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ClassScores:
    """Precision, recall and F1 of one class; NaN where the denominator is 0."""

    precision: float
    """share of the images predicted as this class that are of it"""
    recall: float
    """share of the images of this class that are predicted as it"""
    f1: float
    """2 TP / (2 TP + FP + FN)"""
    support: int
    """images of this class"""


def wilson_interval(right: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the confidence interval of a share: Wilson's score interval, within 0..1.

    NaN, NaN without cases. Unlike the normal approximation it stays accurate near 0 and 1. Wilson,
    JASA 1927; Brown, Cai and DasGupta, Statistical Science 2001, section 3.1.1. In closed form,
    because the dashboard uses it and must not wait for the import of scipy.stats.
    """
    if not total:
        return math.nan, math.nan
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, weight = right / total, z * z / total
    middle = share + weight / 2
    half = z * math.sqrt(share * (1 - share) / total + weight / (4 * total))
    low, high = (middle - half) / (1 + weight), (middle + half) / (1 + weight)
    return 0.0 if right == 0 else max(low, 0.0), 1.0 if right == total else min(high, 1.0)


def class_scores(confusion: NDArray[np.integer[Any]]) -> Sequence[ClassScores]:
    """Return the scores of each class from counts (classes, classes); rows are the truth."""
    right = np.diag(confusion).tolist()
    support = confusion.sum(axis=1).tolist()
    called = confusion.sum(axis=0).tolist()
    return [
        ClassScores(_share(r, c), _share(r, s), _share(2 * r, s + c), s)
        for r, s, c in zip(right, support, called, strict=True)
    ]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else math.nan
