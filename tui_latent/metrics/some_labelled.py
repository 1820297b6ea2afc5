"""kNN accuracy where some latents have a class and others none, and perhaps without a bank."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from tui_latent.metrics.knn import KS, evaluate_knn, evaluate_knn_within, why_no_vote
from tui_latent.metrics.nearest_neighbours import Search
from tui_latent.nouns import IMAGES, Nouns


class SomeKnn(NamedTuple):
    """The votes of the latents that have a class."""

    metrics: dict[str, float]
    """`val/knn_k`, for each k that means something"""
    missing: dict[str, str]
    """`val/knn_k` -> why it means nothing"""
    confusion: Tensor | None
    """int64 (classes, classes), of the largest k; None where that is missing"""


Rows = Tensor | None
"""int64 rows of the latents that have a class; None if all of them have one"""


def labelled_rows(*splits: Tensor) -> tuple[Rows, ...]:
    """Return for each split's labels, int64 (N,), the rows of those that are not negative."""
    known = [labels >= 0 for labels in splits]
    # All in one transfer: each would wait for the device.
    whole = torch.stack([of.all() for of in known]).tolist()
    return tuple(
        None if all_ else of.nonzero()[:, 0] for all_, of in zip(whole, known, strict=True)
    )


def knn_of_labelled(
    queries: Tensor,
    query_labels: Tensor,
    bank: Tensor | None,
    bank_labels: Tensor | None,
    classes: int,
    on_chunk: Callable[[], None] = lambda: None,
    nouns: Nouns = IMAGES,
) -> SomeKnn:
    """Measure kNN of the queries (M, D) that have a class, by the bank's (N, D) that have one.

    A label below 0 says that a latent has no class. Without a bank the other queries vote:
    leave-one-out.
    """
    labels = query_labels, query_labels if bank_labels is None else bank_labels
    asked, voters = labelled_rows(*labels)
    for noun, latents, rows in ((nouns.held_out, queries, asked), (nouns.training, bank, voters)):
        latents = latents if latents is None or rows is None else latents[rows]
        if latents is not None and (broken := int((~torch.isfinite(latents)).any(1).sum())):
            why = f"the latents of {broken:,} {noun}s are not finite"
            return SomeKnn({}, {f"val/knn_{k}": why for k in KS}, None)
    known = asked, voters
    return knn_of_rows(queries, query_labels, bank, bank_labels, known, classes, on_chunk, nouns)


def knn_of_rows(
    queries: Tensor,
    query_labels: Tensor,
    bank: Tensor | None,
    bank_labels: Tensor | None,
    rows: tuple[Rows, ...],
    classes: int,
    on_chunk: Callable[[], None] = lambda: None,
    nouns: Nouns = IMAGES,
    search: Search | None = None,
) -> SomeKnn:
    """Do what `knn_of_labelled` does, where the rows of queries and bank that have a class are
    known, and all latents are finite. `search` is as in `evaluate_knn`."""
    within = bank is None or bank_labels is None
    asked, truth = _of_rows(rows[0], queries, query_labels)
    voters, votes = asked, truth
    if bank is not None and bank_labels is not None:
        voters, votes = _of_rows(rows[1], bank, bank_labels)
    if not len(voters) or not len(asked):
        without_class = nouns.held_out if len(voters) else nouns.training
        why = f"no {nouns.image if within else without_class} has a class"
        return SomeKnn({}, {f"val/knn_{k}": why for k in KS}, None)
    asking = nouns._replace(training=nouns.image) if within else nouns
    without = why_no_vote(voters, votes, len(asked), within=within, nouns=asking)
    counts = len(voters), len(voters if bank is None else bank), len(asked), len(queries)
    if few := _few(*counts, nouns):
        without = {k: f"{reason}, {few}" for k, reason in without.items()}
    missing = {f"val/knn_{k}": why for k, why in without.items()}
    known = [k for k in KS if k not in without]
    if not known:
        return SomeKnn({}, missing, None)
    if within:
        found = evaluate_knn_within(asked, truth, classes, known, on_chunk)
    else:
        found = evaluate_knn(voters, votes, asked, truth, classes, known, on_chunk, search)
    metrics = {f"val/knn_{k}": accuracy for k, accuracy in found.accuracies.items()}
    return SomeKnn(metrics, missing, found.confusion if max(KS) in known else None)


def _of_rows(rows: Rows, latents: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    return (latents, labels) if rows is None else (latents[rows], labels[rows])


def _few(voters: int, bank: int, asked: int, queries: int, nouns: Nouns) -> str:
    """Return how many images have no class, for the end of a reason; empty if all have one."""
    parts = ((bank - voters, bank, nouns.training), (queries - asked, queries, nouns.held_out))
    words = [f"{few:,} of {count:,} {noun}s" for few, count, noun in parts if few]
    return f"because {' and '.join(words)} have no class" if words else ""
