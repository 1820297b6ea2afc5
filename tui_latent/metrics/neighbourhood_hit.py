"""Neighbourhood hit: whether neighbours have the same class."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from tui_latent.metrics.nearest_neighbours import NeighbourSearch
from tui_latent.metrics.others import nearest_others


def neighbourhood_hit(
    points: Tensor, labels: Tensor, k: int, on_chunk: Callable[[], None] = lambda: None
) -> float:
    """Return the mean share of an image's k nearest others that are of its class: 0..1.

    Points are float (N, D), labels int64 (N,). Paulovich, Nonato, Minghim and Levkowitz, IEEE
    TVCG 14 (2008). ValueError unless 0 < k < N, or when a point is not finite.
    """
    own = torch.arange(len(points), device=points.device)
    _, rows = nearest_others(NeighbourSearch(points), points, own, k, on_chunk)
    return float((labels[rows] == labels[:, None]).double().mean())
