"""Retrieval by class: whether the nearest images are of the image's class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from tui_latent.metrics.sample_order import drawn_order

KS: Final = (1, 5, 10)
"""numbers of nearest images among which one of the class is looked for"""
MOST_QUERIES: Final = 1000
MOST_RANKED: Final = 10_000
"""images above which queries, and the images ranked for each, are random samples: every image is
ranked for every query, so that the work is that of sorting all pairs"""
_AT_ONCE: Final = 100


@dataclass(frozen=True)
class Retrieval:
    """Means over the queries that have an image of their class to find."""

    recall: dict[int, float]
    """k -> share of queries with an image of their class among the k nearest"""
    map_at_r: float
    """mean average precision at R, the number of images of the query's class"""
    r_precision: float
    """share of the R nearest that are of the query's class"""
    queries: int
    """queries that were asked"""
    ranked: int
    """images ranked for each"""


def retrieval(
    bank: Tensor,
    bank_labels: Tensor,
    queries: Tensor,
    query_labels: Tensor,
    ks: Sequence[int] = KS,
    within: bool = False,
    on_chunk: Callable[[], None] = lambda: None,
) -> Retrieval:
    """Rank the bank (N, D) by Euclidean distance from each query (M, D), and look for its class.

    Labels are int64. `within`: the queries are the bank, and none finds itself. MAP@R is the mean
    over queries of (1/R) Σ_{i <= R} [i-th is of the class] · (share of the class among the first
    i): Musgrave, Belongie and Lim, ECCV 2020, section 3.1; recall@k as in Jégou et al. 2011. Equal
    distances are ranked at random. Queries whose class is not among the ranked are left out.
    ValueError when a latent is not finite, or no query has an image to find.
    """
    if not (bank.isfinite().all() and queries.isfinite().all()):
        raise ValueError("latents are not finite")
    wide = bank.double()
    ranked = drawn_order(wide)[:MOST_RANKED]
    asked = drawn_order(queries.double())[:MOST_QUERIES]
    own = asked if within else None
    gallery, labels = wide[ranked], bank_labels[ranked]
    centre = gallery.mean(0)
    gallery = gallery - centre
    squares = gallery.square().sum(1)
    sums: list[Tensor] = []
    for rows in asked.split(_AT_ONCE):  # type: ignore[no-untyped-call]
        points = queries[rows].double() - centre
        distances = squares - 2 * points @ gallery.T
        same = labels[None] == query_labels[rows][:, None]
        if own is not None:
            itself = ranked[None] == rows[:, None]
            distances[itself] = torch.inf
            same &= ~itself
        relevant = same.sum(1)
        hits = same.gather(1, distances.argsort(dim=1, stable=True))[relevant > 0].double()
        sums.append(_scores(hits, relevant[relevant > 0], ks))
        on_chunk()
    scores = torch.cat(sums)
    if not len(scores):
        raise ValueError("no image has another of its class to find")
    *recall, map_at_r, r_precision = scores.mean(0).tolist()
    found = dict(zip(ks, recall, strict=True))
    return Retrieval(found, map_at_r, r_precision, len(scores), len(ranked) - within)


def _scores(hits: Tensor, relevant: Tensor, ks: Sequence[int]) -> Tensor:
    """Return recall at each k, MAP@R and R-precision of each query: float64 (B, len(ks) + 2)."""
    found = hits.cumsum(1)
    places = torch.arange(1, hits.shape[1] + 1)
    within_r = places <= relevant[:, None]
    precise = (found / places * hits * within_r).sum(1) / relevant
    r_precision = (hits * within_r).sum(1) / relevant
    at = [(found[:, min(k, hits.shape[1]) - 1] > 0).double() for k in ks]
    return torch.stack([*at, precise, r_precision], 1)
