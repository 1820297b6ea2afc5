"""Arrays in files of their own: the labels beside them, held-out images, and what is wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.datasets.conftest import data_folder  # noqa: F401  (a fixture)
from tui_latent.config.settings import DataSettings
from tui_latent.datasets.describe import describe_source
from tui_latent.datasets.image_set import in_chunks
from tui_latent.datasets.sources import DataError, load_dataset
from tui_latent.runtime import array_files

pytestmark = pytest.mark.usefixtures("data_folder")


def images(count: int = 12, shape: tuple[int, ...] = (5, 4), seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), np.uint8)


def settings(path: Path, **more: object) -> DataSettings:
    return DataSettings.model_validate({"source": "arrays", "path": str(path), **more})


LABELS = {
    "labels": ("photos", "labels"),
    "named after it": ("photos", "photos_labels"),
    "images": ("images", "labels"),
    "keras": ("x_train", "y_train"),
    "scikit-learn": ("X_train", "y_train"),
    "x and y": ("X", "y"),
}


@pytest.mark.parametrize(("stem", "labels"), LABELS.values(), ids=LABELS)
def test_labels_beside_an_array_are_its_labels(tmp_path: Path, stem: str, labels: str) -> None:
    np.save(tmp_path / f"{stem}.npy", images())
    np.save(tmp_path / f"{labels}.npy", np.array(["cat", "dog", "owl"] * 4))
    said: list[str] = []
    dataset = load_dataset(settings(tmp_path / f"{stem}.npy", val_fraction=0.25), 0, said.append)
    assert dataset.train.class_names == ("cat", "dog", "owl")
    assert len(dataset.train) + len(dataset.val) == 12
    assert any(f"read from {stem}.npy, {labels}.npy" in line for line in said)
    assert not describe_source(settings(tmp_path / f"{stem}.npy")).problem


@pytest.mark.parametrize("where", ["x_train.npy", ""], ids=["the file", "its folder"])
def test_held_out_images_lie_beside_the_training_images(tmp_path: Path, where: str) -> None:
    for name, count in (("x_train", 12), ("x_test", 8)):
        np.save(tmp_path / f"{name}.npy", images(count, (4, 5, 3)))
        np.save(tmp_path / f"{name.replace('x', 'y')}.npy", np.arange(count)[:, None] % 2)
    dataset = load_dataset(settings(tmp_path / where), 0)
    assert (len(dataset.train), len(dataset.val)) == (12, 8)
    assert dataset.held_out == "test images"
    assert dataset.train.shape == (3, 4, 5)
    facts = describe_source(settings(tmp_path / where))
    assert (facts.train, facts.held_out) == (12, 8)


def test_an_array_without_labels_has_no_classes(tmp_path: Path) -> None:
    np.save(tmp_path / "scans.npy", images())
    dataset = load_dataset(settings(tmp_path / "scans.npy"), 0)
    assert dataset.train.class_names == ()
    facts = describe_source(settings(tmp_path / "scans.npy"))
    assert facts.unlabelled == "there is no file labels.npy beside it"


def test_other_labels_in_the_folder_can_be_left_out(tmp_path: Path) -> None:
    np.save(tmp_path / "scans.npy", images())
    np.save(tmp_path / "labels.npy", np.arange(5))
    with pytest.raises(DataError, match=r"labels has shape \(5,\): 12 labels are needed"):
        load_dataset(settings(tmp_path / "scans.npy"), 0)
    assert len(load_dataset(settings(tmp_path / "scans.npy", labels="none"), 0).train)


WRONG = {
    "objects": (np.array([1, "a", None], dtype=object), "which could run any code"),
    "flat": (images(6, (16,)), r"give flat images their height and width"),
    "texts": (np.full((3, 4, 4), "a"), "save it as uint8"),
}


@pytest.mark.parametrize(("array", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named(tmp_path: Path, array: np.ndarray, message: str) -> None:
    np.save(tmp_path / "x.npy", array, allow_pickle=True)
    with pytest.raises(DataError, match=message):
        load_dataset(settings(tmp_path / "x.npy"), 0)


def test_a_cut_file_and_an_empty_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a folder without x_train.npy"):
        load_dataset(settings(tmp_path), 0)
    np.save(tmp_path / "x.npy", images(40))
    (tmp_path / "x.npy").write_bytes((tmp_path / "x.npy").read_bytes()[:300])
    with pytest.raises(DataError, match=r"x\.npy: .*save it again"):
        load_dataset(settings(tmp_path / "x.npy"), 0)


@pytest.mark.parametrize("dtype", ["u2", ">u2", "f4", "u1", "?", "i8"])
def test_large_arrays_have_the_images_of_small_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dtype: str
) -> None:
    values = np.random.default_rng(0).integers(0, 60_000, (12, 5, 5))
    array = (values / 60_000 if dtype == "f4" else values % 200).astype(dtype)
    if dtype.endswith("u2"):
        array = values.astype(dtype)
    np.save(tmp_path / "x.npy", array)
    small = load_dataset(settings(tmp_path / "x.npy", size=5), 0)
    monkeypatch.setattr(array_files, "MAPPED_FROM", 1)
    large = load_dataset(settings(tmp_path / "x.npy", size=5, resident="disk"), 0)
    assert large.train.file is not None
    assert torch.equal(torch.cat(list(in_chunks(large.train, 7))), small.train.images)
    assert large.value_range == small.value_range


@pytest.mark.parametrize("shape", [(6, 6, 12), (6, 6, 3, 40)], ids=["grey", "colour"])
def test_images_along_the_last_axis_are_refused_with_a_way_out(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    path, pixels = tmp_path / "matlab.npz", images(shape[0], shape[1:])
    np.savez(path, X=pixels, y=np.arange(shape[-1]) % 2)
    with pytest.raises(DataError, match=r"numpy\.moveaxis\(X, -1, 0\)") as caught:
        load_dataset(settings(path), 0)
    assert describe_source(settings(path)).problem == str(caught.value)
    np.savez(path, X=np.moveaxis(pixels, -1, 0), y=np.arange(shape[-1]) % 2)
    assert load_dataset(settings(path, val_fraction=0.25), 0).train.shape[1:] == (6, 6)


def test_values_that_are_not_finite_are_called_that(tmp_path: Path) -> None:
    pixels = images().astype(np.float32) / 255
    pixels[0, 0, 0] = np.nan
    path = tmp_path / "nan.npz"
    np.savez(path, x_train=pixels, y_train=np.arange(12) % 2)
    with pytest.raises(DataError, match=r"x_train contains values that are not finite"):
        load_dataset(settings(path), 0)
    assert load_dataset(settings(path, range=[0, 1], val_fraction=0.25), 0).value_range == (0, 1)
