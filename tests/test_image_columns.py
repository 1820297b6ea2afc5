"""What a table says of images is kept in the run, and chooses, colours and exports its points."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tui_latent
from tui_latent.analysis.errors import InspectionError
from tui_latent.analysis.point_columns import columns_of_points
from tui_latent.analysis.point_filter import ConditionError, is_condition, matching
from tui_latent.analysis.point_table import write_points
from tui_latent.config.presets import parse_preset
from tui_latent.image_columns import (
    COLUMNS_FILE,
    ImageColumns,
    read_columns,
    write_columns,
)
from tui_latent.launch.latent_names import Place, latent_names
from tui_latent.launch.start import create_run, train_run
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import RunError
from tui_latent.sources.files.columns import Column, column_of
from tui_latent.tui.screens.explorer.column_colors import (
    NO_VALUE,
    column_coloring,
    column_titles,
)

ROWS = 40
AGES = [None if n % 7 == 3 else 20.25 + n for n in range(ROWS)]
SITES = ["", "Zürich", "Bern"]


def same(one: Column, other: Column) -> bool:
    return one.name == other.name and [one.text(i) for i in range(len(one))] == [
        other.text(i) for i in range(len(other))
    ]


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["1", "2.5", "-3e2", ""], [1, 2.5, -300, np.nan]),
        ([1, None, 2.0, float("nan")], [1, np.nan, 2, np.nan]),
        (["NA", "n/a", "7", "null"], [np.nan, np.nan, 7, np.nan]),
        (["007", "010", "3", "4"], None),
        (["1", "two", "3", "4"], None),
        ([True, False, True, None], None),
        ([2**60, 1, 2, 3], None),
        (["1_000", "2", "3", "4"], None),
        (["", "", "", ""], None),
        (["2024-05-01", "2024-05-02", "", ""], None),
    ],
    ids=["numbers", "values", "missing", "zeros first", "a word", "flags", "ids", "underscore",
         "empty", "dates"],
)  # fmt: skip
def test_a_column_is_of_numbers_where_all_cells_are(
    cells: list[object], numbers: list[float] | None
) -> None:
    column = column_of("x", cells)
    if numbers is None:
        assert column.numbers is None
        assert [bool(column.text(i)) for i in range(4)] == [
            cell not in ("", None) for cell in cells
        ]
    else:
        assert column.numbers is not None
        np.testing.assert_array_equal(column.numbers, numbers)


def test_columns_come_back_from_the_run_as_they_were(tmp_path: Path) -> None:
    columns = [
        column_of("age", AGES),
        column_of("site", [SITES[n % 3] for n in range(ROWS)]),
        column_of("\x1b[2J", ["x"] * ROWS),
    ]
    train, val = np.arange(30), np.arange(30, ROWS)
    kept = ImageColumns(
        tuple(column.take(train) for column in columns),
        tuple(column.take(val) for column in columns),
    )
    write_columns(tmp_path, kept)
    found = read_columns(tmp_path)
    assert all(map(same, found.train[:2], kept.train)) and all(map(same, found.val[:2], kept.val))
    assert "\x1b" not in found.val[2].name
    (tmp_path / COLUMNS_FILE).write_bytes(b"PK damaged")
    with pytest.raises(RunError, match=r"columns\.npz: cannot be read"):
        read_columns(tmp_path)
    (tmp_path / COLUMNS_FILE).unlink()
    assert read_columns(tmp_path) == ImageColumns()


def by_loop(condition: str) -> list[bool]:
    """The rows that match, by plain comparisons of each."""

    def test(n: int) -> bool:
        age, site = AGES[n], SITES[n % 3]
        return {
            "age>30": age is not None and age > 30,
            "AGE<=30.25 site=bern": age is not None and age <= 30.25 and site == "Bern",
            "age=": age is None,
            "age!=": age is not None,
            "site!=Bern": site == "Zürich",
            "site:RICH": site == "Zürich",
            '"site" = "Bern"': site == "Bern",
        }[condition]

    return [test(n) for n in range(ROWS)]


@pytest.mark.parametrize(
    "condition",
    [
        "age>30",
        "AGE<=30.25 site=bern",
        "age=",
        "age!=",
        "site!=Bern",
        "site:RICH",
        '"site" = "Bern"',
    ],
)
def test_conditions_choose_points(condition: str) -> None:
    columns = (column_of("age", AGES), column_of("site", [SITES[n % 3] for n in range(ROWS)]))
    assert is_condition(condition)
    assert matching(condition, columns).tolist() == by_loop(condition)


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [
        ("aeg>30", "no column “aeg”. Did you mean “age”"),
        ("age>old", "“old” is not a number"),
        ("age>", "needs a value"),
        ("site>Bern", "site contains text: write site=value"),
        ("site=Brn", "No image has “Brn” in site. Did you mean “Bern”"),
        ("age>3 and more", "“and more” is not a condition"),
    ],
    ids=["column", "number", "nothing", "order", "text", "words"],
)
def test_conditions_that_are_wrong_are_explained(condition: str, sentence: str) -> None:
    columns = (column_of("age", AGES), column_of("site", [SITES[n % 3] for n in range(ROWS)]))
    with pytest.raises(ConditionError) as caught:
        matching(condition, columns)
    assert sentence in str(caught.value)
    assert not is_condition("cat") and not is_condition("12") and not is_condition("#3")


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        ("dose (mg)>5", [1, 2]),
        ("Dose (mg) >= 5 city=new york", [1]),
        ("city=New York dose (mg)<9", [1]),
        ("city=New", [0]),
        ("a=b=1", [2]),
    ],
)
def test_names_and_texts_with_spaces_need_no_quotes(condition: str, rows: list[int]) -> None:
    columns = (
        column_of("dose (mg)", [1, 7, 9.5]),
        column_of("city", ["New", "New York", "York"]),
        column_of("a=b", [3, 2, 1]),
    )
    assert is_condition(condition, columns)
    assert np.flatnonzero(matching(condition, columns)).tolist() == rows


def test_numbers_have_a_ramp_and_texts_a_colour_each() -> None:
    age = column_coloring("age", column_of("age", AGES))
    assert age.names[-1] == NO_VALUE and age.ground == 5 and len(age.names) == 6
    known = [n for n in range(ROWS) if AGES[n] is not None]
    levels = [int(age.values[n]) for n in known]
    assert levels == sorted(levels) and set(levels) == set(range(5))
    assert [int(age.values[n]) for n in range(ROWS) if AGES[n] is None] == [5] * 6
    few = column_coloring("grade", column_of("grade", [3, 1, 1, 2]))
    assert few.names == ("1.00", "2.00", "3.00") or few.names == ("1", "2", "3")
    assert few.values.tolist() == [2, 0, 0, 1] and len(set(few.dark)) == 3
    many = column_coloring(
        "city", column_of("city", [f"c{n % 30}" for n in range(90)] + ["c7"] * 9)
    )
    assert len(many.names) == 20 and many.names[-1] == "11 other values"
    assert "c7" in many.names and len(set(many.glyphs)) > 10


def test_what_says_nothing_is_no_colour() -> None:
    ids = column_of("id", [f"patient {n}" for n in range(ROWS)])
    empty = column_of("empty", [""] * ROWS)
    own = column_of("cluster", ["a", "b"] * (ROWS // 2))
    assert list(column_titles([ids, empty, own], ("class", "cluster"))) == ["cluster (column)"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a table whose images have an age and a site."""
    root = tmp_path_factory.mktemp("table")
    random = np.random.default_rng(0)
    lines = [["path", "label", "id", "age", "site"]]
    for n in range(ROWS):
        pixels = random.integers(0, 256, (8, 8), dtype=np.uint8)
        Image.fromarray(pixels).save(root / f"{n}.png")
        age = "" if AGES[n] is None else str(AGES[n])
        lines.append([f"{n}.png", "ab"[n % 2], f"patient-{n}", age, SITES[n % 3]])
    with (root / "m.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(lines)
    table = {
        "data": {"source": "manifest", "path": str(root / "m.csv"), "size": 8},
        "method": {"name": "contrastive", "latent_dim": 2, "network": "mlp", "hidden_dim": 8},
        "train": {"epochs": 1, "batch_size": 8, "device": "cpu"},
        "augment": {"noise": 0.1},
    }
    path = create_run("table", parse_preset(table, {}, "table"), root / "runs", "made")
    status = train_run(path)
    assert status.state == "finished", status.error
    return path


@pytest.mark.slow
def test_the_points_of_a_run_have_the_cells_of_their_images(run: Path, tmp_path: Path) -> None:
    written, count = write_points(run, tmp_path / "points.csv")
    with written.open(encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    latent_map = RunReader(run).refresh().map
    assert latent_map is not None and len(found) == count == len(latent_map.points)
    for row, point in zip(found, latent_map.points.tolist(), strict=True):
        n = int(row["name"].removesuffix(".png"))
        assert row["label"] == "ab"[n % 2] and row["id"] == f"patient-{n}"
        assert row["age"] == ("" if AGES[n] is None else str(AGES[n]))
        assert row["site"] == SITES[n % 3]
        assert [float(row["x"]), float(row["y"])] == pytest.approx(point)
    chosen, fewer = write_points(run, where="age>30")
    with chosen.open(encoding="utf-8") as file:
        ages = [float(row["age"]) for row in csv.DictReader(file)]
    assert len(ages) == fewer and all(age > 30 for age in ages)
    assert sum(bool(row["age"]) and float(row["age"]) > 30 for row in found) == fewer
    loaded = tui_latent.load(run)
    assert loaded.columns["site"].tolist() == [row["site"] for row in found]
    ages_read = [None if np.isnan(age) else age for age in loaded.columns["age"].tolist()]
    assert ages_read == [float(row["age"]) if row["age"] else None for row in found]
    names = latent_names(run, len(loaded.latents.bank_labels), len(found))  # type: ignore[arg-type]
    assert names.find(found[3]["id"]) == [Place("val", 3)]
    with pytest.raises(InspectionError, match="no column “agee”"):
        write_points(run, where="agee>3")
    with pytest.raises(InspectionError, match=r"no map of step 99, only of"):
        write_points(run, step=99)


def test_columns_of_fewer_images_than_the_map_are_refused(run: Path, tmp_path: Path) -> None:
    latent_map = RunReader(run).refresh().map
    assert latent_map is not None
    assert [column.name for column in columns_of_points(run, latent_map)] == ["id", "age", "site"]
    short = tuple(column.take(np.arange(2)) for column in read_columns(run).val)
    write_columns(tmp_path, ImageColumns(short, short))
    with pytest.raises(InspectionError, match="fewer images than its map"):
        columns_of_points(tmp_path, latent_map)
