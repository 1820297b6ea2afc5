"""Neighbours and their votes against plain comparison and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor

from tui_latent.metrics.knn import (
    evaluate_knn,
    evaluate_knn_within,
    knn_predictions,
    why_no_vote,
)
from tui_latent.metrics.nearest_neighbours import nearest
from tui_latent.metrics.some_labelled import knn_of_labelled

DIMENSIONS = [1, 2, 3, 8, 9, 64]
"""both sides of the change from the tree to comparing all pairs"""


def drawn(rows: int, dimensions: int, seed: int) -> Tensor:
    return torch.randn(rows, dimensions, generator=torch.Generator().manual_seed(seed))


def all_distances(bank: Tensor, queries: Tensor) -> NDArray[np.float64]:
    b, q = bank.double().numpy(), queries.double().numpy()
    return np.stack([np.sqrt(((b - query) ** 2).sum(axis=1)) for query in q])


def assert_nearest(bank: Tensor, queries: Tensor, k: int) -> None:
    distances, rows = nearest(bank, queries, k)
    reference = all_distances(bank, queries)
    assert distances.dtype == torch.float32 and rows.dtype == torch.int64
    np.testing.assert_allclose(
        distances.numpy(), np.sort(reference, axis=1)[:, :k], rtol=1e-6, atol=0
    )
    np.testing.assert_allclose(
        np.take_along_axis(reference, rows.numpy(), axis=1), distances.numpy(), rtol=1e-6, atol=0
    )
    assert all(len(set(row)) == k for row in rows.tolist())


@pytest.mark.parametrize("dimensions", DIMENSIONS)
@pytest.mark.parametrize("k", [1, 20, 300])
def test_nearest_are_the_nearest_in_ascending_order(dimensions: int, k: int) -> None:
    assert_nearest(drawn(300, dimensions, 1), drawn(40, dimensions, 2), k)


@pytest.mark.parametrize("dimensions", DIMENSIONS)
def test_tight_clusters_far_away_keep_their_neighbours(dimensions: int) -> None:
    """float32's |b|² - 2 q·b sees no difference at all within these clusters."""
    centres = 1000 * drawn(5, dimensions, 3)
    bank = centres.repeat(60, 1) + 0.01 * drawn(300, dimensions, 4)
    queries = centres.repeat(8, 1) + 0.01 * drawn(40, dimensions, 5)
    assert_nearest(bank, queries, 10)


@pytest.mark.parametrize("scale", [1e-25, 1e25])
def test_tiny_and_huge_latents_are_told_apart(scale: float) -> None:
    assert_nearest(scale * drawn(100, 16, 1), scale * drawn(10, 16, 2), 5)


def test_reduced_precision_of_products_changes_no_neighbour() -> None:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        assert_nearest(drawn(300, 64, 1), drawn(40, 64, 2), 20)
    finally:
        torch.set_float32_matmul_precision(before)


@pytest.mark.parametrize("k", [4, 150])
def test_more_queries_and_latents_than_are_compared_at_once(
    monkeypatch: pytest.MonkeyPatch, k: int
) -> None:
    monkeypatch.setattr("tui_latent.metrics.nearest_neighbours._QUERIES_AT_ONCE", 11)
    monkeypatch.setattr("tui_latent.metrics.nearest_neighbours._DISTANCES_AT_ONCE", 1000)
    monkeypatch.setattr("tui_latent.metrics.nearest_neighbours._TREE_QUERIES", 7)
    assert_nearest(drawn(300, 2, 1), drawn(40, 2, 2), k)
    assert_nearest(drawn(300, 16, 1), drawn(40, 16, 2), k)


@pytest.mark.parametrize("dimensions", [2, 16])
def test_copies_of_one_point_are_all_at_distance_zero(dimensions: int) -> None:
    distances, rows = nearest(torch.ones(50, dimensions), torch.ones(3, dimensions), 5)
    assert distances.eq(0).all()
    assert all(len(set(row)) == 5 for row in rows.tolist())


@pytest.mark.parametrize("dimensions", [2, 16])
def test_more_neighbours_than_the_bank_holds_are_refused(dimensions: int) -> None:
    with pytest.raises(ValueError, match="k is 4, the bank has 3 latents"):
        nearest(drawn(3, dimensions, 1), drawn(2, dimensions, 2), 4)


@pytest.mark.parametrize("dimensions", [2, 16])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_latents_that_are_not_finite_are_named(dimensions: int, value: float) -> None:
    broken = drawn(10, dimensions, 1)
    broken[3, 1] = broken[7, 0] = value
    with pytest.raises(ValueError, match="2 of 10 bank latents are not finite"):
        nearest(broken, drawn(2, dimensions, 2), 1)
    with pytest.raises(ValueError, match="2 of 10 query latents are not finite"):
        nearest(drawn(5, dimensions, 2), broken, 1)


@pytest.mark.parametrize("dimensions", [2, 32])
def test_accuracies_and_confusion_equal_scikit_learns(dimensions: int) -> None:
    bank_labels = torch.arange(400) % 7
    query_labels = torch.arange(150) % 7
    centres = 1.5 * drawn(7, dimensions, 1)
    bank = centres[bank_labels] + drawn(400, dimensions, 2)
    queries = centres[query_labels] + drawn(150, dimensions, 3)
    result = evaluate_knn(bank, bank_labels, queries, query_labels, classes=8)
    for k in (1, 5, 20):
        reference = KNeighborsClassifier(k, algorithm="brute").fit(
            bank.numpy(), bank_labels.numpy()
        )
        assert result.accuracies[k] == pytest.approx(
            reference.score(queries.numpy(), query_labels.numpy()), abs=1e-12
        )
    predicted = reference.predict(queries.numpy())
    assert result.predictions.tolist() == predicted.tolist()
    expected = confusion_matrix(query_labels.numpy(), predicted, labels=np.arange(8))
    assert result.confusion.tolist() == expected.tolist()


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(st.lists(st.lists(st.integers(0, 3), min_size=6, max_size=6), min_size=1, max_size=9))
def test_ties_go_to_the_smallest_label_as_in_scikit_learn(rows: list[list[int]]) -> None:
    labels = torch.tensor(rows)
    predictions = knn_predictions(labels, (1, 2, 6), classes=4)
    for row, neighbours in enumerate(rows):
        bank = np.arange(1.0, 7.0)[:, None]  # the first neighbour at 1, the next at 2, …
        for k in (1, 2, 6):
            reference = KNeighborsClassifier(k).fit(bank, neighbours)
            assert int(predictions[k][row]) == int(reference.predict([[0.0]])[0])


def test_a_bank_smaller_than_k_votes_as_a_whole() -> None:
    bank = torch.tensor([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]])
    labels = torch.tensor([0, 1, 1])
    result = evaluate_knn(bank, labels, bank, labels, classes=2)
    assert result.accuracies == {1: 1.0, 5: pytest.approx(2 / 3), 20: pytest.approx(2 / 3)}
    assert result.predictions.tolist() == [1, 1, 1]


@pytest.mark.slow
@pytest.mark.parametrize("voters", [0, 1, 3, 5, 6, 20, 21])
@pytest.mark.parametrize("within", [False, True])
def test_a_vote_of_the_whole_bank_does_not_count(voters: int, within: bool) -> None:
    """It is the same for every query, whatever the space: what cannot change measures nothing."""
    bank = drawn(voters + within, 3, 1)
    labels = torch.arange(len(bank)) % 2
    missing = why_no_vote(bank, labels, 40, within=within)
    constant = set()
    for k in (1, 5, 20):
        answers = set()
        for seed in range(20 if voters and len(set(labels.tolist())) > 1 else 0):
            asked = drawn(1, 3, seed + 50)
            _, rows = nearest(bank[:voters], asked, min(k, voters))
            answers.add(tuple(sorted(rows[0].tolist())))
        if len(answers) < 2:
            constant.add(k)
    assert set(missing) == constant
    assert all(str(voters or "no") in reason or voters == 1 for reason in missing.values())


@pytest.mark.parametrize(
    ("bank", "labels", "queries", "why"),
    [
        (drawn(40, 2, 1), [0] * 40, 9, "all training images are of one class"),
        (torch.ones(40, 2), [0, 1] * 20, 9, "all training latents are equal"),
        (drawn(40, 2, 1), [0, 1] * 20, 1, "one held-out image is too few"),
        (drawn(40, 2, 1), [0, 1] * 20, 0, "there are no held-out images"),
        (torch.empty(0, 2), [], 9, "there are no training images to choose"),
        (torch.ones(1, 2), [0], 9, "there is 1 training image to choose"),
    ],
)
def test_what_neighbours_cannot_say_has_a_reason(
    bank: Tensor, labels: list[int], queries: int, why: str
) -> None:
    missing = why_no_vote(bank, torch.tensor(labels).long(), queries)
    assert set(missing) == {1, 5, 20}
    assert all(why in reason for reason in missing.values())
    assert why_no_vote(drawn(40, 2, 1), torch.arange(40) % 2, 2) == {}


@pytest.mark.parametrize("labels", [[0] * 9, [0, 1, *[-1] * 7]])
def test_no_training_image_is_spoken_of_where_there_is_none(labels: list[int]) -> None:
    found = knn_of_labelled(drawn(9, 2, 1), torch.tensor(labels), None, None, 2)
    assert found.missing and not any("training" in why for why in found.missing.values())


def test_between_runs_while_the_neighbours_are_sought(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause or a stop need not wait for the end of an evaluation."""
    monkeypatch.setattr("tui_latent.metrics.nearest_neighbours._TREE_QUERIES", 10)
    labels = torch.zeros(40, dtype=torch.int64)
    looks: list[int] = []

    def stop_at_the_second_look() -> None:
        looks.append(1)
        if len(looks) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate_knn(
            drawn(40, 2, 1), labels, drawn(40, 2, 2), labels, 1, on_chunk=stop_at_the_second_look
        )


def test_inside_autocast_the_distances_stay_exact() -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert_nearest(drawn(300, 64, 1), drawn(40, 64, 2), 20)


@pytest.mark.parametrize("dimensions", [2, 32])
def test_within_the_bank_nobody_votes_for_itself(dimensions: int) -> None:
    bank, labels = drawn(150, dimensions, 6), torch.arange(150) % 3
    found = evaluate_knn_within(bank, labels, classes=3, ks=(1, 5, 20))
    distances = all_distances(bank, bank)
    np.fill_diagonal(distances, np.inf)
    order = distances.argsort(axis=1)
    for k in (1, 5, 20):
        votes = [np.bincount(labels.numpy()[row[:k]], minlength=3).argmax() for row in order]
        assert found.accuracies[k] == pytest.approx(np.mean(votes == labels.numpy()))
    expected = confusion_matrix(labels.numpy(), votes, labels=range(3))
    assert np.array_equal(found.confusion.numpy(), expected)


def test_within_a_bank_of_equal_latents_the_others_vote() -> None:
    labels = torch.tensor([0] * 3 + [1] * 40)
    found = evaluate_knn_within(torch.full((43, 2), 0.5), labels, classes=2, ks=(50,))
    assert found.accuracies[50] == pytest.approx(40 / 43)


def test_within_a_bank_of_one_there_is_nobody_to_vote() -> None:
    with pytest.raises(ValueError, match="needs at least two"):
        evaluate_knn_within(torch.zeros(1, 2), torch.zeros(1).long(), classes=1)
