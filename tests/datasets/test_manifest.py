"""Tables of images: text files, Parquet, saved datasets and tar shards, and their faults."""

from __future__ import annotations

import csv
import io
import json
import shutil
import tarfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tui_latent.config.settings import DataSettings
from tui_latent.datasets.describe import describe_source
from tui_latent.datasets.identity import DataIdentity
from tui_latent.datasets.image_set import Dataset
from tui_latent.datasets.manifest.find import read_table
from tui_latent.datasets.sources import load_dataset
from tui_latent.sources.errors import DataError

Row = dict[str, Any]


def picture(number: int) -> Image.Image:
    """An image of one colour that no other number has."""
    return Image.new("RGB", (8, 8), (10 + number, 200 - number, 7 * number % 256))


def png(number: int) -> bytes:
    file = io.BytesIO()
    picture(number).save(file, "PNG")
    return file.getvalue()


def numbers(images: Iterable[Any]) -> list[int]:
    """Which numbers images have, by their colours."""
    return [int(image[0, 0, 0]) - 10 for image in images]


def save_images(folder: Path, count: int, ending: str = ".png") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        picture(number).save(folder / f"{number}{ending}")


def settings(path: Path | str, **changes: object) -> DataSettings:
    table = {"source": "manifest", "path": str(path), "size": 8}
    return DataSettings.model_validate(table | changes)


def load(path: Path | str, log: list[str] | None = None, **changes: object) -> Dataset:
    return load_dataset(settings(path, **changes), 0, (log if log is not None else []).append)


def write(path: Path, rows: Sequence[Sequence[object]], between: str = ",") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=between).writerows(rows)
    return path


def rows(count: int = 12, test: int = 4) -> list[list[object]]:
    """A header and rows: two classes in turn, the last ones held out, and two more columns."""
    table: list[list[object]] = [["path", "label", "split", "age", "site"]]
    for n in range(count):
        split = "test" if n >= count - test else "train"
        age = "" if n % 5 == 2 else 20.5 + n
        table.append([f"imgs/{n}.png", ("cat", "dog")[n % 2], split, age, f"site {n % 3}"])
    return table


@pytest.fixture
def root(tmp_path: Path, data_folder: Path) -> Path:
    save_images(tmp_path / "set" / "imgs", 12)
    return tmp_path / "set"


def test_a_csv_has_images_classes_splits_and_columns(root: Path) -> None:
    log: list[str] = []
    dataset = load(write(root / "m.csv", rows()), log)
    assert numbers(dataset.train.images) == list(range(8))
    assert numbers(dataset.val.images) == [8, 9, 10, 11]
    assert dataset.train.class_names == ("cat", "dog")
    assert dataset.val.labels.tolist() == [0, 1, 0, 1]
    age, site = dataset.val.columns
    assert (age.name, site.name) == ("age", "site")
    assert age.numbers is not None
    np.testing.assert_array_equal(age.numbers, [28.5, 29.5, 30.5, 31.5])
    assert [site.text(row) for row in range(4)] == ["site 2", "site 0", "site 1", "site 2"]
    train_age = dataset.train.columns[0]
    assert train_age.missing.tolist() == [n % 5 == 2 for n in range(8)]
    assert "held out: 4 images, images of test in the table" in log[-1]
    assert "images by column path, classes by column label, also kept: age, site" in log[-1]


@pytest.mark.slow
@pytest.mark.parametrize(
    "between", [",", ";", "\t", "|"], ids=["comma", "semicolon", "tab", "pipe"]
)
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
def test_separators_and_byte_order_marks(root: Path, between: str, start: bytes) -> None:
    path = write(root / "m.csv", rows(), between)
    path.write_bytes(start + path.read_bytes())
    dataset = load(path)
    assert (len(dataset.train), len(dataset.val)) == (8, 4)
    assert dataset.train.class_names == ("cat", "dog")


def test_the_text_that_excel_writes_and_decimal_commas(root: Path) -> None:
    table = [[str(cell).replace(".5", ",5") for cell in row] for row in rows()]
    text = "\r\n".join("\t".join(row) for row in table)
    path = root / "m.txt"
    path.write_bytes(text.encode("utf-16"))
    age = load(path).val.columns[0]
    assert age.numbers is not None and age.numbers.tolist() == [28.5, 29.5, 30.5, 31.5]


def test_a_file_without_a_header(root: Path) -> None:
    path = write(root / "m.csv", [[f"imgs/{n}.png", n % 3] for n in range(12)])
    dataset = load(path)
    assert len(dataset.train) + len(dataset.val) == 12
    assert dataset.train.class_names == ("0", "1", "2")


@pytest.mark.parametrize(
    "title", ["path", "file_name", "Filename", "image", "image path", "img_path", "Anything"]
)
def test_the_column_of_images_is_found_by_its_title_or_its_cells(root: Path, title: str) -> None:
    path = write(root / "m.csv", [["x", title], *([n, f"imgs/{n}.png"] for n in range(12))])
    assert sorted(numbers([*load(path).train.images, *load(path).val.images])) == list(range(12))


def test_columns_of_other_names_are_chosen(root: Path) -> None:
    table = [["left", "right", "grade"]]
    table += [[f"imgs/{n}.png", f"imgs/{11 - n}.png", "ab"[n % 2]] for n in range(12)]
    path = write(root / "m.csv", table)
    with pytest.raises(DataError, match=r"several columns contain image paths \(left, right\)"):
        load(path)
    dataset = load(path, image_column="right", label_column="grade", val_fraction=0.25)
    assert dataset.train.class_names == ("a", "b")
    assert [column.name for column in dataset.train.columns] == ["left"]
    with pytest.raises(DataError, match=r"no column 'grad'; did you mean 'grade'"):
        load(path, image_column="right", label_column="grad")


def test_classes_are_numbers_in_their_order_and_may_be_missing(root: Path) -> None:
    cells = ["10.0", "2.0", "1.0", "", "nan", "-1", "10", "2", "1", "10", "2", "1"]
    table: list[list[object]] = [[f"imgs/{n}.png", cell] for n, cell in enumerate(cells)]
    path = write(root / "m.csv", [["path", "label"], *table])
    dataset = load(path)
    assert dataset.train.class_names == ("1", "2", "10")
    by_number = dict(zip(numbers(dataset.train.images), dataset.train.labels.tolist(), strict=True))
    by_number |= dict(zip(numbers(dataset.val.images), dataset.val.labels.tolist(), strict=True))
    assert [by_number[n] for n in range(12)] == [2, 1, 0, -1, -1, -1, 2, 1, 0, 2, 1, 0]


def test_minus_one_and_one_alone_are_two_classes_and_look_alikes_are_reported(root: Path) -> None:
    path = write(root / "m.csv", [["path", "y"], *([f"imgs/{n}.png", n % 2 * 2 - 1]
                                                  for n in range(12))])  # fmt: skip
    assert load(path).train.class_names == ("-1", "1")
    log: list[str] = []
    cells = ["Cat", "cat ", "dog"]
    write(path, [["path", "y"], *([f"imgs/{n}.png", cells[n % 3]] for n in range(12))])
    assert load(path, log).train.class_names == ("Cat", "cat", "dog")
    assert "classes whose names look alike: Cat and cat" in log[-1]


def test_labels_may_be_left_to_the_columns(root: Path) -> None:
    table: list[list[object]] = [["path", "label"]]
    table += [[f"imgs/{n}.png", n / 8] for n in range(12)]
    path = write(root / "m.csv", table)
    with pytest.raises(DataError, match=r"line 3: 0\.125 in column label is not a class"):
        load(path)
    dataset = load(path, labels="none")
    assert dataset.train.class_names == () and dataset.train.columns[0].name == "label"


@pytest.mark.parametrize(
    ("train", "held", "role"),
    [("Training", "TEST", "test"), ("train", "valid", "val"), ("TRAIN", "dev", "val"),
     ("Training", "PublicTest", "test")],
    ids=["Training and TEST", "valid", "dev", "words within"],
)  # fmt: skip
def test_splits_have_many_names(root: Path, train: str, held: str, role: str) -> None:
    names = {"train": train, "test": held}
    table = [[*row[:2], names.get(str(row[2]), row[2]), *row[3:]] for row in rows()]
    dataset = load(write(root / "m.csv", table))
    assert (len(dataset.train), len(dataset.val)) == (8, 4)
    assert dataset.held_out == f"images of {role} in the table"


def test_validation_is_held_out_before_test(root: Path) -> None:
    table = rows()
    for row in table[-2:]:
        row[2] = "val"
    log: list[str] = []
    dataset = load(write(root / "m.csv", table), log)
    assert numbers(dataset.val.images) == [10, 11]
    assert "not used: 2 images of test" in log[-1]
    of_training = load(root / "m.csv", val_fraction=0.25)
    assert sorted(numbers([*of_training.train.images, *of_training.val.images])) == list(range(8))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda t: t[3].__setitem__(2, "spare"), r"line 4, column split: 'spare' is not a split"),
        (lambda t: t[3].__setitem__(2, ""), r"line 4, column split: there is no split"),
        (lambda t: t[3].__setitem__(0, ""), r"line 4 names no image in column path"),
        (lambda t: t[3].__setitem__(0, "gone.png"), r"1 of 12 images is missing: gone.png \(line"),
        (lambda t: t[3].__setitem__(0, "https://x.org/a.png"), r"line 4: .* not on this machine"),
        (lambda t: t[3].append("more"), r"line 4 has 6 cells, the first line 5"),
        (lambda t: [row.__setitem__(2, "test") for row in t[1:]], "images of test, but none of tr"),
        (lambda t: t[12].__setitem__(1, "owl"), r"class 'owl' has test images and no training"),
        (lambda t: t.__delitem__(slice(1, None)), "a header, but no rows"),
        (lambda t: t.clear(), "it is empty"),
    ],
    ids=["odd split", "no split", "no path", "missing file", "address", "cells", "no train",
         "held-out class", "no rows", "empty"],
)  # fmt: skip
def test_what_is_wrong_is_reported_with_its_line(
    root: Path, change: Callable[[list[list[object]]], object], problem: str
) -> None:
    table = rows()
    change(table)
    path = write(root / "m.csv", table)
    with pytest.raises(DataError, match=problem):
        load(path)
    assert describe_source(settings(path)).problem or problem.startswith("1 of")


def test_the_remedies_for_missing_files_work(root: Path, tmp_path: Path) -> None:
    table = rows()
    table[3][0] = "gone.png"
    path = write(root / "m.csv", table)
    log: list[str] = []
    dataset = load(path, log, skip_corrupt=True)
    assert numbers(dataset.train.images) == [0, 1, 3, 4, 5, 6, 7]
    assert [column.text(1) for column in dataset.train.columns] == ["21.5", "site 1"]
    assert "skipped" in log[-1] and "gone.png (line 4)" in log[-1]
    moved = tmp_path / "elsewhere"
    shutil.move(root / "imgs", moved / "imgs")
    with pytest.raises(DataError, match=r"relative to .*set: data\.root names another folder"):
        load(path, skip_corrupt=True)
    write(path, rows())
    assert len(load(path, root=str(moved)).train) == 8


def test_a_corrupt_image_is_named_and_can_be_skipped(root: Path) -> None:
    (root / "imgs" / "3.png").write_bytes(b"no image")
    path = write(root / "m.csv", rows())
    with pytest.raises(DataError, match=r"1 of 8 images cannot be read: .*imgs/3\.png"):
        load(path)
    dataset = load(path, skip_corrupt=True)
    assert numbers(dataset.train.images) == [0, 1, 2, 4, 5, 6, 7]
    assert dataset.train.columns[1].text(3) == "site 1"


@pytest.mark.parametrize(
    "name",
    [lambda n, root: f"imgs\\{n}.png", lambda n, root: f".\\imgs\\{n}.png",
     lambda n, root: f"imgs/{n}", lambda n, root: str(root / "imgs" / f"{n}.png"),
     lambda n, root: f"file://{root}/imgs/{n}.png", lambda n, root: f" ./imgs/../imgs/{n}.png "],
    ids=["Windows", "Windows with a dot", "no ending", "absolute", "file address", "dots"],
)  # fmt: skip
def test_paths_of_other_kinds(root: Path, name: Callable[[int, Path], str]) -> None:
    table = [["path"], *([name(n, root)] for n in range(12))]
    dataset = load(write(root / "m.csv", table))
    assert sorted(numbers([*dataset.train.images, *dataset.val.images])) == list(range(12))


@pytest.mark.parametrize("written", ["IMGS/é{}.PNG", "imgs/e\u0301{}.png"], ids=["case", "accent"])
def test_names_are_found_as_other_systems_write_them(root: Path, written: str) -> None:
    for n in range(12):
        (root / "imgs" / f"{n}.png").rename(root / "imgs" / f"é{n}.png")
    path = write(root / "m.csv", [["path"], *([written.format(n)] for n in range(12))])
    log: list[str] = []
    dataset = load(path, log)
    assert sorted(numbers([*dataset.train.images, *dataset.val.images])) == list(range(12))
    assert "12 names matched, although case or accents differ" in log[-1]
    for n in range(12):
        picture(50).save(root / "imgs" / f"É{n}.png")
    write(path, [["path"], *([f"imgs/É{n}.PNG"] for n in range(12))])
    with pytest.raises(DataError, match="12 of 12 images are missing"):  # either may be meant
        load(path)


@pytest.mark.parametrize(
    "text",
    ["sep=;\npath;label\n{};\"cat\"", "# made by hand\n\npath,label\n{}, \"cat\"",
     "path label\n{} cat", "{}  cat"],
    ids=["separator named", "remark", "spaces", "spaces without titles"],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le"])
def test_text_tables_as_programs_write_them(root: Path, text: str, encoding: str) -> None:
    head, _, line = text.rpartition("\n")
    lines = [*head.split("\n")] * bool(head) + [line.format(f"imgs/{n}.png") for n in range(12)]
    path = root / "m.txt"
    path.write_bytes("\n".join(lines).encode(encoding))
    dataset = load(path)
    assert sorted(numbers([*dataset.train.images, *dataset.val.images])) == list(range(12))
    assert dataset.train.class_names == ("cat",)


def test_columns_without_titles_and_lines_that_are_no_json_are_named(root: Path) -> None:
    table = [[n, ("cat", "dog")[n % 2], f"imgs/{n}.png"] for n in range(12)]
    log: list[str] = []
    path = write(root / "m.lst", table, "\t")
    assert load(path, log).train.class_names == ()
    assert "no line of titles" in log[-1] and "data.label_column" in log[-1]
    assert load(path, label_column="column 2").train.class_names == ("cat", "dog")
    lines = [json.dumps({"path": f"imgs/{n}.png"}) for n in range(3)]
    (root / "m.jsonl").write_text("\n\n".join([*lines, "{path"]), encoding="utf-8")
    with pytest.raises(DataError, match=r"m\.jsonl: line 7 is not JSON: Expecting property name"):
        load(root / "m.jsonl")


def test_quotes_that_are_not_closed_are_reported_with_their_line(root: Path) -> None:
    path = write(root / "m.csv", rows())
    path.write_text(path.read_text().replace("2.png,", '2.png,"'))
    with pytest.raises(DataError, match=r"line 13 cannot be divided into cells: .* double quotes"):
        load(path)


@pytest.mark.parametrize(
    ("title", "cells"),
    [("is_valid", (False, True)), ("Is train", (1, 0)), ("held_out", ("no", "yes")),
     ("phase", ("train", "test")), ("anything", ("Training", "VAL"))],
    ids=["is_valid", "is train", "held_out", "phase", "any title"],
)  # fmt: skip
def test_splits_are_found_by_their_cells(
    root: Path, title: str, cells: tuple[object, object]
) -> None:
    table = [[*row[:2], cells[row[2] == "test"]] for row in rows()]
    table[0][2] = title
    dataset = load(write(root / "m.csv", table))
    assert numbers(dataset.val.images) == [8, 9, 10, 11]
    assert dataset.train.columns == ()


@pytest.mark.parametrize(
    ("title", "train", "held", "why"),
    [
        ("split", "trian", "tset", "it has 'trian', 'tset' where train, val or test is needed"),
        ("fold", 1, 2, "it has '1', '2' where"),
        ("phase", "train", "validatoin", "it has 'validatoin' where"),
        ("phase", "train", "tset", "it has 'tset' where"),
        ("is_valid", "true", "true", "it needs true in some rows, false in all others"),
        ("is_train", "true", "perhaps", "it needs true in some rows"),
    ],
    ids=["misspelt", "folds", "one misspelt", "nearly", "always", "neither"],
)  # fmt: skip
def test_a_column_that_was_meant_to_choose_splits_is_named(
    root: Path, title: str, train: object, held: object, why: str
) -> None:
    table = [[*row[:2], held if row[2] == "test" else train] for row in rows()]
    table[0][2] = title
    log: list[str] = []
    dataset = load(write(root / "m.csv", table), log)
    assert f"column {title} does not choose splits: {why}" in log[-1]
    assert [column.name for column in dataset.train.columns] == [title]
    assert why in describe_source(settings(root / "m.csv")).note


def test_three_splits_of_which_one_is_misspelt(root: Path) -> None:
    table = [[*row[:2], row[2]] for row in rows()]
    table[0][2] = "phase"
    table[1][2], table[2][2] = "val", "holdout set of site B"
    log: list[str] = []
    load(write(root / "m.csv", table), log)
    assert "column phase does not choose splits: it has 'holdout set of site B'" in log[-1]


def test_a_column_that_names_splits_counts_before_one_that_is_only_called_so(root: Path) -> None:
    table = [
        [*row[:2], n % 3, "1.0" if row[2] == "test" else "0.0"] for n, row in enumerate(rows())
    ]
    table[0][2:] = ["fold", "is_test"]
    dataset = load(write(root / "m.csv", table))
    assert numbers(dataset.val.images) == [8, 9, 10, 11]
    assert [column.name for column in dataset.train.columns] == ["fold"]


def test_two_columns_of_splits_are_named(root: Path) -> None:
    table = [[*row[:2], row[2], row[2]] for row in rows()]
    table[0][2:] = ["first round", "second round"]
    log: list[str] = []
    dataset = load(write(root / "m.csv", table), log)
    assert "first round and second round look like splits, so neither is used" in log[-1]
    assert len(dataset.train.columns) == 2


def test_columns_that_only_resemble_splits_are_kept(root: Path) -> None:
    table: list[list[object]] = [["path", "train", "kind"]]
    table += [[f"imgs/{n}.png", n % 2, ("train", "bus")[n % 2]] for n in range(12)]
    log: list[str] = []
    dataset = load(write(root / "m.csv", table), log)
    assert [c.name for c in dataset.train.columns] == ["train", "kind"]
    assert "choose splits" not in log[-1]


def test_an_image_of_several_rows_is_reported(root: Path) -> None:
    table = rows()
    table += [["imgs/0.png", "cat", "train", "", ""], ["./imgs/1.png", "cat", "train", "", ""]]
    log: list[str] = []
    load(write(root / "m.csv", table), log)
    assert "2 images in several rows, such as imgs/0.png; 1 of these with several" in log[-1]


def test_classes_with_decimal_commas_are_numbers(root: Path) -> None:
    table = [["path", "label"], *([f"imgs/{n}.png", f"{n % 2},0"] for n in range(12))]
    assert load(write(root / "m.csv", table, ";")).train.class_names == ("0", "1")


def test_a_root_that_is_not_there_is_named(root: Path) -> None:
    with pytest.raises(DataError, match=r"data\.root: no folder .*elsewhere"):
        load(write(root / "m.csv", rows()), root=str(root / "elsewhere"))


def test_a_folder_of_tables_named_like_splits_is_one(root: Path) -> None:
    table = rows()
    write(root / "train.csv", [["path", "label"], *(row[:2] for row in table[1:9])])
    write(root / "test.csv", [["path"], *(row[:1] for row in table[9:])])
    dataset = load(root)
    assert (len(dataset.train), len(dataset.val)) == (8, 4)
    assert dataset.val.labels.tolist() == [-1] * 4
    write(root / "other.csv", table)
    assert len(load(root).train) == 8
    (root / "test.csv").unlink()
    (root / "train.csv").unlink()
    assert len(load(root).train) == 8


def test_the_metadata_of_an_image_folder(root: Path) -> None:
    lines = [{"file_name": f"imgs/{n}.png", "label": n % 2, "box": [1, 2]} for n in range(12)]
    (root / "metadata.jsonl").write_text("\n".join(map(json.dumps, lines)))
    log: list[str] = []
    dataset = load(root, log)
    assert dataset.train.class_names == ("0", "1") and dataset.train.columns == ()
    assert "not kept, because they hold lists or tables: box" in log[-1]


def test_classes_are_chosen_and_counted_in_the_description(root: Path) -> None:
    path = write(root / "m.csv", rows())
    facts = describe_source(settings(path))
    assert (facts.train, facts.held_out, facts.class_names) == (8, 4, ("cat", "dog"))
    assert "also kept: age, site" in facts.note and not facts.problem
    dataset = load(path, classes=["dog"])
    assert numbers(dataset.train.images) == [1, 3, 5, 7]
    assert dataset.train.columns[1].text(1) == "site 0"
    assert "no class 'dgo'" in describe_source(settings(path, classes=["dgo"])).problem
    without = write(root / "n.csv", [["path"], *(row[:1] for row in rows()[1:])])
    assert describe_source(settings(without)).unlabelled == "the table has no column of classes"


def test_the_same_image_in_both_splits_is_reported(root: Path) -> None:
    table = rows()
    table[12][0] = "imgs/0.png"
    log: list[str] = []
    load(write(root / "m.csv", table), log)
    assert "1 image is in both splits, such as imgs/0.png" in log[-1]


def identity(path: Path | str, **changes: object) -> DataIdentity:
    found: list[DataIdentity] = []
    load_dataset(settings(path, **changes), 0, found=found.append)
    return found[0]


def test_the_identity_is_that_of_the_images_and_their_classes(root: Path, tmp_path: Path) -> None:
    path = write(root / "m.csv", rows())
    before = identity(path)
    shutil.copytree(root, tmp_path / "copy")
    assert identity(tmp_path / "copy" / "m.csv").same_as(before)
    write(path, [row[:3] for row in rows()])
    assert identity(path).same_as(before)  # columns that are only kept are not trained on
    picture(99).save(root / "imgs" / "0.png")
    assert not identity(path).same_as(before)
    picture(0).save(root / "imgs" / "0.png")
    table = rows()
    table[1][1] = "dog"
    write(path, table)
    assert not identity(path).same_as(before)


# Images within tables and archives

FEATURES = {
    "image": {"_type": "Image"},
    "label": {"names": ["dog", "cat", "unused"], "_type": "ClassLabel"},
}


def arrow_table(ids: Sequence[int], broken: int = -1) -> Any:
    pa = pytest.importorskip("pyarrow", reason="Parquet files need pyarrow")
    table = pa.table(
        {
            "image": [
                {"bytes": b"no image" if n == broken else png(n), "path": f"{n}.png"} for n in ids
            ],
            "label": [n % 2 for n in ids],
            "age": pa.array([None if n % 5 == 2 else 1.5 * n for n in ids], pa.float64()),
        }
    )
    words = {b"huggingface": json.dumps({"info": {"features": FEATURES}}).encode()}
    return table.replace_schema_metadata(words)


def write_parquet(path: Path, ids: Sequence[int], broken: int = -1) -> None:
    pq = pytest.importorskip("pyarrow.parquet", reason="Parquet files need pyarrow")
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(arrow_table(ids, broken), path, row_group_size=3)


LAYOUTS = {
    "hub": ("data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet",
            "data/test-00000-of-00001.parquet"),
    "converted": ("default/train/0000.parquet", "default/train/0001.parquet",
                  "default/validation/0000.parquet"),
    "plain": ("train_1.parquet", "train_2.parquet", "valid.parquet"),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_parquet_shards_of_hugging_face(tmp_path: Path, data_folder: Path, layout: str) -> None:
    root = tmp_path / "set"
    for name, ids in zip(LAYOUTS[layout], ([0, 1, 2, 3], range(4, 8), range(8, 12)), strict=True):
        write_parquet(root / name, list(ids))
    dataset = load(root)
    assert numbers(dataset.train.images) == list(range(8))
    assert numbers(dataset.val.images) == list(range(8, 12))
    assert dataset.train.class_names == ("dog", "cat")
    assert dataset.train.labels.tolist() == [0, 1] * 4
    age = dataset.train.columns[0]
    assert age.missing.tolist() == [n % 5 == 2 for n in range(8)] and age.text(4) == "6"
    assert describe_source(settings(root)).train == 8


def test_a_dataset_saved_to_disk(tmp_path: Path, data_folder: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="Arrow files need pyarrow")
    root = tmp_path / "saved"
    for split, ids in (("train", range(8)), ("test", range(8, 12))):
        folder = root / split
        folder.mkdir(parents=True)
        table = arrow_table(list(ids))
        with (
            pa.OSFile(str(folder / "data-00000-of-00001.arrow"), "wb") as file,
            pa.ipc.new_stream(file, table.schema) as writer,
        ):
            writer.write_table(table, max_chunksize=3)
        state = {"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}
        (folder / "state.json").write_text(json.dumps(state))
    (root / "dataset_dict.json").write_text(json.dumps({"splits": ["train", "test"]}))
    dataset = load(root)
    assert numbers(dataset.train.images) == list(range(8))
    assert numbers(dataset.val.images) == [8, 9, 10, 11]
    assert dataset.val.class_names == ("dog", "cat")
    assert len(load(root / "train").train) + len(load(root / "train").val) == 8


def test_the_cache_of_hugging_face_datasets(tmp_path: Path, data_folder: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="Arrow files need pyarrow")
    folder = tmp_path / "beans" / "default" / "0.0.0" / "f00d"
    folder.mkdir(parents=True)
    for name, ids in (("beans-train", range(8)), ("beans-test", range(8, 12)), ("cache-1f", [0])):
        table = arrow_table(list(ids))
        path = str(folder / f"{name}.arrow")
        with pa.OSFile(path, "wb") as file, pa.ipc.new_stream(file, table.schema) as stream:
            stream.write_table(table)
    for place in (tmp_path / "beans", folder):
        dataset = load(place)
        assert numbers(dataset.train.images) == list(range(8))
        assert numbers(dataset.val.images) == [8, 9, 10, 11]
        assert dataset.train.class_names == ("dog", "cat")


def test_several_datasets_in_a_folder_are_refused(tmp_path: Path, data_folder: Path) -> None:
    for name in ("plain", "augmented"):
        write_parquet(tmp_path / "set" / name / "train-00000-of-00001.parquet", range(4))
    with pytest.raises(DataError, match="several datasets"):
        load(tmp_path / "set")


def test_a_parquet_file_of_paths(root: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="Parquet files need pyarrow")
    import pyarrow.parquet as pq

    names = pa.array([f"imgs/{n}.png" for n in range(12)])
    table = pa.table({"path": names, "label": pa.array(["a", "b"] * 6).dictionary_encode()})
    pq.write_table(table, root / "m.parquet")
    dataset = load(root / "m.parquet")
    assert dataset.train.class_names == ("a", "b") and len(dataset.val) == 4


def test_a_damaged_parquet_file_and_a_damaged_image_in_one(
    tmp_path: Path, data_folder: Path
) -> None:
    path = tmp_path / "m.parquet"
    write_parquet(path, range(12))
    content = path.read_bytes()
    path.write_bytes(content[:-20])
    with pytest.raises(DataError, match=r"m\.parquet: cannot be read as a Parquet"):
        load(path)
    write_parquet(path, range(12), broken=3)
    with pytest.raises(DataError, match=r"1 of 12 images cannot be read: m\.parquet/3"):
        load(path)
    found = load(path, skip_corrupt=True)
    assert 3 not in numbers([*found.train.images, *found.val.images])


def write_tar(path: Path, members: Sequence[tuple[str, bytes]], mode: str = "w") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def members(ids: Iterable[int]) -> list[tuple[str, bytes]]:
    found = []
    for n in ids:
        said = json.dumps({"age": 1.5 * n, "box": [1, 2]}).encode()
        found += [(f"a/{n:04d}.png", png(n)), (f"a/{n:04d}.cls", f"{n % 2}\n".encode())]
        found += [(f"a/{n:04d}.json", said), (f"a/{n:04d}.mask.png", png(50))]
    return found


@pytest.mark.parametrize(
    "named", ["", "set-{train,val}-{0000..0000}.tar", "*.tar"], ids=["folder", "braces", "star"]
)
def test_tar_shards(tmp_path: Path, data_folder: Path, named: str) -> None:
    root = tmp_path / "shards"
    write_tar(root / "set-train-0000.tar", members(range(8)))
    write_tar(root / "set-val-0000.tar", members(range(8, 12)))
    log: list[str] = []
    dataset = load(root / named, log)
    assert numbers(dataset.train.images) == list(range(8))
    assert numbers(dataset.val.images) == [8, 9, 10, 11]
    assert dataset.train.class_names == ("0", "1")
    assert {c.name: c.text(2) for c in dataset.train.columns} == {"key": "a/0002", "age": "3"}
    assert "not used: 12 .mask.png files" in log[-1] and "lists or tables: box" in log[-1]
    assert "2 tar archives" in describe_source(settings(root / named)).note


def test_one_file_that_is_left_out_of_a_shard_is_in_the_singular(
    tmp_path: Path, data_folder: Path
) -> None:
    write_tar(tmp_path / "set-train-0000.tar", [*members(range(8)), ("a/lost.json", b"{}")])
    log: list[str] = []
    load(tmp_path / "set-train-0000.tar", log)
    assert "8 .mask.png files, 1 sample without an image" in log[-1]


def test_an_archive_of_class_folders_says_that_they_are_not_read(
    tmp_path: Path, data_folder: Path
) -> None:
    log: list[str] = []
    write_tar(tmp_path / "a.tar", [(f"{'ab'[n % 2]}/{n}.png", png(n)) for n in range(8)])
    assert load(tmp_path / "a.tar", log).train.class_names == ()
    assert "its folders (a and b) are not read as classes; unpacked, they are" in log[-1]
    write_tar(tmp_path / "b.tar", [(f"{n}.txt", b"a dog") for n in range(3)])
    with pytest.raises(DataError, match=r"b\.tar: there are no images in it: 3 samples without"):
        load(tmp_path / "b.tar")


def test_texts_in_an_archive_may_have_two_endings(tmp_path: Path, data_folder: Path) -> None:
    found = [(f"{n}.png", png(n)) for n in range(8)]
    found += [(f"{n}.label.txt", f"{n % 2}".encode()) for n in range(8)]
    write_tar(tmp_path / "a.tar", found)
    assert load(tmp_path / "a.tar").train.class_names == ("0", "1")


@pytest.mark.parametrize("ending", ["gz", "bz2", "xz"])
def test_compressed_shards(tmp_path: Path, data_folder: Path, ending: str) -> None:
    path = tmp_path / f"set.tar.{ending}"
    write_tar(path, members(range(6)), f"w:{ending}")
    dataset = load(path)
    assert sorted(numbers([*dataset.train.images, *dataset.val.images])) == list(range(6))


def test_shards_that_are_missing_or_cut_short(tmp_path: Path, data_folder: Path) -> None:
    write_tar(tmp_path / "t-0.tar", members(range(6)))
    with pytest.raises(DataError, match=r"no file .*t-1\.tar"):
        load(tmp_path / "t-{0..1}.tar")
    assert "t-1.tar" in describe_source(settings(tmp_path / "t-{0..1}.tar")).problem
    whole = (tmp_path / "t-0.tar").read_bytes()
    (tmp_path / "t-0.tar").write_bytes(whole[: 512 * 9 + 100])
    with pytest.raises(DataError, match=r"t-0\.tar"):
        load(tmp_path / "t-0.tar")


def test_digests_of_a_shard_are_kept_until_it_changes(
    tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui_latent.datasets import content_digests

    monkeypatch.setattr(content_digests, "_RESOLUTION", 0)
    path = tmp_path / "t-0.tar"
    write_tar(path, members(range(6)))
    read: list[str] = []
    plain = content_digests._item_digest

    def spy(item: Any) -> bytes:
        read.append(item.place)
        return plain(item)

    monkeypatch.setattr(content_digests, "_item_digest", spy)
    before = identity(path)
    assert len(read) == 6
    read.clear()
    assert identity(path).same_as(before) and not read
    write_tar(path, members([0, 1, 2, 3, 4, 7]))
    assert not identity(path).same_as(before) and len(read) == 6


def test_what_is_not_a_table_is_reported(tmp_path: Path, data_folder: Path) -> None:
    (tmp_path / "notes.pdf").write_bytes(b"%PDF")
    for name, remedy in (
        ("notes.pdf", "name a CSV, TSV"),
        ("set.tar.zst", "unpack it"),
        ("table.xlsx", "save it as CSV"),
        ("list.json", "call it .jsonl"),
        ("a.jpg", f"data.path={tmp_path}"),
    ):
        (tmp_path / name).write_bytes(b"x")
        with pytest.raises(DataError, match=f"{name}: not a table: .*{remedy}"):
            load(tmp_path / name)
    with pytest.raises(DataError, match="contains no table"):
        load(tmp_path)
    with pytest.raises(DataError, match=r"no file .*gone\.csv"):
        load(tmp_path / "gone.csv")
    (tmp_path / "latin.csv").write_bytes("path,label\nä.png,x\n".encode("latin-1"))
    with pytest.raises(DataError, match="save it as UTF-8"):
        load(tmp_path / "latin.csv")


def test_titles_that_are_empty_or_repeated_stay_apart(root: Path) -> None:
    path = write(root / "m.csv", [["path", "x", "x", ""], ["imgs/0.png", 1, 2, 3]])
    assert list(read_table(str(path), print, lambda: None).columns) == [
        "path", "x", "x (3)", "column 4",
    ]  # fmt: skip
