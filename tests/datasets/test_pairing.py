"""Batches: which images are paired, for any distribution of classes."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_latent.config.settings import AugmentSettings
from tui_latent.datasets.image_set import Dataset, ImageSet
from tui_latent.datasets.pairing import make_pairing
from tui_latent.datasets.sources import DataError

STILL = AugmentSettings()


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def image_set(targets: list[int], features: bool = False) -> ImageSet:
    """Images that carry their own row as their pixels' value."""
    rows = torch.arange(len(targets), dtype=torch.uint8)
    labels = torch.tensor(targets)
    names = tuple(f"[class {i}]" for i in range(max(targets) + 1))
    return ImageSet(
        rows[:, None, None, None].expand(-1, 1, 4, 4).contiguous(),
        labels,
        names,
        torch.stack([rows.float(), -rows.float()], 1) if features else None,
        labels,
        names,
    )


def dataset(images: ImageSet) -> Dataset:
    mean, std = torch.full((1, 1, 1), 0.1), torch.full((1, 1, 1), 0.5)
    return Dataset("toy", images, images, mean, std, "itself")


def rows_of(target: torch.Tensor) -> list[int]:
    rows: list[int] = (target[:, 0, 0, 0] * 255).round().long().tolist()
    return rows


classes = st.lists(st.integers(2, 12), min_size=2, max_size=5).flatmap(
    lambda counts: st.permutations([c for c, n in enumerate(counts) for _ in range(n)])
)


@settings(max_examples=40, deadline=None)
@given(classes, st.integers(0, 1000))
def test_pairs_are_what_they_say(targets: list[int], seed: int) -> None:
    images = image_set(targets)
    rows = torch.arange(len(targets)).repeat(4)
    batch = make_pairing("pairs", images, dataset(images), STILL).batch(rows, generator(seed))
    assert batch.groups == 2 and batch.same is not None
    found = rows_of(batch.target)
    assert found[: len(rows)] == rows.tolist()
    for row, partner, same in zip(rows.tolist(), found[len(rows) :], batch.same, strict=True):
        assert (targets[row] == targets[partner]) == bool(same)
        assert row != partner


@settings(max_examples=40, deadline=None)
@given(classes, st.integers(0, 1000))
def test_triplets_are_valid(targets: list[int], seed: int) -> None:
    images = image_set(targets)
    rows = torch.arange(len(targets)).repeat(4)
    batch = make_pairing("triplets", images, dataset(images), STILL).batch(rows, generator(seed))
    assert batch.groups == 3 and batch.same is None
    anchors, positives, negatives = torch.tensor(rows_of(batch.target)).chunk(3)
    labels = torch.tensor(targets)
    assert torch.equal(anchors, rows)
    assert bool((labels[positives] == labels[anchors]).all())
    assert bool((positives != anchors).all())
    assert bool((labels[negatives] != labels[anchors]).all())


def test_every_possible_partner_is_as_likely() -> None:
    images = image_set([0, 1, 0, 2, 1, 0, 2])
    pairing = make_pairing("triplets", images, dataset(images), STILL)
    batch = pairing.batch(torch.full((8000,), 2), generator())
    _, positives, negatives = torch.tensor(rows_of(batch.target)).chunk(3)
    alike, unlike = Counter(positives.tolist()), Counter(negatives.tolist())
    assert sorted(alike) == [0, 5] and sorted(unlike) == [1, 3, 4, 6]
    assert all(abs(count / 8000 - 0.5) < 0.03 for count in alike.values())
    assert all(abs(count / 8000 - 0.25) < 0.03 for count in unlike.values())


def test_half_of_the_pairs_are_of_one_class() -> None:
    images = image_set([0, 0, 1, 1, 2, 2, 3, 3])
    rows = torch.arange(8).repeat(500)
    batch = make_pairing("pairs", images, dataset(images), STILL).batch(rows, generator())
    assert batch.same is not None
    assert 0.47 < float(batch.same.float().mean()) < 0.53


def test_composite_targets_decide_not_labels() -> None:
    plain = image_set([0, 1, 2, 3])
    merged = ImageSet(
        plain.images, plain.labels, plain.class_names, None, torch.tensor([0, 0, 1, 1]), ("a", "b")
    )
    pairing = make_pairing("triplets", merged, dataset(merged), STILL)
    batch = pairing.batch(torch.tensor([0]).repeat(50), generator())
    _, positives, negatives = torch.tensor(rows_of(batch.target)).chunk(3)
    assert set(positives.tolist()) == {1} and set(negatives.tolist()) == {2, 3}


@pytest.mark.parametrize("kind", ["pairs", "triplets"])
def test_supervised_batches_say_the_targets(kind: str) -> None:
    images = image_set([0, 1, 0, 1])
    batch = make_pairing(kind, images, dataset(images), STILL).batch(torch.arange(4), generator())
    assert batch.labels is not None
    assert torch.equal(batch.labels, images.targets[torch.tensor(rows_of(batch.target))])
    for blind in ("alone", "views"):
        pairing = make_pairing(blind, images, dataset(images), STILL)
        assert pairing.batch(torch.arange(4), generator()).labels is None


def test_a_class_with_one_image_is_named() -> None:
    images = image_set([0, 0, 1])
    with pytest.raises(DataError, match=r"class '\[class 1\]' has one training image"):
        make_pairing("pairs", images, dataset(images), STILL)


def test_one_class_alone_cannot_be_paired() -> None:
    images = image_set([0, 0, 0])
    with pytest.raises(DataError, match="two classes"):
        make_pairing("triplets", images, dataset(images), STILL)


def test_views_are_two_draws_of_the_same_rows() -> None:
    images = image_set(list(range(6)))
    rows = torch.tensor([4, 1, 3])
    still = make_pairing("views", images, dataset(images), STILL).batch(rows, generator())
    assert still.groups == 2 and rows_of(still.target) == [4, 1, 3, 4, 1, 3]
    changed = make_pairing("views", images, dataset(images), AugmentSettings(noise=0.2))
    view_a, view_b = changed.batch(rows, generator()).x.chunk(2)
    assert not torch.allclose(view_a, view_b)


def test_batches_are_normalised_and_their_targets_are_not() -> None:
    images = image_set([0, 1, 2])
    batch = make_pairing("alone", images, dataset(images), STILL).batch(
        torch.tensor([2, 0]), generator()
    )
    assert batch.groups == 1
    torch.testing.assert_close(batch.target[0], torch.full((1, 4, 4), 2 / 255))
    torch.testing.assert_close(batch.x, (batch.target - 0.1) / 0.5)


def test_features_are_passed_as_they_are() -> None:
    images = image_set([0, 0, 1, 1], features=True)
    loud = AugmentSettings(noise=1.0, rotate=90)
    batch = make_pairing("views", images, dataset(images), loud).batch(
        torch.tensor([3, 1]), generator()
    )
    assert batch.x.tolist() == [[3, -3], [1, -1], [3, -3], [1, -1]]
    assert torch.equal(batch.target, batch.x)


def test_neighbours_come_from_the_table() -> None:
    images = image_set([0] * 5)
    table = torch.tensor([[1, 2], [2, 3], [3, 4], [4, 0], [0, 1]])
    pairing = make_pairing("neighbours", images, dataset(images), STILL, table)
    rows = torch.arange(5).repeat(100)
    batch = pairing.batch(rows, generator())
    drawn = Counter(zip(rows.tolist(), rows_of(batch.target)[500:], strict=True))
    assert sorted(drawn) == sorted((row, int(n)) for row in range(5) for n in table[row])


@pytest.mark.parametrize("table", [None, torch.zeros(4, 2, dtype=torch.int64)])
def test_neighbours_of_other_images_are_refused(table: torch.Tensor | None) -> None:
    images = image_set([0] * 5)
    with pytest.raises(DataError, match="there are 5 images"):
        make_pairing("neighbours", images, dataset(images), STILL, table)


@pytest.mark.parametrize("kind", ["alone", "views", "pairs", "triplets"])
def test_the_generator_decides_everything(kind: str) -> None:
    images = image_set([0, 1, 0, 1, 0, 1])
    augment = AugmentSettings(rotate=30, elastic=0.1, thickness=0.5)
    pairing = make_pairing(kind, images, dataset(images), augment)
    rows = torch.arange(6)
    first, again, other = (pairing.batch(rows, generator(seed)).x for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
