"""Exact nearest neighbours in a latent space, on the device of the latents.

The one search of the package. On two cores, 10,000 queries of 60,000 latents were 14.9 times as
fast as scikit-learn's search in the plane, and 6.3 times in 512 dimensions where the latents form
clusters (`python -m benchmarks.neighbours`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from tui_latent.metrics.chunks import at_once, fits, mean_in_float64, row_blocks
from tui_latent.metrics.finite import require_finite
from tui_latent.metrics.knn_pruning import BankCells, worth_finding
from tui_latent.metrics.products import exact_products

_TREE_DIMENSIONS: Final = {"cpu": 8, "cuda": 2}
"""dimensions up to which a k-d tree is faster than comparing all pairs: 100 times in the plane.
Latents on a GPU are brought to the CPU's tree: a map's 60,000 points are half a megabyte"""
_TREE_QUERIES: Final = 2048
_QUERIES_AT_ONCE: Final = 1024
"""queries that each block of the bank is compared with, so that it is read once for all of them"""
_DISTANCES_AT_ONCE: Final = 2**24
"""64 MB, so that two blocks of the bank are not far apart in time"""
_NUMBERS_IN_CACHE: Final = 2**19
"""values that a CPU's cache holds: 4 MB in float64"""
_ON_GPU: Final = 4
"""how many times as many queries and values at once on a GPU, where each piece costs a dozen
launches"""
_NUMBERS_AT_ONCE: Final = 2**26
"""values of candidates' latents at once, on a GPU that has memory for them"""
_SPARE: Final = 8
"""candidates beyond k that are ranked exactly"""
_MORE_SPARE: Final = 1024
"""the same for the few queries for which these are not enough, as among many equal latents"""
_COPIED: Final = 2**30
"""bytes of a bank on a CPU up to which a copy about its centre is kept beside it; larger ones are
often mapped from a file, and not all of them has to be in memory"""


def nearest(bank: Tensor, queries: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Return the k nearest bank rows of each query, nearest first, by Euclidean distance.

    `bank` is float (N, D), `queries` float (M, D) on the same device; the result is distances
    float32 (M, k) and rows int64 (M, k). Equal distances come in no particular order.
    ValueError when k is not within 1..N or a latent is not finite.
    """
    return NeighbourSearch(bank).nearest(queries, k)


Search = Callable[[Tensor, Tensor, int, Callable[[], None]], Tensor]
"""from a bank (N, D), queries (M, D), k and `on_chunk` to the rows that `nearest` returns"""


class NeighbourSearch:
    """Finds neighbours in one bank of latents, float (N, D); ValueError when one is not finite.

    If `checked`, all latents are known to be finite: a check would wait for the device.
    """

    def __init__(self, bank: Tensor, checked: bool = False) -> None:
        self._checked = checked
        if not checked:
            require_finite("bank", bank)
        self._bank = bank.detach().float()
        self._tree: cKDTree | None = None
        self._compared: _Compared | None = None
        self._wide: _Compared | None = None
        if bank.shape[1] <= _TREE_DIMENSIONS.get(bank.device.type, 0):
            self._tree = cKDTree(self._bank.cpu().double().numpy())
        else:
            self._compared = _Compared(self._bank, torch.float32)

    def nearest(
        self, queries: Tensor, k: int, on_chunk: Callable[[], None] = lambda: None
    ) -> tuple[Tensor, Tensor]:
        """Do what the function `nearest` does; `on_chunk` is called between chunks of queries."""
        if not 1 <= k <= len(self._bank):
            raise ValueError(f"k is {k}, the bank has {len(self._bank):,} latents")
        if not self._checked:
            require_finite("query", queries)
        queries = queries.detach().float()
        if self._compared is None:
            return _by_tree(self._tree, queries, k, on_chunk)
        with exact_products():
            distances, rows, sure = self._compared.nearest(queries, k, on_chunk)
            again = (~sure).nonzero()[:, 0]
            if 0 < len(again) * _MORE_SPARE < len(self._bank):
                found = self._compared.nearest(queries[again], k, on_chunk, _MORE_SPARE)
                distances[again], rows[again], sure = found
                again = again[~sure]
            if len(again):
                if self._wide is None:
                    self._wide = _Compared(self._bank, torch.float64)
                distances[again], rows[again], _ = self._wide.nearest(queries[again], k, on_chunk)
        return distances, rows


def _by_tree(
    tree: cKDTree, queries: Tensor, k: int, on_chunk: Callable[[], None]
) -> tuple[Tensor, Tensor]:
    distances, rows = [], []
    for chunk in torch.split(queries.cpu().double(), _TREE_QUERIES):
        found = tree.query(chunk.numpy(), k=range(1, k + 1), workers=-1)
        distances.append(torch.from_numpy(found[0]).float())
        rows.append(torch.from_numpy(found[1]).long())
        on_chunk()
    return torch.cat(distances).to(queries.device), torch.cat(rows).to(queries.device)


class _Compared:
    """A bank whose latents are compared with every query, in float `dtype`.

    Candidates have the smallest |b|² - 2 q·b. This loses small distances between long vectors,
    so candidates are ranked by |q - b|² in float64. On a CPU cells leave out what is far. Beside
    the bank there is at most one copy of it, in float32: wider types are made block by block.

    Vectors are taken about the bank's centre c, so that they are short. If a bank is too large
    for a copy, only the queries are:
    |b - c|² - 2 (q - c)·(b - c) = |b - c|² - 2 (q - c)·b + 2 (q - c)·c.
    """

    def __init__(self, bank: Tensor, dtype: torch.dtype) -> None:
        self._dtype = dtype
        self._bank = bank
        self._times = _ON_GPU if bank.device.type == "cuda" else 1
        size = 4 * bank.numel()
        self._as_it_is = dtype == torch.float32 and bank.device.type == "cpu" and size > _COPIED
        self._centre = _rough_mean(bank) if self._as_it_is else mean_in_float64(bank)
        self._centred: Tensor | None = None
        if dtype == torch.float32 and not self._as_it_is and fits(bank.device, size):
            self._centred = torch.empty_like(bank)
            for rows in row_blocks(bank):
                self._centred[rows] = self._about_centre(bank[rows])
        lengths = [self._squared_lengths(rows) for rows in row_blocks(bank)]
        self._lengths = torch.cat(lengths)
        self._longest = self._lengths.max().double().sqrt()
        if self._as_it_is:
            # Products have the length of b, which is at most |b - c| + |c|, and lengths are added.
            self._longest = 2 * (self._longest + self._centre.square().sum().sqrt())
        self._cells: BankCells | None = None

    def nearest(
        self, queries: Tensor, k: int, on_chunk: Callable[[], None], spare: int = _SPARE
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return distances, rows and, bool (M,), for which queries they are certainly right.

        `spare` candidates beyond k are ranked exactly: more of them make more queries certain.
        """
        with torch.autocast(queries.device.type, enabled=False):
            chunks = []
            for some in torch.split(queries, self._at_once(len(queries))):
                centred = self._about_centre(some)
                scores, rows = self._candidates(centred, k, on_chunk, spare)
                for start in range(0, len(some), self._queries):
                    part = slice(start, start + self._queries)
                    found = self._ranked(some[part], centred[part], scores[part], rows[part], k)
                    chunks.append(found)
        distances, rows, sure = (torch.cat(parts) for parts in zip(*chunks, strict=True))
        return distances, rows, sure

    @property
    def _queries(self) -> int:
        return self._times * _QUERIES_AT_ONCE

    def _at_once(self, queries: int) -> int:
        """Find cells if so many queries are worth it; return how many to take at once."""
        suited = self._bank.device.type == "cpu" and self._centred is not None
        if self._cells is None and suited and worth_finding(len(self._bank), queries):
            assert self._centred is not None
            self._cells = BankCells(self._centred, self._errors)
        return self._queries if self._cells is None else self._cells.queries_at_once

    def _candidates(
        self, centred: Tensor, k: int, on_chunk: Callable[[], None], spare: int
    ) -> tuple[Tensor, Tensor]:
        """Return the smallest scores of queries about the centre, ascending, and their rows."""
        count = min(k + spare, len(self._bank))
        if self._cells is not None:
            found = self._cells.smallest_scores(centred, k, count, on_chunk)
            if found is not None:
                return found
        # Freed at its end and asked for again: the process keeps what it frees (runtime/malloc.py).
        queries = min(len(centred), self._queries)
        # Beside each distance there are its copies in topk, and the block of the bank.
        room = at_once(centred.device, self._times * _DISTANCES_AT_ONCE, 32, least=queries)
        buffer = centred.new_empty(min(queries * len(self._bank), room))
        parts = torch.split(centred, self._queries)
        chunks = [self._smallest_scores(part, count, buffer, on_chunk) for part in parts]
        scores, rows = (torch.cat(parts) for parts in zip(*chunks, strict=True))
        return scores, rows

    def _ranked(
        self, queries: Tensor, centred: Tensor, scores: Tensor, rows: Tensor, k: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Do `nearest` for queries whose candidates are known."""
        squares = _squared_distances(queries, self._bank, rows)
        squares = squares.masked_fill(rows < 0, torch.inf)  # no candidate at all
        squares, order = squares.sort(stable=True)
        # No row outside the candidates can be nearer where even the largest rounding error
        # leaves it farther than the k-th of them.
        length = centred.double().square().sum(1)
        last = scores[:, -1].double()
        if self._as_it_is:
            last = last + 2 * (centred.double() @ self._centre)
        sure = squares[:, k - 1] <= last + length - self._errors(length.sqrt())
        sure |= scores.shape[1] == len(self._bank)
        return squares[:, :k].sqrt().float(), rows.gather(1, order)[:, :k], sure

    def _errors(self, lengths: Tensor) -> Tensor:
        """Return the largest rounding error of squared distances to vectors of given lengths.

        It is about D u (|q| + |b|)², and what is lost of products too small for the type: Higham,
        Accuracy and Stability of Numerical Algorithms, sections 2.1 and 3.1.
        """
        terms, kind = self._bank.shape[1] + 8, torch.finfo(self._dtype)
        return terms * (kind.eps * (self._longest + lengths).square() + kind.tiny)

    def _smallest_scores(
        self, centred: Tensor, count: int, buffer: Tensor, on_chunk: Callable[[], None]
    ) -> tuple[Tensor, Tensor]:
        """Return the smallest scores of (M, D) queries in ascending order, (M, count), and rows.

        The bank is read block by block: a matrix product of few queries with all of a large bank
        would read the bank from memory for every few of them.
        """
        block = len(buffer) // len(centred)
        found = []
        for start in range(0, len(self._bank), block):
            rows = slice(start, start + block)
            bank = self._bank[rows] if self._as_it_is else self._about_or_kept(rows)
            scores = buffer[: len(centred) * len(bank)].view(len(centred), len(bank))
            lengths = self._lengths[start : start + block]
            if len(centred) == 1 and bank.device.type == "cpu":
                # With one vector, numpy's library is twice as fast as torch's on an AMD EPYC.
                with np.errstate(over="ignore", invalid="ignore"):
                    products = np.dot(bank.numpy(), centred[0].numpy())
                torch.add(lengths, torch.from_numpy(products), alpha=-2, out=scores[0])
            else:
                torch.addmm(lengths, centred, bank.T, alpha=-2, out=scores)
            smallest, places = scores.topk(min(count, len(bank)), largest=False)
            found.append((smallest, places + start))
            on_chunk()
        smallest, places = (torch.cat(parts, dim=1) for parts in zip(*found, strict=True))
        smallest, order = smallest.topk(count, largest=False)
        return smallest, places.gather(1, order)

    def _squared_lengths(self, rows: slice) -> Tensor:
        """Return |b - c|² of some of the bank."""
        if self._as_it_is:
            return (self._bank[rows] - self._centre.float()).square_().sum(1)
        return self._about_or_kept(rows).square().sum(1)

    def _about_or_kept(self, rows: slice) -> Tensor:
        """Return some of the bank about its centre."""
        return (
            self._about_centre(self._bank[rows]) if self._centred is None else self._centred[rows]
        )

    def _about_centre(self, latents: Tensor) -> Tensor:
        return (latents.double() - self._centre).to(self._dtype)


def _rough_mean(bank: Tensor) -> Tensor:
    """Return roughly the mean of (N, D) latents, float64 (D,) with float32's precision: any centre
    will do, and this one reads a bank that may be on a disk only once."""
    sums = [bank[rows].double().sum(0) for rows in row_blocks(bank)]
    return (torch.stack(sums).sum(0) / len(bank)).float().double()


def _squared_distances(queries: Tensor, bank: Tensor, rows: Tensor) -> Tensor:
    """Return |q - b|² of each query and its rows of the bank: float64 (M, K)."""
    most = _NUMBERS_IN_CACHE if bank.device.type == "cpu" else _NUMBERS_AT_ONCE
    numbers = at_once(bank.device, most, 24)  # in float32, in float64, and a temporary
    some_rows = max(numbers // (rows.shape[1] * bank.shape[1]), 1)
    found = []
    parts = torch.split(queries, some_rows), torch.split(rows, some_rows)
    for some, chosen in zip(*parts, strict=True):
        differences = bank[chosen].double().sub_(some.double()[:, None])
        found.append(differences.mul_(differences).sum(2))
    return torch.cat(found)
