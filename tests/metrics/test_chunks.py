"""Evaluations in a GPU's memory: how much is held at once, and that it changes no result."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tests.metrics.test_knn import drawn
from tui_latent.metrics import chunks, nearest_neighbours
from tui_latent.metrics.chunks import at_once, mean_in_float64
from tui_latent.metrics.outlier_detection import class_rocs

MIB = 2**20
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


class Largest(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes the largest tensor that any operation makes, in bytes."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        given = {a.untyped_storage().data_ptr() for a in tree_leaves((args, kwargs)) if _is(a)}
        for made in filter(_is, tree_leaves(out)):
            if made.untyped_storage().data_ptr() not in given:
                self.bytes = max(self.bytes, made.untyped_storage().nbytes())
        return out


def _is(leaf: object) -> bool:
    return isinstance(leaf, Tensor)


@contextmanager
def largest() -> Iterator[Largest]:
    with Largest() as watched:
        yield watched


@pytest.mark.slow
@pytest.mark.parametrize("far", [False, True])
def test_beside_a_large_bank_nothing_wider_than_one_copy_is_made(
    monkeypatch: pytest.MonkeyPatch, far: bool
) -> None:
    """Clusters far away need float64, whose copies of a bank would be twice its size."""
    monkeypatch.setattr(chunks, "_CONVERTED_AT_ONCE", 2**14)
    monkeypatch.setattr(nearest_neighbours, "_DISTANCES_AT_ONCE", 2**14)
    monkeypatch.setattr(nearest_neighbours, "_NUMBERS_IN_CACHE", 2**12)
    bank, queries = drawn(20_000, 48, 1), drawn(30, 48, 2)
    if far:
        centres = 1000 * drawn(10, 48, 3)
        bank = centres.repeat(2000, 1) + 0.01 * bank
        queries = centres.repeat(3, 1) + 0.01 * queries
    with largest() as watched:
        nearest_neighbours.nearest(bank, queries, 5)
    assert watched.bytes <= bank.numel() * 4


def test_pieces_of_any_size_give_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    bank, queries = drawn(3000, 33, 1), drawn(70, 33, 2)
    whole = nearest_neighbours.nearest(bank, queries, 20)
    monkeypatch.setattr(chunks, "_CONVERTED_AT_ONCE", 100)
    monkeypatch.setattr(chunks, "_COLUMNS", 3)
    monkeypatch.setattr(nearest_neighbours, "_NUMBERS_IN_CACHE", 1000)
    parts = nearest_neighbours.nearest(bank, queries, 20)
    assert torch.equal(whole[0], parts[0]) and torch.equal(whole[1], parts[1])
    assert torch.equal(mean_in_float64(bank), bank.double().mean(0))


def test_a_full_gpu_is_given_less_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a card of 8 GiB of which a training has left 400 MiB, 112 of them in freed blocks."""
    gpu = torch.device("cuda", 0)
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda _: (288 * MIB, 8192 * MIB))
    monkeypatch.setattr("torch.cuda.memory_reserved", lambda _: 7000 * MIB)
    monkeypatch.setattr("torch.cuda.memory_allocated", lambda _: 6888 * MIB)
    assert at_once(gpu, 2**30, 4) * 4 == 100 * MIB
    assert at_once(gpu, 1000, 4) == 1000
    assert at_once(gpu, 1000, 200 * MIB, least=3) == 3
    assert chunks.fits(gpu, 99 * MIB) and not chunks.fits(gpu, 101 * MIB)
    assert at_once(torch.device("cpu"), 2**30, 4) == 2**30


def test_a_bank_whose_copy_does_not_fit_is_compared_block_by_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bank, queries = drawn(20_000, 48, 1), drawn(30, 48, 2)
    kept = nearest_neighbours.nearest(bank, queries, 20)
    monkeypatch.setattr(nearest_neighbours, "fits", lambda device, size: False)
    monkeypatch.setattr(chunks, "_CONVERTED_AT_ONCE", 2**14)
    monkeypatch.setattr(chunks, "_COLUMNS", 2)
    monkeypatch.setattr(nearest_neighbours, "_DISTANCES_AT_ONCE", 2**14)
    monkeypatch.setattr(nearest_neighbours, "_NUMBERS_IN_CACHE", 2**12)
    with largest() as watched:
        distances, rows = nearest_neighbours.nearest(bank, queries, 20)
    assert watched.bytes <= bank.numel() * 4 / 2
    assert torch.equal(distances, kept[0]) and torch.equal(rows, kept[1])


@pytest.mark.slow
def test_anomaly_scores_of_many_classes_need_no_table_of_all() -> None:
    classes, k = 100, 5
    bank, queries = drawn(1000, 2, 1), drawn(2000, 2, 2)
    labels, truth = torch.arange(1000) % classes, torch.arange(2000) % classes
    with largest() as watched:
        class_rocs(bank, labels, queries, truth, classes, k)
    assert watched.bytes < 2000 * classes * k * 4 / 5


@needs_cuda
@pytest.mark.parametrize("dimensions", [2, 3, 64])
def test_neighbours_on_a_gpu_are_those_of_the_cpu(dimensions: int) -> None:
    bank, queries = drawn(5000, dimensions, 1), drawn(300, dimensions, 2)
    distances, rows = nearest_neighbours.nearest(bank.cuda(), queries.cuda(), 20)
    assert distances.is_cuda and rows.is_cuda
    expected = nearest_neighbours.nearest(bank, queries, 20)
    torch.testing.assert_close(distances.cpu(), expected[0], rtol=1e-6, atol=0)
    assert torch.equal(rows.cpu(), expected[1])


@needs_cuda
def test_a_map_on_a_gpu_asks_the_tree_of_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest_neighbours, "_Compared", None)
    bank = drawn(500, 2, 1).cuda()
    assert torch.equal(nearest_neighbours.nearest(bank, bank, 1)[1][:, 0].cpu(), torch.arange(500))


@pytest.mark.parametrize("far", [0.0, 1000.0])
def test_a_bank_too_large_for_a_copy_is_searched_as_it_is(
    monkeypatch: pytest.MonkeyPatch, far: float
) -> None:
    bank, queries = drawn(20_000, 48, 1) + far, drawn(30, 48, 2) + far
    monkeypatch.setattr(nearest_neighbours, "_COPIED", 0)
    monkeypatch.setattr(chunks, "_CONVERTED_AT_ONCE", 2**14)
    monkeypatch.setattr(nearest_neighbours, "_DISTANCES_AT_ONCE", 2**14)
    monkeypatch.setattr(nearest_neighbours, "_NUMBERS_IN_CACHE", 2**12)
    with largest() as watched:
        distances, rows = nearest_neighbours.nearest(bank, queries, 20)
    assert watched.bytes < bank.numel() * 4
    expected = torch.cdist(queries.double(), bank.double()).topk(20, largest=False)
    assert torch.equal(rows, expected.indices)
    torch.testing.assert_close(distances.double(), expected.values, rtol=1e-6, atol=0)


@pytest.mark.parametrize("copied", [0, 2**30])
def test_one_of_many_equal_latents_is_certain_without_the_bank_in_float64(
    monkeypatch: pytest.MonkeyPatch, copied: int
) -> None:
    monkeypatch.setattr(nearest_neighbours, "_COPIED", copied)
    bank = drawn(20_000, 48, 1)
    bank[::100] = bank[0]
    search = nearest_neighbours.NeighbourSearch(bank)
    distances, rows = search.nearest(bank[:1], 20)
    assert not distances.any() and not (rows % 100).any()
    assert search._wide is None
