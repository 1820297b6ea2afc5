"""Neighbours found in cells against plain comparison: nothing may be left out that is near."""

from __future__ import annotations

from math import isqrt

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.metrics.test_knn import assert_nearest, drawn
from tui_latent.metrics import knn_pruning as cells
from tui_latent.metrics.knn import evaluate_knn_within
from tui_latent.metrics.knn_pruning import BankCells
from tui_latent.metrics.nearest_neighbours import nearest


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use many cells for however few latents, and however much is in reach."""
    monkeypatch.setattr(cells, "_cells", isqrt)
    monkeypatch.setattr(cells, "_LATENTS_FROM", 1)
    monkeypatch.setattr(cells, "_QUERIES_FROM", 0)
    monkeypatch.setattr(cells, "_WORTH_IT", 1.0)


def clustered(rows: int, dimensions: int, seed: int, spread: float = 0.2) -> Tensor:
    centres = drawn(7, dimensions, 0)
    return centres[torch.arange(rows) % 7] + spread * drawn(rows, dimensions, seed)


@pytest.mark.usefixtures("always")
@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 400),
    st.integers(1, 60),
    st.sampled_from([9, 16, 64]),
    st.sampled_from([1, 5, 20]),
    st.sampled_from([0.0, 1e-4, 0.2, 3.0]),
    st.sampled_from([1e-25, 1.0, 1e4, 1e25]),
)
def test_the_nearest_are_found(
    rows: int, queries: int, dimensions: int, k: int, spread: float, scale: float
) -> None:
    bank = scale * clustered(rows, dimensions, 1, spread)
    asked = scale * clustered(queries, dimensions, 2, spread)
    assert_nearest(bank, asked, min(k, rows))


@pytest.mark.usefixtures("always")
def test_tight_clusters_far_away_keep_their_neighbours() -> None:
    bank = 1000 * drawn(5, 16, 3).repeat(60, 1) + 0.01 * drawn(300, 16, 4)
    queries = 1000 * drawn(5, 16, 3).repeat(8, 1) + 0.01 * drawn(40, 16, 5)
    assert_nearest(bank, queries, 10)


@pytest.mark.usefixtures("always")
def test_a_query_far_from_every_cell_and_an_outlier_in_the_bank() -> None:
    bank = clustered(500, 16, 1)
    bank[17] = 80.0
    queries = torch.cat([clustered(20, 16, 2), torch.full((2, 16), -50.0), bank[17:18] - 1])
    assert_nearest(bank, queries, 5)


@pytest.mark.usefixtures("always")
def test_more_queries_than_are_taken_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "_PAIRS_AT_ONCE", 100)
    assert_nearest(clustered(400, 16, 1), clustered(50, 16, 2), 20)


@pytest.mark.parametrize("spread", [0.2, 3.0])  # in clusters, and without any
def test_a_large_bank_is_searched_exactly(spread: float) -> None:
    bank, queries = clustered(9000, 24, 1, spread), clustered(800, 24, 2, spread)
    assert cells.worth_finding(len(bank), len(queries))
    assert_nearest(bank, queries, 20)


def test_of_latents_in_clusters_most_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    take = cells._Best.take

    def counted(self: cells._Best, queries: Tensor, scores: Tensor, start: int) -> None:
        compared.append(scores.numel())
        take(self, queries, scores, start)

    monkeypatch.setattr(cells._Best, "take", counted)
    nearest(clustered(9000, 64, 1), clustered(1000, 64, 2), 20)
    assert 0 < sum(compared) < 0.25 * 9000 * 1000


def test_latents_without_clusters_are_left_to_plain_comparison() -> None:
    bank = drawn(9000, 64, 1)

    def errors(lengths: Tensor) -> Tensor:
        return torch.zeros_like(lengths, dtype=torch.float64)

    found = BankCells(bank, errors).smallest_scores(drawn(900, 64, 2), 20, 28, lambda: None)
    assert found is None


def test_within_a_large_bank_nobody_votes_for_itself() -> None:
    bank = clustered(9000, 16, 1, spread=1e-3)
    labels = torch.arange(9000) % 7
    assert evaluate_knn_within(bank, labels, 7).accuracies == {1: 1.0, 5: 1.0, 20: 1.0}
    assert evaluate_knn_within(bank, torch.arange(9000), 9000).accuracies[1] == 0.0


def test_between_runs_while_cells_are_compared() -> None:
    looks: list[int] = []

    def stop_at_the_tenth_look() -> None:
        looks.append(1)
        if len(looks) == 10:
            raise KeyboardInterrupt

    labels = torch.zeros(9000, dtype=torch.int64)
    with pytest.raises(KeyboardInterrupt):
        evaluate_knn_within(clustered(9000, 16, 1), labels, 1, on_chunk=stop_at_the_tenth_look)
