"""Ids and labels from columns and files, and how they are joined."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tui_latent.opening.columns import Beside, as_ids, as_labels, beside, joined_labels
from tui_latent.opening.errors import OpenError
from tui_latent.opening.files import open_file
from tui_latent.opening.vectors import VectorFile

IDS = ["a", "b", "c", "d"]


@pytest.fixture
def file(tmp_path: Path) -> VectorFile:
    np.savez(tmp_path / "v.npz", z=np.eye(4, 3), id=np.array(IDS), kind=np.array([1, 0, 1, -1]))
    return open_file(str(tmp_path / "v.npz"))


def joined(file: VectorFile, path: Path, ids: list[str] | None = IDS) -> tuple[list[Any], str]:
    found = beside(file, str(path), "labels", ids)
    labels, told = joined_labels(found, file.rows, ids, file.title)
    names = [None if label < 0 else labels.names[label] for label in labels.labels.tolist()]
    return names, told


@pytest.mark.parametrize(
    ("values", "labels", "names"),
    [
        (["owl", "cat", None, "owl"], [1, 0, -1, 1], ("cat", "owl")),
        (["10", "9", "", "nan"], [1, 0, -1, -1], ("9", "10")),
        (["3.0", "-1.0", "7.0", "3"], [0, -1, 1, 0], ("3", "7")),
        (np.array([3, -1, 3, 7]), [0, -1, 0, 1], ("3", "7")),
        (np.array([1.0, np.nan, 2.0, 1.0]), [0, -1, 1, 0], ("1", "2")),
        (np.array([True, False, True, True]), [1, 0, 1, 1], ("False", "True")),
        (np.array([[1], [2], [1], [1]]), [0, 1, 0, 0], ("1", "2")),
        (np.array([b"x", b"y", b"x", b"x"]), [0, 1, 0, 0], ("x", "y")),
    ],
)
def test_labels_are_classes_in_natural_order(
    values: Any, labels: list[int], names: tuple[str, ...]
) -> None:
    found = as_labels(Beside("here", values))
    assert found.labels.tolist() == labels and found.names == names


def test_measurements_and_ids_are_no_labels() -> None:
    with pytest.raises(OpenError, match=r"0\.25 is not a class"):
        as_labels(Beside("here", np.array([0.25, 1.0])))
    with pytest.raises(OpenError, match=r"5,001 different labels.*are these ids"):
        as_labels(Beside("here", np.arange(5001)))
    with pytest.raises(OpenError, match=r"shape \(2, 3\): one value is needed"):
        as_labels(Beside("here", np.zeros((2, 3))))


def test_names_with_escapes_are_cleaned() -> None:
    assert as_labels(Beside("here", ["\x1b[31mred", "blue"])).names == ("\ufffd[31mred", "blue")


def test_ids_must_be_there_and_differ() -> None:
    assert as_ids(Beside("here", np.array([1, 2])), 2) == ["1", "2"]
    with pytest.raises(OpenError, match="rows 0 and 2 both have the id 'a'"):
        as_ids(Beside("here", ["a", "b", "a"]), 3)
    with pytest.raises(OpenError, match="row 1 has no id"):
        as_ids(Beside("here", ["a", None]), 2)
    with pytest.raises(OpenError, match="has 1 id, but there are 2 vectors"):
        as_ids(Beside("here", ["a"]), 2)


@pytest.mark.parametrize(
    ("text", "names", "told"),
    [
        ("id,label\nd,x\nb,y\na,x\n", ["x", "y", None, "x"], "by id; it has none for 1 row"),
        ("label,name,id\nx,,d\ny,,b\n", [None, "y", None, "x"], "by id; it has none for 2 rows"),
        ("d,x\nb,y\na,x\nc,\n", ["x", "y", None, "x"], "by id"),
        ("x\ny\n\nx\n", ["x", "y", None, "x"], "by row"),
        ("species\nx\ny\n\nx\n", ["x", "y", None, "x"], "by row"),
        ("0\n1\n1\n0\n", ["0", "1", "1", "0"], "by row"),
    ],
)
def test_a_file_of_labels_is_joined(
    tmp_path: Path, file: VectorFile, text: str, names: list[Any], told: str
) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(text)
    found, words = joined(file, path)
    assert found == names
    assert told in words


def test_numbers_of_rows_join_where_there_are_no_ids(tmp_path: Path, file: VectorFile) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("index,class\n3,x\n1,y\n")
    assert joined(file, path, None)[0] == [None, "y", None, "x"]


def test_labels_of_another_length_are_refused(tmp_path: Path, file: VectorFile) -> None:
    np.save(tmp_path / "labels.npy", np.arange(3))
    with pytest.raises(OpenError, match=r"has 3 labels, but v\.npz has 4 rows") as caught:
        joined(file, tmp_path / "labels.npy")
    assert "--ids" in str(caught.value)


def test_ids_of_other_things_are_refused(tmp_path: Path, file: VectorFile) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("id,label\nq,x\nr,y\n")
    with pytest.raises(OpenError, match=r"none of its ids.*'q', the vectors have 'a'"):
        joined(file, path)


def test_one_id_with_two_labels_is_refused(tmp_path: Path, file: VectorFile) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("id,label\na,x\na,y\n")
    with pytest.raises(OpenError, match="'a' appears twice, with different labels"):
        joined(file, path)


def test_what_is_neither_file_nor_column_is_named(tmp_path: Path, file: VectorFile) -> None:
    with pytest.raises(OpenError, match=r"no column of that name: it has id, kind"):
        beside(file, "species", "labels")
    (tmp_path / "labels.xlsx").write_text("")
    with pytest.raises(OpenError, match=r"only \.npy"):
        beside(file, str(tmp_path / "labels.xlsx"), "labels")
    np.save(tmp_path / "objects.npy", np.array([None, {}]), allow_pickle=True)
    with pytest.raises(OpenError, match="Python objects"):
        beside(file, str(tmp_path / "objects.npy"), "labels")


def test_objects_instead_of_labels_are_refused_with_a_remedy_for_labels(
    file: VectorFile, tmp_path: Path
) -> None:
    path = tmp_path / "names.npy"
    np.save(path, np.array(["a", "b", "a", "b"], object), allow_pickle=True)
    with pytest.raises(OpenError, match=r"numpy\.array\(values, dtype=str\)"):
        beside(file, str(path), "labels")


def test_a_first_row_that_counts_up_is_a_row_where_one_would_be_missing(
    tmp_path: Path, file: VectorFile
) -> None:
    (tmp_path / "labels.csv").write_text("0,1\n1,0\n2,1\n3,0\n")
    assert joined(file, tmp_path / "labels.csv", None)[0] == ["1", "0", "1", "0"]
    (tmp_path / "titled.csv").write_text("0,1\n0,x\n1,y\n2,x\n3,y\n")
    assert joined(file, tmp_path / "titled.csv", None)[0] == ["x", "y", "x", "y"]


def test_only_classes_of_the_vectors_count(tmp_path: Path, file: VectorFile) -> None:
    (tmp_path / "labels.csv").write_text("name,species\na,owl\nb,cat\nz,dog\nd,owl\n")
    found = beside(file, str(tmp_path / "labels.csv"), "labels", IDS)
    labels, _ = joined_labels(found, file.rows, IDS, file.title)
    assert labels.names == ("cat", "owl")
    assert labels.labels.tolist() == [1, 0, -1, 1]
