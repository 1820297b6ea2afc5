"""kNN accuracy: how often the nearest neighbours vote for the right class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from tui_latent.metrics.nearest_neighbours import NeighbourSearch, Search
from tui_latent.nouns import IMAGES, Nouns

KS: Final = (1, 5, 20)
"""the numbers of neighbours that vote in every evaluation"""


@dataclass(frozen=True, eq=False)
class KnnResult:
    """The votes of the queries' neighbours."""

    accuracies: dict[int, float]
    """k -> share of the queries whose class the vote names; NaN without queries"""
    predictions: Tensor
    """int64 (M,), the vote with the largest k"""
    confusion: Tensor
    """int64 (classes, classes) queries, of that vote; rows are the truth"""


def why_no_vote(
    bank: Tensor,
    bank_labels: Tensor,
    queries: int,
    ks: Sequence[int] = KS,
    within: bool = False,
    nouns: Nouns = IMAGES,
) -> dict[int, str]:
    """Return the reason for each k whose accuracy would mean nothing.

    Where all of the bank (N, D) votes, or no latent is nearer than another, the vote is the same
    for every query; with a single class every vote is right. `within` is leave-one-out,
    where N - 1 can vote. The reasons call those that vote `nouns.training`.
    """
    voters = max(len(bank) - within, 0)
    reason = ""
    if queries < 2 and not within:
        few = f"one {nouns.held_out} is too few" if queries else f"there are no {nouns.held_out}s"
        reason = f"{few} for an accuracy"
    elif len(bank) > 1:
        # Both in one transfer: each would wait for the device.
        same = [(values == values[0]).all() for values in (bank_labels, bank)]
        one_class, one_latent = torch.stack(same).tolist()
        if one_class:
            reason = f"all {nouns.training}s are of one class: every vote is for it"
        elif one_latent:
            latents = nouns.training.replace("image", "latent")
            reason = f"all {latents}s are equal: none is nearer than another"
    if reason and voters:
        return dict.fromkeys(ks, reason)
    images = f"{'other ' * within}{nouns.training}{'s' * (voters != 1)}"
    there = f"there {'is' if voters == 1 else 'are'} {voters or 'no'} {images} to choose"
    return {k: f"{there} the {f'{k} ' * (k > 1)}nearest from" for k in ks if k >= voters}


def evaluate_knn(
    bank: Tensor,
    bank_labels: Tensor,
    queries: Tensor,
    query_labels: Tensor,
    classes: int,
    ks: Sequence[int] = KS,
    on_chunk: Callable[[], None] = lambda: None,
    search: Search | None = None,
) -> KnnResult:
    """Predict the label of each query by its k nearest bank latents, for each of `ks`.

    `bank` is float (N, D), `queries` float (M, D), labels int64 below `classes`, all on one
    device. If k exceeds N, the whole bank votes. `on_chunk` is called between chunks of queries.
    A `search` of the caller's own takes latents that are known to be finite. ValueError when a
    latent is not finite.
    """
    longest = min(max(ks), len(bank))
    if search is not None:
        rows = search(bank, queries, longest, on_chunk)
    else:
        _, rows = NeighbourSearch(bank).nearest(queries, longest, on_chunk)
    return _result(bank_labels[rows], query_labels, classes, ks)


def evaluate_knn_within(
    bank: Tensor,
    bank_labels: Tensor,
    classes: int,
    ks: Sequence[int] = KS,
    on_chunk: Callable[[], None] = lambda: None,
) -> KnnResult:
    """Predict the label of each bank latent by its k nearest others: leave-one-out.

    Like `evaluate_knn`; ValueError also for a bank of fewer than two latents.
    """
    if len(bank) < 2:
        raise ValueError("leave-one-out needs at least two latents")
    longest = min(max(ks), len(bank) - 1)
    _, rows = NeighbourSearch(bank).nearest(bank, longest + 1, on_chunk)
    itself = rows == torch.arange(len(bank), device=rows.device)[:, None]
    # If more latents are equal than were asked for, the row itself may not be among them.
    others_first = itself.to(torch.uint8).argsort(dim=1, stable=True)
    others = rows.gather(1, others_first)[:, :longest]
    return _result(bank_labels[others], bank_labels, classes, ks)


def knn_predictions(labels: Tensor, ks: Sequence[int], classes: int) -> dict[int, Tensor]:
    """Return the most frequent of the first k labels of each row, int64 (M,), for each of `ks`.

    `labels` is int64 (M, K), those of the nearest neighbour first; if k exceeds K, all count. The
    smallest of equally frequent labels wins, as in scikit-learn's KNeighborsClassifier.
    """
    counts = torch.zeros((len(labels), classes), dtype=torch.int32, device=labels.device)
    predictions, counted = {}, 0
    for k in sorted(ks):
        new = labels[:, counted:k]
        counts.scatter_add_(1, new, torch.ones_like(new, dtype=counts.dtype))
        predictions[k] = counts.argmax(1)
        counted = k
    return predictions


def _result(neighbour_labels: Tensor, labels: Tensor, classes: int, ks: Sequence[int]) -> KnnResult:
    votes = knn_predictions(neighbour_labels, ks, classes)
    right = torch.stack([(votes[k] == labels).double().mean() for k in ks])
    predictions = votes[max(ks)]
    cells = torch.bincount(labels * classes + predictions, minlength=classes**2)
    confusion = cells.reshape(classes, classes)
    return KnnResult(dict(zip(ks, right.tolist(), strict=True)), predictions, confusion)
