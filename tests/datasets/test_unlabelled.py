"""Images without classes: flat folders, folders that are not classes, arrays without labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tui_latent.config.preset_files import PresetError
from tui_latent.config.presets import load_preset, parse_preset
from tui_latent.config.settings import DataSettings
from tui_latent.datasets.describe import describe_images, describe_source
from tui_latent.datasets.image_set import Dataset
from tui_latent.datasets.pairing import make_pairing
from tui_latent.datasets.sources import DataError, load_dataset
from tui_latent.launch.start import check_preset

RANDOM = np.random.default_rng(5)


def paint(path: Path) -> bytes:
    """Write an image of its own; return its pixels."""
    pixels = RANDOM.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return pixels.transpose(2, 0, 1).tobytes()


def load(root: Path, log: Any = lambda _: None, **settings: Any) -> Dataset:
    data = {"source": "folder", "path": str(root), "size": 8, **settings}
    return load_dataset(DataSettings.model_validate(data), 0, log)


def held_and_trained(dataset: Dataset) -> tuple[set[bytes], set[bytes]]:
    train, val = (
        {bytes(image.numpy().tobytes()) for image in split.images}
        for split in (dataset.train, dataset.val)
    )
    return train, val


def assert_without_classes(dataset: Dataset) -> None:
    for split in (dataset.train, dataset.val):
        assert split.class_names == () and split.target_names == ()
        assert split.labels.dtype == torch.int64 and set(split.labels.tolist()) == {-1}
        assert set(split.targets.tolist()) == {-1}


def test_a_flat_folder_has_images_and_no_classes(tmp_path: Path, data_folder: Path) -> None:
    pictures = {paint(tmp_path / "all" / f"{number}.png") for number in range(20)}
    lines: list[str] = []
    dataset = load(tmp_path / "all", lines.append)
    assert_without_classes(dataset)
    train, val = held_and_trained(dataset)
    assert (len(train), len(val)) == (16, 4) and train | val == pictures
    assert "16 training images without classes" in lines[-1]
    assert sum("class" in part for part in lines[-1].split("; ")) == 2, "said once, and its effect"


def test_the_same_images_are_held_out_each_time_and_by_share(
    tmp_path: Path, data_folder: Path
) -> None:
    for number in range(30):
        paint(tmp_path / "all" / f"{number}.png")
    first, again = load(tmp_path / "all"), load(tmp_path / "all")
    assert first.val.images.equal(again.val.images)
    assert len(load(tmp_path / "all", val_fraction=0.5).val) == 15


@pytest.mark.parametrize("held", ["val", "Testing", "test_set"])
def test_flat_splits_are_kept_apart(tmp_path: Path, data_folder: Path, held: str) -> None:
    learnt = {paint(tmp_path / "d" / "train" / f"{number}.png") for number in range(6)}
    kept = {paint(tmp_path / "d" / held / f"{number}.png") for number in range(3)}
    dataset = load(tmp_path / "d")
    assert_without_classes(dataset)
    assert held_and_trained(dataset) == (learnt, kept)
    assert dataset.held_out == f"images in {held}"


def test_folders_are_no_classes_when_labels_are_none(tmp_path: Path, data_folder: Path) -> None:
    pictures = {
        paint(tmp_path / "trips" / place)
        for place in ("0.png", "2023/rome/1.png", "2023/2.png", "train/3.png", "2024/4.png")
    }
    dataset = load(tmp_path / "trips", labels="none")
    assert_without_classes(dataset)
    train, val = held_and_trained(dataset)
    assert train | val == pictures


def test_splits_of_class_folders_stay_apart_without_their_classes(
    tmp_path: Path, data_folder: Path
) -> None:
    root = tmp_path / "d"
    learnt = {paint(root / "train" / c / f"{n}.png") for c in ("cat", "dog") for n in range(3)}
    kept = {paint(root / "val" / c / f"{n}.png") for c in ("cat", "owl") for n in range(2)}
    paint(root / "test" / "cat" / "0.png")
    lines: list[str] = []
    dataset = load(root, lines.append, labels="none")
    assert_without_classes(dataset)
    assert held_and_trained(dataset) == (learnt, kept)
    assert "not used: test beside train" in lines[-1]


def test_splits_below_other_folders_are_named(tmp_path: Path, data_folder: Path) -> None:
    for split in ("train", "val"):
        for number in range(5):
            paint(tmp_path / "set" / "images" / split / f"{number}.png")
        (tmp_path / "set" / "labels" / split).mkdir(parents=True)
    log: list[str] = []
    assert len(load(tmp_path / "set", log.append, labels="none").train) == 8
    assert "train and val in images are not kept apart: data.path=" in log[-1]
    assert_without_classes(load(Path(log[-1].partition("data.path=")[2].split()[0]), labels="none"))


def test_arrays_need_no_labels(tmp_path: Path) -> None:
    x = RANDOM.integers(0, 256, (20, 8, 8), dtype=np.uint8)
    for arrays in ({"x_train": x}, {"images": x}, {"x_train": x, "y_train": np.arange(20) % 2}):
        path = tmp_path / "mine.npz"
        np.savez(path, **arrays)
        settings = {"source": "arrays", "path": str(path), "labels": "none"}
        if len(arrays) == 1:
            del settings["labels"]
        dataset = load_dataset(DataSettings.model_validate(settings), 0)
        assert_without_classes(dataset)
        facts = describe_source(DataSettings.model_validate(settings))
        assert facts.train == 20 and facts.unlabelled and not facts.problem


def test_labels_that_are_never_read_need_not_be_valid(tmp_path: Path) -> None:
    x = RANDOM.integers(0, 256, (20, 8, 8), dtype=np.uint8)
    path = tmp_path / "mine.npz"
    np.savez(path, x_train=x, y_train=np.arange(7) / 2)
    settings = DataSettings(source="arrays", path=str(path), labels="none")
    assert_without_classes(load_dataset(settings, 0))


@pytest.mark.parametrize("some", [np.array([2, -1, 5, -1] * 5), np.array(["b", "", "c", ""] * 5)])
def test_some_images_may_have_a_class_and_others_none(tmp_path: Path, some: np.ndarray) -> None:
    x = np.arange(20, dtype=np.uint8)[:, None, None].repeat(8, 1).repeat(8, 2)
    path = tmp_path / "mine.npz"
    np.savez(path, x_train=x, y_train=some, x_test=x)
    lines: list[str] = []
    dataset = load_dataset(DataSettings(source="arrays", path=str(path)), 0, lines.append)
    names = ("2", "5") if some.dtype.kind == "i" else ("b", "c")
    assert dataset.train.class_names == dataset.val.class_names == names
    assert dataset.train.labels.tolist() == [0, -1, 1, -1] * 5 == dataset.train.targets.tolist()
    assert set(dataset.val.labels.tolist()) == {-1}, "there is no y_test"
    assert "30 of 40 images have no class" in lines[-1]
    chosen = DataSettings(source="arrays", path=str(path), classes=names[:1], val_fraction=0.4)
    only = load_dataset(chosen, 0)
    assert set(only.train.labels.tolist()) == {0} and len(only.train) + len(only.val) == 5


def test_a_public_dataset_can_be_used_without_its_labels() -> None:
    dataset = load_dataset(DataSettings(source="digits", labels="none"), 0)
    assert_without_classes(dataset)
    labelled = load_dataset(DataSettings(source="digits"), 0)
    assert len(dataset.train) + len(dataset.val) == len(labelled.train) + len(labelled.val)
    limited = load_dataset(DataSettings(source="digits", labels="none", per_class=50), 0)
    assert len(limited.train) == 50 and len(limited.val) == len(dataset.val)


@pytest.mark.parametrize("setting", ["classes", "merge"])
def test_settings_of_classes_are_refused_where_there_are_none(
    tmp_path: Path, data_folder: Path, setting: str
) -> None:
    for number in range(6):
        paint(tmp_path / "all" / f"{number}.png")
    value: Any = ("cat",) if setting == "classes" else {"pets": ("cat",)}
    with pytest.raises(DataError, match=rf"data\.{setting}: the images have no classes") as caught:
        load(tmp_path / "all", **{setting: value})
    data = {"source": "folder", "path": str(tmp_path / "all"), setting: value}
    assert describe_source(DataSettings.model_validate(data)).problem == str(caught.value)
    table = load_preset("digits-contrastive-2d").model_dump(mode="json")
    overrides = {"data.labels": "none", f"data.{setting}": value}
    if setting == "classes":
        with pytest.raises(PresetError, match=r"set data\.labels=auto"):
            parse_preset(table, overrides, where="mine")


def test_a_single_image_leaves_nothing_to_hold_out(tmp_path: Path, data_folder: Path) -> None:
    paint(tmp_path / "all" / "0.png")
    with pytest.raises(DataError, match="only one image"):
        load(tmp_path / "all")
    paint(tmp_path / "all" / "1.png")
    dataset = load(tmp_path / "all")
    assert (len(dataset.train), len(dataset.val)) == (1, 1)


@pytest.mark.parametrize(
    ("preset", "needs"),
    [
        ("digits-triplet-2d", "another one of its class and with one of another class"),
        ("digits-siamese-vae-2d", "with one of its class or of another class"),
    ],
)
def test_methods_of_labels_say_which_they_need_before_a_run_is_made(
    tmp_path: Path, data_folder: Path, preset: str, needs: str
) -> None:
    for number in range(6):
        paint(tmp_path / "all" / f"{number}.png")
    np.savez(tmp_path / "x.npz", x_train=np.zeros((6, 8, 8), np.uint8))
    for source, path, labels, remedy in (
        ("folder", "all", "auto", "folder named after it"),
        ("arrays", "x.npz", "auto", "no array y_train"),
        ("digits", "", "none", "data.labels=auto"),
    ):
        changes = {"data.source": source, "data.labels": labels}
        if path:
            changes["data.path"] = str(tmp_path / path)
        chosen = load_preset(preset, changes)
        with pytest.raises(PresetError) as caught:
            check_preset(chosen, tmp_path / "runs", where="mine")
        for words in (needs, remedy, chosen.method.name, "contrastive"):
            assert words in str(caught.value)
        assert describe_images(chosen).problem in str(caught.value)
        assert not describe_images(load_preset("digits-contrastive-2d", changes)).problem


def test_pairs_of_images_some_of_which_have_no_class_name_a_remedy_that_works(
    tmp_path: Path,
) -> None:
    x = np.arange(20, dtype=np.uint8)[:, None, None].repeat(8, 1).repeat(8, 2)
    path = tmp_path / "mine.npz"
    np.savez(path, x_train=x, y_train=np.array(["b", "", "c", "b"] * 5))
    settings = DataSettings(source="arrays", path=str(path))
    dataset = load_dataset(settings, 0)
    augment = load_preset("digits-triplet-2d").augment
    with pytest.raises(DataError, match=r"3 of 14 training images have no class.*=b,c"):
        make_pairing("triplets", dataset.train, dataset, augment)
    only = load_dataset(settings.model_copy(update={"classes": ("b", "c")}), 0)
    make_pairing("triplets", only.train, only, augment)
