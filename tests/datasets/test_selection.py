"""Class subsets, caps, splits and composite labels."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_latent.datasets.selection import (
    capped,
    chosen_classes,
    keep_classes,
    merged_classes,
    stratified_split,
)
from tui_latent.sources.errors import DataError

NAMES = ("cat", "dog", "[red]", "truck")
labels_of_any_classes = st.lists(st.integers(0, 4), min_size=1, max_size=120).map(
    lambda labels: np.array(labels, dtype=np.int64)
)


def test_no_class_named_keeps_all_and_order_is_the_sources() -> None:
    assert chosen_classes(NAMES, ()) == [0, 1, 2, 3]
    assert chosen_classes(NAMES, ("truck", "dog")) == [1, 3]


def test_an_unknown_class_is_reported_with_the_nearest() -> None:
    with pytest.raises(DataError, match=r"no class 'trukc'; did you mean 'truck'\?"):
        chosen_classes(NAMES, ("cat", "trukc"))
    with pytest.raises(DataError, match=re.escape("there are cat, dog, [red], truck")):
        chosen_classes(NAMES, ("xyzzy",))


@settings(max_examples=30, deadline=None)
@given(labels_of_any_classes, st.sets(st.integers(0, 4), min_size=1))
def test_kept_rows_are_of_kept_classes(labels: np.ndarray, kept: set[int]) -> None:
    positions = sorted(kept)
    rows, new = keep_classes(labels, positions)
    assert rows.tolist() == [i for i, label in enumerate(labels) if label in kept]
    assert [positions[label] for label in new] == labels[rows].tolist()


@settings(max_examples=30, deadline=None)
@given(labels_of_any_classes, st.integers(1, 20), st.integers(0, 3))
def test_a_cap_keeps_that_many_of_each_class(labels: np.ndarray, per_class: int, seed: int) -> None:
    rows = capped(labels, per_class, seed)
    assert sorted(set(rows.tolist())) == rows.tolist()
    counts = np.bincount(labels[rows], minlength=5)
    assert counts.tolist() == np.minimum(np.bincount(labels, minlength=5), per_class).tolist()
    assert capped(labels, per_class, seed).tolist() == rows.tolist()


def test_another_seed_keeps_other_images() -> None:
    labels = np.zeros(1000, dtype=np.int64)
    assert capped(labels, 10, 0).tolist() != capped(labels, 10, 1).tolist()


@settings(max_examples=50, deadline=None)
@given(labels_of_any_classes, st.floats(0.01, 0.99))
def test_a_split_takes_its_share_of_every_class(labels: np.ndarray, fraction: float) -> None:
    train, held_out = stratified_split(labels, fraction)
    assert sorted([*train, *held_out]) == list(range(len(labels)))
    for label in np.unique(labels):
        total, out = int((labels == label).sum()), int((labels[held_out] == label).sum())
        assert total - out >= 1
        assert out >= min(2, total // 2)
        if total >= 4:
            assert total - out >= 2
            assert abs(out - fraction * total) <= 2


def test_unnamed_classes_keep_their_own_target() -> None:
    targets, names = merged_classes(NAMES, {"animal": ("cat", "dog")})
    assert targets.tolist() == [0, 0, 1, 2]
    assert names == ("animal", "[red]", "truck")
    targets, names = merged_classes(NAMES, {})
    assert targets.tolist() == [0, 1, 2, 3] and names == NAMES


def test_a_group_may_be_called_like_a_class_in_it() -> None:
    _, names = merged_classes(NAMES, {"cat": ("cat", "dog")})
    assert names == ("cat", "[red]", "truck")


@pytest.mark.parametrize(
    ("merge", "message"),
    [
        ({"a": ("cat",), "b": ("cat",)}, "class 'cat' is in 'a' and in 'b'"),
        ({"a": ("kat",)}, "'a': no class 'kat'; did you mean 'cat'?"),
        ({"a": ()}, "'a' has no class"),
        ({"dog": ("cat",)}, "'dog' is also a class outside"),
    ],
)
def test_composites_that_mean_nothing(merge: dict[str, tuple[str, ...]], message: str) -> None:
    with pytest.raises(DataError, match=re.escape(message)):
        merged_classes(NAMES, merge)


def test_classes_are_merged_however_their_accents_are_encoded() -> None:
    names = ("cafe\u0301", "the", "th\u00e9")  # the first as macOS stores it
    target_of, targets = merged_classes(names, {"drinks": ("caf\u00e9", "the\u0301")})
    assert target_of.tolist() == [0, 1, 0] and targets == ("drinks", "the")
