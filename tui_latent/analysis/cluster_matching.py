"""Which clusters of one evaluation continue those of another, so that each keeps its number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Clusters:
    """The clusters of a map's points."""

    images: Ints
    """(M,) positions of the images in the held-out split"""
    numbers: Ints
    """(M,) cluster of each, from 0"""


def matched(clusters: Clusters, before: Clusters) -> Clusters:
    """Return clusters with the numbers of those `before` with which they share the most images.

    By the assignment that keeps most images in their cluster (Kuhn 1955). Clusters without a
    partner get the smallest numbers that are free.
    """
    from scipy.optimize import linear_sum_assignment

    own, place = np.unique(clusters.numbers, return_inverse=True)
    old, old_place = np.unique(before.numbers, return_inverse=True)
    _, here, there = np.intersect1d(clusters.images, before.images, return_indices=True)
    shared = np.zeros((len(own), len(old)), np.int64)
    np.add.at(shared, (place[here], old_place[there]), 1)
    rows, columns = linear_sum_assignment(-shared)
    numbers = np.full(len(own), -1, np.int64)
    kept = shared[rows, columns] > 0
    numbers[rows[kept]] = old[columns[kept]]
    free = iter(np.setdiff1d(np.arange(len(own) + len(old)), numbers))
    numbers = np.array([next(free) if n < 0 else n for n in numbers.tolist()], np.int64)
    return Clusters(clusters.images, numbers[place])
