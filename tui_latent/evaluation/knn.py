"""Exact nearest neighbours in a latent space and what they say, on the device of the latents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from scipy.spatial import cKDTree
from torch import Tensor

KS: Final = (1, 5, 20)
"""the numbers of neighbours that vote in every evaluation"""

_TREE_DIMENSIONS: Final = 8
"""up to here a k-d tree is faster on a CPU than comparing all pairs: 100 times in the plane"""
_TREE_QUERIES: Final = 2048
_DISTANCES_AT_ONCE: Final = 2**24
"""64 MB, and no long wait between two chunks"""
_SPARE: Final = 8
"""candidates beyond k that are ranked exactly"""


@dataclass(frozen=True, eq=False)
class KnnResult:
    """What the neighbours say of the queries."""

    accuracies: dict[int, float]
    """k -> share of the queries whose class the vote names; NaN without queries"""
    predictions: Tensor
    """int64 (M,), the vote with the largest k"""
    confusion: Tensor
    """int64 (classes, classes) queries, of that vote; rows are the truth"""


def evaluate_knn(
    bank: Tensor,
    bank_labels: Tensor,
    queries: Tensor,
    query_labels: Tensor,
    classes: int,
    ks: Sequence[int] = KS,
    between: Callable[[], None] = lambda: None,
) -> KnnResult:
    """Predict the label of each query by its k nearest bank latents, for each of `ks`.

    `bank` is float (N, D), `queries` float (M, D), labels int64 below `classes`, all on one
    device. A k beyond N lets the whole bank vote. `between` runs between chunks of queries.
    ValueError when a latent is not finite.
    """
    longest = min(max(ks), len(bank))
    _, rows = NeighbourSearch(bank).nearest(queries, longest, between)
    votes = knn_predictions(bank_labels[rows], ks, classes)
    right = torch.stack([(votes[k] == query_labels).double().mean() for k in ks])
    predictions = votes[max(ks)]
    cells = torch.bincount(query_labels * classes + predictions, minlength=classes**2)
    confusion = cells.reshape(classes, classes)
    return KnnResult(dict(zip(ks, right.tolist(), strict=True)), predictions, confusion)


def knn_predictions(labels: Tensor, ks: Sequence[int], classes: int) -> dict[int, Tensor]:
    """Return the most frequent of the first k labels of each row, int64 (M,), for each of `ks`.

    `labels` is int64 (M, K), those of the nearest neighbour first; a k beyond K counts all. Of
    equally frequent labels the smallest wins, as in scikit-learn's KNeighborsClassifier.
    """
    counts = torch.zeros((len(labels), classes), dtype=torch.int32, device=labels.device)
    predictions, counted = {}, 0
    for k in sorted(ks):
        new = labels[:, counted:k]
        counts.scatter_add_(1, new, torch.ones_like(new, dtype=counts.dtype))
        predictions[k] = counts.argmax(1)
        counted = k
    return predictions


def nearest(bank: Tensor, queries: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Return the k nearest bank rows of each query, nearest first, by Euclidean distance.

    `bank` is float (N, D), `queries` float (M, D) on the same device; the result is distances
    float32 (M, k) and rows int64 (M, k). Equal distances come in no particular order.
    ValueError when k is not within 1..N or a latent is not finite.
    """
    return NeighbourSearch(bank).nearest(queries, k)


class NeighbourSearch:
    """Finds neighbours in one bank of latents, float (N, D); ValueError when one is not finite."""

    def __init__(self, bank: Tensor) -> None:
        _require_finite("bank", bank)
        self._bank = bank.detach().float()
        self._tree: cKDTree | None = None
        if bank.device.type == "cpu" and bank.shape[1] <= _TREE_DIMENSIONS:
            self._tree = cKDTree(self._bank.double().numpy())

    def nearest(
        self, queries: Tensor, k: int, between: Callable[[], None] = lambda: None
    ) -> tuple[Tensor, Tensor]:
        """Return what the function `nearest` does; `between` runs between chunks of queries."""
        if not 1 <= k <= len(self._bank):
            raise ValueError(f"k is {k}, the bank has {len(self._bank):,} latents")
        _require_finite("query", queries)
        queries = queries.detach().float()
        if self._tree is not None:
            return _by_tree(self._tree, queries, k, between)
        return _by_comparison(self._bank, queries, k, between)


def _by_tree(
    tree: cKDTree, queries: Tensor, k: int, between: Callable[[], None]
) -> tuple[Tensor, Tensor]:
    distances, rows = [], []
    for chunk in torch.split(queries.double(), _TREE_QUERIES):
        found = tree.query(chunk.numpy(), k=range(1, k + 1), workers=-1)
        distances.append(torch.from_numpy(found[0]).float())
        rows.append(torch.from_numpy(found[1]).long())
        between()
    return torch.cat(distances), torch.cat(rows)


def _by_comparison(
    bank: Tensor, queries: Tensor, k: int, between: Callable[[], None]
) -> tuple[Tensor, Tensor]:
    """Compare all pairs in float32, and again in float64 where float32 cannot be sure."""
    # TensorFloat-32 would break the error bound by which a float32 result is trusted.
    exact_products = torch.get_float32_matmul_precision() == "highest"
    dtype = torch.float32 if exact_products else torch.float64
    distances, rows, sure = _compare(bank, queries, k, dtype, between)
    again = (~sure).nonzero()[:, 0]
    if dtype == torch.float32 and len(again):
        distances[again], rows[again], _ = _compare(bank, queries[again], k, torch.float64, between)
    return distances, rows


def _compare(
    bank: Tensor, queries: Tensor, k: int, dtype: torch.dtype, between: Callable[[], None]
) -> tuple[Tensor, Tensor, Tensor]:
    """Compare every query with the whole bank; the third result, bool (M,), says which are sure.

    Candidates have the smallest |b|² - 2 q·b in `dtype`. That loses small distances between
    long vectors, so candidates are ranked by |q - b|² in float64. The result is sure where the
    rounding of the former (at most about D u (|q| + |b|)²: Higham, Accuracy and Stability of
    Numerical Algorithms, section 3.1) cannot have kept a nearer row out of the candidates.
    """
    centre = bank.double().mean(0)
    centred = (bank - centre).to(dtype)
    lengths = centred.square().sum(1)
    longest = lengths.max().double().sqrt()
    candidates = min(k + _SPARE, len(bank))
    relative_error = (bank.shape[1] + 8) * torch.finfo(dtype).eps
    step = max(_DISTANCES_AT_ONCE // len(bank), 1)
    buffer = bank.new_empty((min(step, len(queries)), len(bank)), dtype=dtype)
    chunks = []
    for chunk in torch.split(queries, step):
        query = (chunk - centre).to(dtype)
        with torch.autocast(bank.device.type, enabled=False):
            scores = torch.addmm(lengths, query, centred.T, alpha=-2, out=buffer[: len(chunk)])
        smallest, rows = scores.topk(candidates, largest=False)
        squares, order = _squared_distances(chunk, bank, rows).sort(stable=True)
        length = query.double().square().sum(1)
        slack = relative_error * (longest + length.sqrt()).square()
        sure = squares[:, k - 1] <= smallest[:, -1].double() + length - slack
        sure |= candidates == len(bank)
        chunks.append((squares[:, :k].sqrt().float(), rows.gather(1, order)[:, :k], sure))
        between()
    distances, rows, sure = (torch.cat(parts) for parts in zip(*chunks, strict=True))
    return distances, rows, sure


def _squared_distances(queries: Tensor, bank: Tensor, rows: Tensor) -> Tensor:
    """Return |q - b|² of each query and its rows of the bank: float64 (M, K)."""
    return (queries.double()[:, None] - bank[rows].double()).square().sum(2)


def _require_finite(what: str, latents: Tensor) -> None:
    broken = int((~torch.isfinite(latents)).any(1).sum())
    if broken:
        raise ValueError(
            f"{broken:,} of {len(latents):,} {what} latents are not finite: training has diverged"
        )
