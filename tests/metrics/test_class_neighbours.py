"""Neighbourhood hit, weighted votes and retrieval against plain loops and scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from tui_latent.metrics.neighbourhood_hit import neighbourhood_hit
from tui_latent.metrics.retrieval import retrieval
from tui_latent.metrics.weighted_knn import VOTES, Vote, weighted_knn


def blobs(count: int, width: int, classes: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return latents that are spread about a place for each class, and their labels."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % classes
    places = 1.5 * torch.randn(classes, width, generator=torch.Generator().manual_seed(9))
    return places[labels] + torch.randn(count, width, generator=generator), labels


@pytest.mark.parametrize("k", [1, 5, 12])
def test_neighbourhood_hit_is_that_of_scikit_learns_neighbours(k: int) -> None:
    points, labels = blobs(90, 2, 4, 0)
    _, rows = NearestNeighbors(n_neighbors=k + 1).fit(points).kneighbors(points)
    same = labels.numpy()[rows[:, 1:]] == labels.numpy()[:, None]
    assert neighbourhood_hit(points, labels, k) == pytest.approx(same.mean())


def voted(bank: Tensor, labels: Tensor, query: Tensor, vote: Vote, classes: int) -> int:
    """Return the class with the largest sum of weights, word for word."""

    def cosine(u: Tensor, v: Tensor) -> float:
        lengths = math.sqrt(float(u @ u) * float(v @ v))
        return float(u @ v) / lengths if lengths else 0.0

    near = sorted(
        ((cosine(row, query), int(label)) for row, label in zip(bank, labels, strict=True)),
        reverse=True,
    )[: vote.k]
    sums = [
        sum(math.exp(c / vote.temperature) for c, of in near if of == i) for i in range(classes)
    ]
    return max(range(classes), key=lambda i: sums[i])


@pytest.mark.slow
@pytest.mark.parametrize("width", [2, 6])
def test_weighted_votes_are_those_of_the_loop(width: int) -> None:
    (bank, labels), (queries, _) = blobs(240, width, 5, 1), blobs(40, width, 5, 2)
    votes = (*VOTES, Vote(7, 1.0))
    found = weighted_knn(bank, labels, queries, 5, votes)
    for vote in votes:
        expected = [voted(bank.double(), labels, q.double(), vote, 5) for q in queries]
        assert found[vote].tolist() == expected


def test_only_directions_vote() -> None:
    (bank, labels), (queries, _) = blobs(240, 4, 3, 1), blobs(30, 4, 3, 2)
    scaled = bank * torch.linspace(0.1, 30, len(bank))[:, None]
    for vote, called in weighted_knn(bank, labels, queries, 3).items():
        assert weighted_knn(scaled, labels, 5 * queries, 3)[vote].equal(called)


@pytest.mark.parametrize("within", [False, True])
def test_retrieval_is_that_of_the_loop(within: bool) -> None:
    bank, labels = blobs(60, 3, 4, 3)
    queries, truth = (bank, labels) if within else blobs(25, 3, 4, 4)
    found = retrieval(bank, labels, queries, truth, (1, 3), within)
    recalls: dict[int, list[bool]] = {1: [], 3: []}
    precisions, maps = [], []
    for row, (query, label) in enumerate(zip(queries, truth, strict=True)):
        others = [j for j in range(len(bank)) if not (within and j == row)]
        others.sort(key=lambda j: math.dist(bank[j].tolist(), query.tolist()))
        hits = [int(labels[j]) == int(label) for j in others]
        r = sum(hits)
        for k, values in recalls.items():
            values.append(any(hits[:k]))
        precisions.append(sum(hits[:r]) / r)
        maps.append(sum(sum(hits[: i + 1]) / (i + 1) for i in range(r) if hits[i]) / r)
    assert found.recall == pytest.approx({k: np.mean(v) for k, v in recalls.items()})
    assert found.r_precision == pytest.approx(np.mean(precisions))
    assert found.map_at_r == pytest.approx(np.mean(maps))
    assert (found.queries, found.ranked) == (len(queries), len(bank) - within)


def test_map_at_r_is_average_precision_cut_at_r() -> None:
    """Of a query whose class comes first, both are 1; scikit-learn's goes on beyond R."""
    bank, labels = torch.tensor([[0.0], [1.0], [2.0], [3.0]]), torch.tensor([0, 0, 1, 0])
    found = retrieval(bank, labels, torch.tensor([[-1.0]]), torch.tensor([0]))
    whole = average_precision_score(labels == 0, -bank[:, 0])
    assert found.map_at_r == pytest.approx(2 / 3) and found.map_at_r < whole
    assert found.recall[1] == 1


def test_queries_with_nothing_to_find_are_left_out() -> None:
    bank, labels = blobs(20, 2, 2, 5)
    found = retrieval(bank, labels, bank[:3], torch.tensor([0, 1, 7]))
    assert found.queries == 2
    with pytest.raises(ValueError, match="no image"):
        retrieval(bank, labels, bank[:3], torch.tensor([7, 7, 7]))
    with pytest.raises(ValueError, match="finite"):
        retrieval(bank * torch.nan, labels, bank, labels)
