"""Neighbours among the others leave the latent itself out, also where several are equal."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.neighbors import NearestNeighbors

from tui_latent.metrics.nearest_neighbours import NeighbourSearch
from tui_latent.metrics.others import nearest_others


def test_each_latent_is_left_out_of_its_own_neighbours() -> None:
    for dimensions in (2, 40):
        bank = torch.randn(200, dimensions, generator=torch.Generator().manual_seed(dimensions))
        own = torch.arange(200)
        distances, rows = nearest_others(NeighbourSearch(bank), bank, own, 7)
        expected, expected_rows = NearestNeighbors(n_neighbors=7).fit(bank.numpy()).kneighbors()
        assert np.allclose(distances, expected, atol=1e-5)
        assert (rows.numpy() == expected_rows).mean() > 0.99
        assert not (rows == own[:, None]).any()


def test_equal_latents_are_neighbours_of_each_other_but_not_of_themselves() -> None:
    bank = torch.zeros(30, 3)
    _, rows = nearest_others(NeighbourSearch(bank), bank[:5], torch.arange(5), 4)
    assert rows.shape == (5, 4)
    assert not (rows == torch.arange(5)[:, None]).any()


def test_a_query_that_is_not_in_the_bank_keeps_all_its_neighbours() -> None:
    bank, queries = torch.tensor([[0.0], [1.0], [5.0]]), torch.tensor([[0.1], [5.0]])
    distances, rows = nearest_others(NeighbourSearch(bank), queries, torch.tensor([-1, 2]), 2)
    assert rows.tolist() == [[0, 1], [1, 0]]
    assert np.allclose(distances, [[0.1, 0.9], [4.0, 5.0]])
