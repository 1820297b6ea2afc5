"""What is measured of latents, against scikit-learn and plain loops."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file
from sklearn.neighbors import KNeighborsClassifier

from tui_latent.watching.measure import measure

Arrays = dict[str, NDArray[Any]]


@pytest.fixture
def given() -> Arrays:
    random = np.random.default_rng(0)
    labels, bank_labels = random.integers(0, 3, 60), random.integers(0, 3, 90)
    centres = random.normal(size=(3, 8)) * 2
    return {
        "queries": (centres[labels] + random.normal(size=(60, 8))).astype(np.float32),
        "labels": labels,
        "bank": (centres[bank_labels] + random.normal(size=(90, 8))).astype(np.float32),
        "bank_labels": bank_labels,
    }


def measured(tmp_path: Path, given: Arrays) -> tuple[dict[str, Any], Arrays]:
    return measure({"step": 7, "file": str(tmp_path / "latents" / "some.tmp")}, given)


def test_neighbours_vote_as_in_scikit_learn(tmp_path: Path, given: Arrays) -> None:
    table, arrays = measured(tmp_path, given)
    for k in (1, 5, 20):
        model = KNeighborsClassifier(k, algorithm="brute").fit(given["bank"], given["bank_labels"])
        score = model.score(given["queries"], given["labels"])
        assert table["metrics"][f"val/knn_{k}"] == pytest.approx(score)
    assert arrays["confusion"].sum() == 60
    assert not table["missing"]
    kept = load_file(tmp_path / "latents" / "some.tmp")
    assert np.array_equal(kept["bank_latents"], given["bank"])


def test_without_a_bank_each_is_left_out(tmp_path: Path, given: Arrays) -> None:
    del given["bank"], given["bank_labels"]
    table, _ = measured(tmp_path, given)
    z, y = given["queries"].astype(np.float64), given["labels"]
    right = 0
    for row in range(len(z)):
        others = np.delete(np.arange(len(z)), row)
        nearest = others[np.argsort(((z[others] - z[row]) ** 2).sum(1))[:5]]
        right += np.bincount(y[nearest]).argmax() == y[row]
    assert table["metrics"]["val/knn_5"] == pytest.approx(right / len(z))


def test_images_without_a_label_neither_vote_nor_count(tmp_path: Path, given: Arrays) -> None:
    given["labels"][::2] = -1
    given["bank_labels"][::3] = -1
    table, arrays = measured(tmp_path, given)
    known = given["bank_labels"] >= 0
    model = KNeighborsClassifier(5, algorithm="brute")
    model.fit(given["bank"][known], given["bank_labels"][known])
    asked = given["labels"] >= 0
    score = model.score(given["queries"][asked], given["labels"][asked])
    assert table["metrics"]["val/knn_5"] == pytest.approx(score)
    assert arrays["confusion"].sum() == asked.sum()


def test_without_labels_there_is_no_vote_and_no_reason(tmp_path: Path, given: Arrays) -> None:
    table, arrays = measured(tmp_path, {"queries": given["queries"], "bank": given["bank"]})
    assert not [name for name in table["metrics"] if "knn" in name]
    assert not table["missing"]
    assert "confusion" not in arrays
    assert table["metrics"]["latent/effective_rank"] > 1
    assert set(load_file(tmp_path / "latents" / "some.tmp")["query_labels"].tolist()) == {-1}


def test_why_there_is_no_vote(tmp_path: Path, given: Arrays) -> None:
    few = {**given, "bank": given["bank"][:6], "bank_labels": np.array([0, 1, 2, 0, 1, 2])}
    table, _ = measured(tmp_path, few)
    assert list(table["missing"]) == ["val/knn_20"]
    assert "val/knn_5" in table["metrics"]

    unknown = {**given, "bank_labels": np.full(90, -1)}
    table, _ = measured(tmp_path, unknown)
    assert set(table["missing"].values()) == {"no training image has a label"}

    given["bank"][3] = np.nan
    table, arrays = measured(tmp_path, given)
    assert "1 of 90 training images are not finite" in table["missing"]["val/knn_1"]
    assert "points" in arrays

    alone = {"queries": 0 * given["queries"], "labels": given["labels"]}
    table, _ = measured(tmp_path, alone)
    assert "all latents are equal" in table["missing"]["val/knn_5"]
    alone = {name: array[:4] for name, array in given.items() if not name.startswith("bank")}
    table, _ = measured(tmp_path, alone)
    assert "there are 3 other images to choose" in table["missing"]["val/knn_5"]

    one = {"queries": given["queries"][:1], "labels": given["labels"][:1]}
    table, arrays = measured(tmp_path, one)
    assert not table["metrics"]
    assert arrays["points"].shape == (1, 2)


def test_latents_that_are_not_finite_have_no_map(tmp_path: Path, given: Arrays) -> None:
    given["queries"][3:5] = np.inf
    table, arrays = measured(tmp_path, given)
    assert "2 of 60 held-out images are not finite" in table["problem"]
    assert not arrays
    assert not (tmp_path / "latents").exists()


@pytest.mark.parametrize("dimensions", [1, 2, 3, 8])
def test_a_map_is_turned_onto_the_one_before(
    tmp_path: Path, given: Arrays, dimensions: int
) -> None:
    queries = given["queries"][:, :dimensions]
    _, first = measured(tmp_path, {"queries": queries})
    mirrored = queries * np.array([-1, 1, 1, 1, 1, 1, 1, 1], np.float32)[:dimensions] + 3
    _, second = measured(tmp_path, {"queries": mirrored, "previous": first["points"]})
    assert np.allclose(first["points"], second["points"], atol=1e-4)
