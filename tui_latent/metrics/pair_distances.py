"""Distances of some points to all the others, computed alike for every pair."""

from __future__ import annotations

import torch
from torch import Tensor


def distances_to_others(points: Tensor, rows: Tensor) -> Tensor:
    """Return the distances of `rows`, int64 (B,), to all points (N, D): (B, N) of their type.

    Their own are infinite. Equal points are equally far from everything, bit by bit, which products
    of matrices do not promise.
    """
    distances = torch.cdist(points[rows], points, compute_mode="donot_use_mm_for_euclid_dist")
    distances[torch.arange(len(rows)), rows] = torch.inf
    return distances
