"""The runs that files are opened as, read back by the readers of every other run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from tui_latent.analysis.neighbourhood_change import find_changes
from tui_latent.metrics import search_work
from tui_latent.opening import plan
from tui_latent.opening.errors import OpenError
from tui_latent.opening.movers import in_words, movers
from tui_latent.opening.plan import Asked, make_plan, one_by_one
from tui_latent.opening.run_folder import Made, make_run
from tui_latent.procrustes import align
from tui_latent.runs.map_store import MapFolder
from tui_latent.runs.maps import map_file, read_map
from tui_latent.runs.reader import RunReader
from tui_latent.runs.row_ids import read_row_ids
from tui_latent.runs.schema import RunError
from tui_latent.runs.thumbnails import read_thumbnails

DIGITS = load_digits()
VECTORS = DIGITS.data[:400].astype(np.float32)
CLASSES = DIGITS.target[:400]


def opened(runs: Path, *files: Path, name: str = "opened", **asked: Any) -> Made:
    made = make_plan(Asked(tuple(map(str, files)), **asked), lambda _: None)
    return make_run(made, runs, "opened", name, "tui-latent open", lambda _: None)


def saved(path: Path, vectors: Any = VECTORS) -> Path:
    np.save(path, vectors)
    return path


def accuracy_without_self(vectors: Any, classes: Any, k: int) -> float:
    right = 0
    for row in range(len(vectors)):
        others = np.arange(len(vectors)) != row
        voters = KNeighborsClassifier(k).fit(vectors[others], classes[others])
        right += voters.predict(vectors[row : row + 1])[0] == classes[row]
    return right / len(vectors)


@pytest.mark.slow
def test_a_file_becomes_a_finished_run(tmp_path: Path) -> None:
    path = saved(tmp_path / "digits.npy")
    saved(tmp_path / "labels.npy", CLASSES)
    made = opened(tmp_path / "runs", path, labels=str(tmp_path / "labels.npy"))
    snapshot = RunReader(made.path).refresh()
    assert snapshot.origin == "opened" and snapshot.status.state == "finished"
    assert snapshot.provenance["files"] == [str(path)]
    assert not snapshot.problems
    assert snapshot.map is not None and snapshot.map.projection == "pca"
    assert snapshot.map.labels.tolist() == CLASSES.tolist()
    assert snapshot.class_names == tuple("0123456789")
    latents = load_file(made.path / "latents" / "last.safetensors")
    assert sorted(latents) == ["query_labels", "query_latents"], "without a bank"
    assert np.array_equal(latents["query_latents"], VECTORS)
    assert snapshot.newest("val/knn_20") == accuracy_without_self(VECTORS, CLASSES, 20)
    assert snapshot.status.knn_20 == snapshot.newest("val/knn_20")
    assert snapshot.confusion is not None and snapshot.confusion.sum() == len(VECTORS)
    assert any("labels.npy, by row" in line for line in snapshot.log)
    assert list((tmp_path / "runs").iterdir()) == [made.path]


def test_without_labels_nothing_of_labels_is_recorded(tmp_path: Path) -> None:
    made = opened(tmp_path / "runs", saved(tmp_path / "digits.npy"))
    snapshot = RunReader(made.path).refresh()
    assert snapshot.map is not None and set(snapshot.map.labels.tolist()) == {-1}
    assert snapshot.class_names == () and snapshot.confusion is None
    assert not [name for name in snapshot.curves if "knn" in name]
    assert not [name for name in snapshot.missing if "knn" in name]
    assert snapshot.newest("latent/effective_rank") is not None


@pytest.mark.slow
def test_rows_without_a_label_neither_vote_nor_count(tmp_path: Path) -> None:
    some = np.where(np.arange(400) % 3 == 0, -1, CLASSES)
    saved(tmp_path / "labels.npy", some)
    path = saved(tmp_path / "digits.npy")
    made = opened(tmp_path / "runs", path, labels=str(tmp_path / "labels.npy"))
    known = some >= 0
    expected = accuracy_without_self(VECTORS[known], CLASSES[known], 5)
    assert RunReader(made.path).refresh().newest("val/knn_5") == expected


def test_rows_that_are_not_finite_are_left_out_and_named(tmp_path: Path) -> None:
    broken = VECTORS.copy()
    broken[[5, 7], 3] = np.nan
    broken[9] = np.inf
    saved(tmp_path / "labels.npy", CLASSES)
    path = saved(tmp_path / "digits.npy", broken)
    made = opened(tmp_path / "runs", path, labels=str(tmp_path / "labels.npy"))
    kept = np.delete(np.arange(400), [5, 7, 9])
    latents = load_file(made.path / "latents" / "last.safetensors")
    assert np.array_equal(latents["query_latents"], VECTORS[kept])
    assert np.array_equal(latents["query_labels"], CLASSES[kept])
    assert read_row_ids(made.path)["val"].rows.tolist() == kept.tolist()
    log = "\n".join(RunReader(made.path).refresh().log)
    assert "3 of 400 rows have no vector" in log and "rows 5, 7, 9" in log


def test_of_many_vectors_a_sample_is_drawn_and_the_others_are_the_bank(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "MOST_ON_MAP", 100)
    monkeypatch.setattr("tui_latent.opening.vectors.NUMBERS_AT_ONCE", 64 * 30)
    shades = (np.arange(400) % 251).astype(np.uint8)
    np.savez(
        tmp_path / "digits.npz",
        z=VECTORS,
        label=CLASSES,
        id=np.array([f"d{i}" for i in range(400)]),
        images=np.broadcast_to(shades[:, None, None], (400, 8, 8)),
    )
    made = opened(tmp_path / "runs", tmp_path / "digits.npz", images="images")
    latents = load_file(made.path / "latents" / "last.safetensors")
    ids = read_row_ids(made.path)
    assert len(ids["val"].rows) == 100 and len(ids["train"].rows) == 300
    assert sorted([*ids["val"].rows, *ids["train"].rows]) == list(range(400))
    for split, tensor in (("val", "query"), ("train", "bank")):
        rows = ids[split].rows  # type: ignore[index]
        assert np.array_equal(latents[f"{tensor}_latents"], VECTORS[rows])
        assert np.array_equal(latents[f"{tensor}_labels"], CLASSES[rows])
        assert ids[split].ids == tuple(f"d{row}" for row in rows)  # type: ignore[index]
        thumbnails = read_thumbnails(made.path, split)  # type: ignore[arg-type]
        assert thumbnails is not None and np.array_equal(thumbnails[:, 0, 0, 0], shades[rows])
    voters = KNeighborsClassifier(5).fit(latents["bank_latents"], latents["bank_labels"])
    expected = voters.score(latents["query_latents"], latents["query_labels"])
    snapshot = RunReader(made.path).refresh()
    assert snapshot.newest("val/knn_5") == pytest.approx(expected)
    assert any("a sample of 100 of 400 vectors" in line for line in snapshot.log)


def test_what_takes_minutes_is_left_to_the_evaluation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_work, "MOST_WORK", 1)
    saved(tmp_path / "labels.npy", CLASSES)
    path = saved(tmp_path / "digits.npy")
    made = opened(tmp_path / "runs", path, labels=str(tmp_path / "labels.npy"))
    snapshot = RunReader(made.path).refresh()
    assert "evaluate the run" in snapshot.missing["val/knn_20"]


def test_files_are_steps_by_the_number_in_their_names_and_maps_are_aligned(
    tmp_path: Path,
) -> None:
    turned = VECTORS[:, ::-1] * 1.5
    saved(tmp_path / "run3-step-1000.npy", turned)
    saved(tmp_path / "run3-step-200.npy")
    files = tmp_path / "run3-step-1000.npy", tmp_path / "run3-step-200.npy"
    made = opened(tmp_path / "runs", *files)
    snapshot = RunReader(made.path).refresh()
    assert snapshot.map_steps == (200, 1000)
    first, second = (read_map(map_file(made.path, s), s).map.points for s in (200, 1000))
    np.testing.assert_allclose(align(second, first), second, atol=0.05)
    latents = load_file(made.path / "latents" / "last.safetensors")
    assert np.array_equal(latents["query_latents"], turned), "the newest"


def test_files_are_joined_by_id(tmp_path: Path) -> None:
    order = np.random.default_rng(0).permutation(400)[:390]
    names = np.array([f"d{i}" for i in range(400)])
    np.savez(tmp_path / "a.npz", z=VECTORS, id=names, label=CLASSES)
    np.savez(tmp_path / "b.npz", z=VECTORS[order, :32], id=names[order])
    made = opened(tmp_path / "runs", tmp_path / "a.npz", tmp_path / "b.npz")
    kept = np.sort(order)
    latents = load_file(made.path / "latents" / "last.safetensors")
    assert np.array_equal(latents["query_latents"], VECTORS[kept, :32])
    assert np.array_equal(latents["query_labels"], CLASSES[kept])
    assert read_row_ids(made.path)["val"].ids == tuple(names[kept])
    log = "\n".join(RunReader(made.path).refresh().log)
    assert "10 ids of a.npz are not in all files: left out" in log


def test_files_of_different_lengths_or_of_other_things_are_refused(tmp_path: Path) -> None:
    saved(tmp_path / "a.npy")
    saved(tmp_path / "b.npy", VECTORS[:-1])
    with pytest.raises(OpenError, match=r"a\.npy has 400, b\.npy has 399.*--ids COLUMN"):
        opened(tmp_path / "runs", tmp_path / "a.npy", tmp_path / "b.npy")
    np.savez(tmp_path / "c.npz", z=VECTORS[:2], id=np.array(["x", "y"]))
    np.savez(tmp_path / "d.npz", z=VECTORS[:2], id=np.array(["p", "q"]))
    with pytest.raises(OpenError, match=r"no id in common: c\.npz has 'x', d\.npz has 'p'"):
        opened(tmp_path / "runs", tmp_path / "c.npz", tmp_path / "d.npz")
    assert not (tmp_path / "runs").exists()


def test_movers_are_those_that_lost_most_neighbours(tmp_path: Path) -> None:
    start = np.random.default_rng(0).normal(size=(400, 12)).astype(np.float32)
    moved = start.copy()
    moved[[3, 8]] = start[[8, 3]]
    saved(tmp_path / "a.npy", start)
    saved(tmp_path / "b.npy", moved)
    asked = Asked((str(tmp_path / "a.npy"), str(tmp_path / "b.npy")))
    planned = make_plan(asked, lambda _: None)
    made = make_run(planned, tmp_path / "runs", "x", "x", "", lambda _: None)
    found = movers(planned, *made.steps)
    assert found is not None
    near = [
        NearestNeighbors(n_neighbors=21).fit(space).kneighbors(return_distance=False)
        for space in (start, moved)
    ]
    kept = [len({*a[:20]} & {*b[:20]}) / 20 for a, b in zip(*near, strict=True)]
    assert found["mean_kept"] == pytest.approx(np.mean(kept), abs=1e-4)
    shares = {one["row"]: one["kept"] for one in found["most_changed"]}
    assert set(list(shares)[:2]) == {3, 8}
    assert all(share == pytest.approx(kept[row], abs=1e-4) for row, share in shares.items())
    assert "row 3" in "\n".join(in_words(found))
    first, last = (read_map(map_file(made.path, step), step).map for step in (0, 1))
    shown = find_changes(first, last, 10, made.path)
    assert shown is not None and not shown.on_map, "as the explorer lists them"
    assert shown.indices.tolist() == list(shares)
    assert shown.kept.tolist() == pytest.approx(list(shares.values()), abs=1e-4)


def test_files_can_be_runs_of_the_same_images(tmp_path: Path) -> None:
    saved(tmp_path / "a.npy")
    saved(tmp_path / "b.npy", VECTORS[:, :10])
    planned = make_plan(Asked((str(tmp_path / "a.npy"), str(tmp_path / "b.npy"))), lambda _: None)
    for part, name in zip(one_by_one(planned), "ab", strict=True):
        made = make_run(part, tmp_path / "runs", name, name, "", lambda _: None)
        latents = load_file(made.path / "latents" / "last.safetensors")["query_latents"]
        assert np.array_equal(latents, VECTORS if name == "a" else VECTORS[:, :10])
        _, stored = MapFolder(made.path).refresh(None)
        assert stored is not None and stored.map.indices.tolist() == list(range(400))


def test_images_that_cannot_be_read_are_named_in_the_log(tmp_path: Path) -> None:
    path = saved(tmp_path / "digits.npy", VECTORS[:3])
    (tmp_path / "images").mkdir()
    for row in range(3):
        Image.new("L", (8, 8), row).save(tmp_path / "images" / f"{row}.png")
    (tmp_path / "images" / "1.png").write_bytes(b"broken")
    made = opened(tmp_path / "runs", path, images=str(tmp_path / "images"))
    log = "\n".join(RunReader(made.path).refresh().log)
    assert "1 image could not be read" in log and "1.png" in log


def test_an_interrupted_opening_leaves_nothing(tmp_path: Path) -> None:
    planned = make_plan(Asked((str(saved(tmp_path / "a.npy")),)), lambda _: None)

    def stop(words: str) -> None:
        if "drawing" in words:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_run(planned, tmp_path / "runs", "a", "a", "", stop)
    assert not list((tmp_path / "runs").iterdir())


def test_a_file_that_shrinks_meanwhile_is_refused_by_its_name(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.npy")
    planned = make_plan(Asked((str(path),)), lambda _: None)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(OpenError, match=r"a\.npy: ends within row"):
        make_run(planned, tmp_path / "runs", "a", "a", "", lambda _: None)
    assert not list((tmp_path / "runs").iterdir())


def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.npy")
    opened(tmp_path / "runs", path)
    with pytest.raises(RunError, match="already exists"):
        opened(tmp_path / "runs", path)
