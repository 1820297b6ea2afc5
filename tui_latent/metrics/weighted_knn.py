"""kNN as self-supervised learning reports it: cosine similarity, votes weighted by temperature."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import torch
from torch import Tensor

from tui_latent.metrics.directions import directions
from tui_latent.metrics.nearest_neighbours import NeighbourSearch

_NUMBERS_AT_ONCE: Final = 2**23


class Vote(NamedTuple):
    """How the nearest vote."""

    k: int
    """nearest training latents that vote"""
    temperature: float
    """by which cosines are divided in the exponent of a vote"""

    @property
    def name(self) -> str:
        """Return it as it is stored and shown."""
        return f"k={self.k} t={self.temperature:g}"


VOTES: Final = (Vote(200, 0.1), Vote(20, 0.07))
"""as published: lightly's benchmarks use 200 and 0.1, DINO 20 and 0.07"""


def weighted_knn(
    bank: Tensor,
    bank_labels: Tensor,
    queries: Tensor,
    classes: int,
    votes: tuple[Vote, ...] = VOTES,
    on_chunk: Callable[[], None] = lambda: None,
) -> dict[Vote, Tensor]:
    """Return the class of each query by weighted votes of its nearest: int64 (M,) for each vote.

    The k bank latents of the largest cosine vote for their class with weight exp(cos / t). Wu,
    Xiong, Yu and Lin, CVPR 2018, section 3.4. `bank` is float (N, D), `queries` (M, D), labels
    int64 below `classes`. If sums are equal, the smallest label wins. ValueError when a latent is
    not finite, or k exceeds N.
    """
    unit, asked = directions(bank), directions(queries)
    most = max(vote.k for vote in votes)
    _, rows = NeighbourSearch(unit).nearest(asked, most, on_chunk)
    called: dict[Vote, list[Tensor]] = {vote: [] for vote in votes}
    at_once = max(_NUMBERS_AT_ONCE // (most * unit.shape[1]), 1)
    for block, near in zip(asked.split(at_once), rows.split(at_once), strict=True):  # type: ignore[no-untyped-call]
        cosines = torch.einsum("bkd,bd->bk", unit[near].double(), block.double())
        labels = bank_labels[near]
        for vote in votes:
            few = cosines[:, : vote.k]
            weights = ((few - few[:, :1]) / vote.temperature).exp()
            sums = weights.new_zeros(len(block), classes)
            called[vote].append(sums.scatter_add_(1, labels[:, : vote.k], weights).argmax(1))
        on_chunk()
    return {vote: torch.cat(parts) for vote, parts in called.items()}
