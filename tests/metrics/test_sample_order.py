"""A draw by content: the same for every order of the rows, and as good as random."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import Tensor

from tui_latent.metrics import sample_order as draws
from tui_latent.metrics.sample_order import drawn_order


def digits() -> tuple[Tensor, Tensor]:
    pixels, labels = load_digits(return_X_y=True)
    images = torch.from_numpy(pixels.astype(np.uint8)).reshape(-1, 1, 8, 8)
    return images, torch.from_numpy(labels).long()


@pytest.mark.parametrize("kind", ["uint8", "float32", "float64"])
def test_permuted_rows_are_drawn_in_the_same_order(kind: str) -> None:
    rows = digits()[0].to(getattr(torch, kind))
    shuffled = rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(1))]
    order, again = drawn_order(rows), drawn_order(shuffled)
    assert order.sort().values.equal(torch.arange(len(rows)))
    assert rows[order].equal(shuffled[again])


def test_images_class_by_class_are_mixed() -> None:
    """Each stretch of 100 has every class, as a fair draw of 100 from 10 classes has."""
    images, labels = digits()
    by_class = labels.argsort(stable=True)
    images, labels = images[by_class], labels[by_class]
    for stretch in labels[drawn_order(images)][:1700].chunk(17):
        counts = torch.bincount(stretch, minlength=10)
        assert counts.min() >= 1
        assert counts.max() <= 25


def test_plain_images_of_one_grey_each_are_mixed_too() -> None:
    greys = torch.arange(256, dtype=torch.uint8)[:, None, None, None].expand(256, 3, 4, 4)
    firsts = drawn_order(greys)[:64].double()
    assert firsts.mean() == pytest.approx(127.5, abs=30)


def test_equal_images_come_by_their_labels() -> None:
    images = torch.zeros(6, 1, 2, 2, dtype=torch.uint8)
    labels = torch.tensor([1, 0, 2, 0, 1, 2])
    assert labels[drawn_order(images, labels)].tolist() == [0, 0, 1, 1, 2, 2]


def test_zero_has_no_sign_and_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = torch.tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 0.0]])
    signed = torch.where(rows == 0, -rows, rows)
    assert drawn_order(signed).equal(drawn_order(rows))
    monkeypatch.setattr(draws, "_NUMBERS_AT_ONCE", 2)
    calls: list[None] = []
    assert drawn_order(rows, on_chunk=lambda: calls.append(None)).equal(drawn_order(signed))
    assert len(calls) == 3


def test_no_rows_have_no_order() -> None:
    assert drawn_order(torch.empty(0, 3)).tolist() == []
