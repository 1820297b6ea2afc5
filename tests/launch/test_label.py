"""Classes that come after the training: kNN as scikit-learn's, every file, and the way back."""

from __future__ import annotations

import functools
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file
from sklearn import datasets
from sklearn.neighbors import KNeighborsClassifier

from tests.foreign_runs import CLASSES, foreign_run
from tui_latent.analysis.run_data import RunData
from tui_latent.cli.main import main
from tui_latent.config.presets import parse_preset
from tui_latent.launch.start import create_run, train_run
from tui_latent.runs.line_files import read_lines
from tui_latent.runs.reader import RunReader
from tui_latent.runs.writer import RunWriter
from tui_latent.training.checkpoint import load_checkpoint

TABLE: dict[str, Any] = {
    "data": {"source": "folder", "size": 8},
    "augment": {"rotate": 10, "translate": 0.1},
    "method": {"name": "contrastive", "latent_dim": 2, "width": 2, "network": "mlp"},
    "train": {"epochs": 2, "batch_size": 40, "log_every": 1, "device": "cpu"},
}
COUNT = 120
load_digits = functools.cache(datasets.load_digits)
"""reading them takes 0.1 s, and each line of a CSV file asks for its digit"""


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of digits in which no name says which digit an image is."""
    root = tmp_path_factory.mktemp("photos")
    digits = load_digits().images[:COUNT] * 15
    for number, pixels in enumerate(digits.astype(np.uint8)):
        place = root / ("old" if number % 3 else "") / f"{number:04}.png"
        place.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(place)
    return root


@pytest.fixture(scope="module")
def trained(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = tmp_path_factory.mktemp("runs")
    changes = {"data.path": str(images), "data.labels": "none"}
    path = create_run("none", parse_preset(TABLE, changes, "x"), runs, "photos")
    assert train_run(path).state == "finished"
    return path


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "runs" / "photos"))


def truth(number: int) -> str:
    return f"digit {load_digits().target[number]}"


def all_lines(names: Iterable[str] | None = None) -> list[str]:
    found = names or [f"{'old/' if n % 3 else ''}{n:04}.png" for n in range(COUNT)]
    return [f"{name},{truth(n)}" for n, name in enumerate(found)]


def label(run: Path, lines: Iterable[str], *words: str) -> Result:
    file = run.parent / "classes.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return CliRunner().invoke(main, ["label", str(run), "--csv", str(file), *words])


def labelled(run: Path, lines: Iterable[str]) -> dict[str, Any]:
    result = label(run, lines, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return found


def contents(run: Path) -> dict[str, bytes]:
    """Return the files of a run but those that every writer touches."""
    return {
        str(path.relative_to(run)): path.read_bytes()
        for path in sorted(run.rglob("*"))
        if path.is_file()
        and path.name not in ("status.json", "train.log", "train.lock", "curves.npz")
    }


def by_scikit_learn(run: Path, names: tuple[str, ...], k: int) -> tuple[float, NDArray[np.int64]]:
    """Return accuracy and predictions of the labels in the newest latents."""
    tensors = load_file(run / "latents" / "last.safetensors")
    keep = tensors["bank_labels"] >= 0
    vote = KNeighborsClassifier(k, algorithm="brute")
    vote.fit(tensors["bank_latents"][keep].numpy(), tensors["bank_labels"][keep].numpy())
    asked = tensors["query_labels"] >= 0
    truth = tensors["query_labels"][asked].numpy()
    said = vote.predict(tensors["query_latents"][asked].numpy())
    return float((said == truth).mean()), said


def test_knn_is_measured_once_images_have_classes(run: Path) -> None:
    before = RunReader(run).refresh()
    assert before.map is not None and before.class_names == ()
    assert not any("knn" in name for name in (*before.curves, *before.missing))
    found = labelled(run, ["path,class", *all_lines()])
    assert found["labelled"] == found["images"] == {"train": 96, "val": 24}
    snapshot = RunReader(run).refresh()
    assert snapshot.class_names == tuple(f"digit {n}" for n in range(10))
    for k in (1, 5, 20):
        accuracy, said = by_scikit_learn(run, snapshot.class_names, k)
        assert found["metrics"][f"val/knn_{k}"] == pytest.approx(accuracy)
        assert snapshot.newest(f"val/knn_{k}") == pytest.approx(accuracy)
    assert snapshot.map is not None and snapshot.confusion is not None
    np.testing.assert_array_equal(snapshot.map.points, before.map.points)
    expected = np.zeros((10, 10), dtype=np.int64)
    np.add.at(expected, (snapshot.map.labels, said), 1)
    np.testing.assert_array_equal(snapshot.confusion, expected)
    assert snapshot.status.knn_20 == snapshot.status.best_knn_20 == pytest.approx(accuracy)


def test_each_image_gets_its_own_class(run: Path, images: Path) -> None:
    labelled(run, all_lines())
    data = RunData(run)
    names, latents = data.class_names(), data.latents()
    digits = load_digits()
    pictures = {(im * 15).astype(np.uint8).tobytes(): n for n, im in enumerate(digits.images)}
    dataset = data.dataset()
    for split, of in ((dataset.train, latents.bank_labels), (dataset.val, latents.query_labels)):
        for image, number in zip(split.images, of.tolist(), strict=True):
            assert names[number] == truth(pictures[image[0].numpy().tobytes()])
    for step in RunReader(run).refresh().map_steps:
        shown = RunReader(run).map_at(step)
        assert shown is not None and shown.class_names == names
        np.testing.assert_array_equal(shown.labels, latents.query_labels.numpy()[shown.indices])


@pytest.mark.parametrize("form", ["absolute", "from above", "windows", "semicolons", "columns"])
def test_images_are_named_in_many_ways(run: Path, images: Path, form: str) -> None:
    names = [line.split(",")[0] for line in all_lines()]
    lines = {
        "absolute": all_lines(f"{images}/{name}" for name in names),
        "from above": all_lines(f"./backup/{images.name}/{name}" for name in names),
        "windows": all_lines(name.replace("/", "\\") for name in names),
        "semicolons": [line.replace(",", ";") for line in all_lines()],
        "columns": [
            "width,Label,file_name",
            *(f"8,{truth(n)},{name}" for n, name in enumerate(names)),
        ],
    }[form]
    found = labelled(run, lines)
    assert found["labelled"] == {"train": 96, "val": 24} and not found["unknown"]


def test_a_header_is_optional_and_quotes_keep_commas(run: Path) -> None:
    for start in ([], ["path,class"], ["Bild,Art"], ["\ufefffile,label"]):
        found = labelled(run, [*start, '0000.png,"cat, large"', "old/0001.png,dog"])
        assert found["classes"] == ["cat, large", "dog"] and not found["unknown"]
        assert sum(found["labelled"].values()) == 2


def test_some_images_may_stay_without_a_class(run: Path) -> None:
    found = labelled(run, all_lines()[::2])
    assert sum(found["labelled"].values()) == 60
    tensors = load_file(run / "latents" / "last.safetensors")
    assert int((tensors["bank_labels"] < 0).sum() + (tensors["query_labels"] < 0).sum()) == 60
    for k in (1, 5, 20):
        accuracy, _ = by_scikit_learn(run, tuple(found["classes"]), k)
        assert found["metrics"][f"val/knn_{k}"] == pytest.approx(accuracy)


def test_another_file_replaces_the_classes_and_an_empty_one_takes_them_away(run: Path) -> None:
    before = contents(run)
    first = labelled(run, all_lines())
    once = contents(run)
    assert set(once) - set(before) == {"classes.npz"}
    labelled(run, [f"{line.partition(',')[0]},thing" for line in all_lines()])
    one_class = RunReader(run).refresh()
    assert one_class.class_names == ("thing",) and "one class" in one_class.missing["val/knn_20"]
    assert one_class.newest("val/knn_20") is None
    assert labelled(run, all_lines()) == first
    assert contents(run) == once
    assert labelled(run, ["path,class"])["classes"] == []
    assert contents(run) == before
    snapshot = RunReader(run).refresh()
    assert snapshot.status.knn_20 is None and snapshot.status.best_knn_20 is None


def test_unknown_images_are_listed_and_the_others_labelled(run: Path) -> None:
    result = label(run, [*all_lines(), "nowhere/1.png,cat", "12345.png,cat"])
    assert result.exit_code == 0
    assert "2 names match no image of photos" in result.stderr
    assert "nowhere/1.png" in result.stderr and "12345.png" in result.stderr
    assert "cat" not in RunReader(run).refresh().class_names


def test_contradictions_change_nothing(run: Path) -> None:
    before = contents(run)
    for lines, message in (
        ([*all_lines(), "0000.png,cat"], "lines 1 and 121: 0000.png is 'digit 0' and 'cat'"),
        (["a.png,cat", "b.png,dog"], "names no image of this run"),
        (["0000.png,cat,8"], "line 1 has 3 cells"),
        (["0000.png,cat", "old/0001.png,a,b"], "line 2 has 3 cells"),
        (["0000.png,cat", "old/0001.png"], "line 2 has 1 cell"),
        (["path,class", ",cat"], "line 2 names no image"),
        ([""], "is empty"),
        (['0000.png,"cat'], "not a table"),
    ):
        result = label(run, lines)
        assert result.exit_code == 1 and message in result.stderr.replace("\n", " "), message
    assert contents(run) == before
    absent = CliRunner().invoke(main, ["label", str(run), "--csv", str(run / "no.csv")])
    assert absent.exit_code == 1 and "there is no such file" in absent.stderr
    (run.parent / "classes.csv").write_bytes(b"\xff\xfe\x00")
    file = str(run.parent / "classes.csv")
    assert "not UTF-8" in CliRunner().invoke(main, ["label", str(run), "--csv", file]).stderr


def test_a_run_in_training_is_refused(run: Path) -> None:
    writer = RunWriter.reopen(run)
    writer.lock()
    try:
        result = label(run, all_lines())
    finally:
        writer.close()
    assert result.exit_code == 1 and "photos" in result.stderr


def test_a_labelled_run_goes_on_with_its_classes_and_the_same_weights(
    run: Path, trained: Path, tmp_path: Path
) -> None:
    plain = Path(shutil.copytree(trained, tmp_path / "plain"))
    labelled(run, all_lines())
    for path in (run, plain):
        result = CliRunner().invoke(main, ["resume", str(path), "--epochs", "4"])
        assert result.exit_code == 0, result.output
    snapshot = RunReader(run).refresh()
    assert len(snapshot.class_names) == 10 and snapshot.status.state == "finished"
    assert snapshot.newest("val/knn_20") == pytest.approx(
        by_scikit_learn(run, snapshot.class_names, 20)[0]
    )
    weights = [load_checkpoint(path / "checkpoints", "cpu") for path in (run, plain)]
    assert weights[0] is not None and weights[1] is not None
    for name, value in weights[0]["method"].items():
        assert torch.equal(value, weights[1]["method"][name]), name


def test_an_archive_names_images_by_their_row(tmp_path: Path) -> None:
    digits = load_digits()
    x = (digits.images[:COUNT] * 15).astype(np.uint8)
    for held_out in (False, True):
        file = tmp_path / f"{held_out}.npz"
        parts: dict[str, Any] = (
            {"x_train": x[:80], "x_test": x[80:]} if held_out else {"x_train": x}
        )
        np.savez(file, **parts)
        changes = {"data.source": "arrays", "data.path": str(file)}
        run = create_run("none", parse_preset(TABLE, changes, "x"), tmp_path / "runs", file.stem)
        assert train_run(run).state == "finished"
        names = [str(n) for n in range(COUNT)]
        if held_out:
            assert "names no image" in label(run, ["3,cat"]).stderr
            names = [f"train/{n}" if n < 80 else f"test/{n - 80}" for n in range(COUNT)]
        found = labelled(run, ["index,class", *all_lines(names)])
        assert found["labelled"] == found["images"]
        data = RunData(run)
        val, latents = data.dataset().val, data.latents()
        pictures = {image.tobytes(): number for number, image in enumerate(x)}
        for image, number in zip(val.images, latents.query_labels.tolist(), strict=True):
            shown = pictures[image[0].numpy().tobytes()]
            assert data.class_names()[number] == truth(shown)


def test_classes_of_the_source_stay_and_others_are_added(tmp_path: Path) -> None:
    digits = load_digits()
    x = (digits.images[:COUNT] * 15).astype(np.uint8)
    y = np.array(["zero" if n == 0 else "" for n in digits.target[:COUNT]])
    np.savez(tmp_path / "some.npz", x_train=x, y_train=y)
    changes = {"data.source": "arrays", "data.path": str(tmp_path / "some.npz")}
    run = create_run("none", parse_preset(TABLE, changes, "x"), tmp_path / "runs", "some")
    assert train_run(run).state == "finished"
    before = contents(run)
    assert RunReader(run).refresh().class_names == ("zero",)
    zero = int(np.flatnonzero(digits.target[:COUNT] == 0)[1])
    refused = label(run, [f"{zero},apple"])
    assert "is 'apple' there, and 'zero' in the run's own images" in refused.stderr
    other = [n for n in range(COUNT) if y[n] == ""]
    found = labelled(run, [f"{n},apple" for n in other])
    assert found["classes"] == ["zero", "apple"] and found["labelled"] == found["images"]
    assert labelled(run, ["index,class"])["classes"] == ["zero"]
    after = contents(run)
    for name in before.keys() | after.keys():
        assert before.get(name) == after.get(name), name


@pytest.mark.parametrize("bank", [True, False])
def test_a_watched_run_is_labelled_by_number(tmp_path: Path, bank: bool) -> None:
    run = foreign_run(tmp_path, labels=False, bank=bank)
    classes = [CLASSES[n % 3] for n in range(60)]
    lines = [f"{n},{name}" for n, name in enumerate(classes)]
    if bank:
        alone = labelled(run, lines)
        assert "no training image has a class" in alone["missing"]["val/knn_20"]
        lines += [f"train/{n},{name}" for n, name in enumerate(classes)]
    before = RunReader(run).refresh()
    found = labelled(run, lines)
    tensors = load_file(run / "latents" / "last.safetensors")
    queries = tensors["query_latents"].double()
    voters = tensors["bank_latents"].double() if bank else queries
    distances = torch.cdist(queries, voters)
    if not bank:
        distances.fill_diagonal_(float("inf"))
    labels = tensors["query_labels"]
    nearest = distances.argmin(1)
    accuracy = float((labels[nearest] == labels).double().mean())
    assert found["metrics"]["val/knn_1"] == pytest.approx(accuracy)
    snapshot = RunReader(run).refresh()
    assert snapshot.class_names == CLASSES and snapshot.map_steps == before.map_steps
    assert snapshot.newest("val/knn_1") == pytest.approx(accuracy)
    assert snapshot.curves["train/loss"].last == before.curves["train/loss"].last


def test_an_opened_run_is_labelled_by_its_ids(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    np.savez(
        tmp_path / "v.npz",
        vectors=random.normal(size=(40, 4)).astype(np.float32),
        ids=np.array([f"img/{n}.jpg" for n in range(40)]),
    )
    runs = tmp_path / "runs"
    opened = CliRunner().invoke(
        main, ["open", str(tmp_path / "v.npz"), "--runs", str(runs), "--name", "v", "--json"]
    )
    assert opened.exit_code == 0, opened.output
    found = labelled(runs / "v", ["id,class", *(f"img/{n}.jpg,{'ab'[n % 2]}" for n in range(40))])
    assert sum(found["labelled"].values()) == 40 == sum(found["images"].values())
    tensors = load_file(runs / "v" / "latents" / "last.safetensors")
    assert found["metrics"] and set(tensors["query_labels"].tolist()) == {0, 1}
    assert labelled(runs / "v", [f"{n},c" for n in range(10)])["labelled"]["val"] <= 10


def test_a_line_that_is_no_record_stays_where_it_is(run: Path) -> None:
    records = run / "metrics.jsonl"
    records.write_bytes(b"not a record\n" + records.read_bytes())
    before = [line for _, line in read_lines(records, 0)]
    labelled(run, all_lines())
    after = [line for _, line in read_lines(records, 0)]
    changed = [i for i, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]]
    assert len(changed) == 1 and b"val/knn_20" in after[changed[0]]


def test_cells_without_a_class_and_whole_numbers_are_read_as_open_reads_them(run: Path) -> None:
    names = [line.split(",")[0] for line in all_lines()]
    cells = ["-1", "nan", "3.0", "3", *["7.0"] * (COUNT - 4)]
    told = label(run, [f"{name},{cell}" for name, cell in zip(names, cells, strict=True)], "--json")
    assert told.exit_code == 0, told.output
    found = json.loads(told.stdout.splitlines()[-1])
    assert found["classes"] == ["3", "7"]
    assert sum(found["labelled"].values()) == COUNT - 2
    told = label(run, [f"{names[0]},0.25"])
    assert told.exit_code == 1 and "line 1: 0.25 is not a class" in told.stderr
