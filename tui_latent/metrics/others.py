"""Neighbours among the others: the latent itself, which is nearest of all, is left out."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from tui_latent.metrics.nearest_neighbours import NeighbourSearch


def nearest_others(
    search: NeighbourSearch,
    queries: Tensor,
    own: Tensor,
    k: int,
    on_chunk: Callable[[], None] = lambda: None,
) -> tuple[Tensor, Tensor]:
    """Return the k nearest bank rows of each query, nearest first, but for its own.

    `queries` is float (M, D); `own` int64 (M,) has the bank row that is the query itself, or -1
    where none is. Distances float32 (M, k), rows int64 (M, k). ValueError when k is not within
    1..N-1 or a latent is not finite.
    """
    distances, rows = search.nearest(queries, k + 1, on_chunk)
    # If more latents are equal than were asked for, the row itself may not be among them.
    others_first = (rows == own[:, None]).byte().argsort(dim=1, stable=True)[:, :k]
    return distances.gather(1, others_first), rows.gather(1, others_first)
