"""Facts about one held-out image in its space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RelatedImages:
    """Other held-out images and how far they are from one."""

    indices: Ints
    """(n,) points on the map; `Space.held_out` has their positions in the split"""
    distances: Floats
    """(n,) Euclidean, in the space"""
    far_on_map: NDArray[np.bool_]
    """(n,) whether they are missing among the nearest points on the map"""


@dataclass(frozen=True, eq=False)
class PointFacts:
    """Facts about one held-out image."""

    index: int
    label: int
    """UNLABELLED without one"""
    vote: int
    """class of most of its neighbours; without `voters` its own label"""
    votes: int
    """neighbours of that class"""
    voters: int
    """neighbours with a label, at most K"""
    thinner: float
    """share of the held-out images in a sparser neighbourhood"""
    nearest: RelatedImages
    distant: RelatedImages
