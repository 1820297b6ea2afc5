"""Array archives: every layout gives the same images, everything else is named."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tui_latent.config.settings import DataSettings
from tui_latent.datasets.describe import describe_source
from tui_latent.datasets.sources import DataError, load_dataset

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 6, 5)).astype(np.uint8)
LABELS = np.arange(12) % 3


def settings(path: Path, **more: object) -> DataSettings:
    return DataSettings.model_validate({"source": "arrays", "path": str(path), **more})


def save(tmp_path: Path, **arrays: Any) -> Path:
    path = tmp_path / "mine.npz"
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(
    "x",
    [
        PIXELS,
        PIXELS[..., None],
        PIXELS[:, None],
        (PIXELS / 255).astype(np.float32),
        PIXELS[..., None] / 255,
    ],
)
def test_every_layout_of_grey_images(tmp_path: Path, x: np.ndarray) -> None:
    path = save(tmp_path, x_train=x, y_train=LABELS, x_test=x, y_test=LABELS)
    dataset = load_dataset(settings(path), 0)
    np.testing.assert_array_equal(dataset.train.images[:, 0].numpy(), PIXELS)
    assert dataset.name == "mine" and dataset.held_out == "test images"
    assert describe_source(settings(path)).shape == (1, 6, 5)
    assert describe_source(settings(path)).train == 12


def test_colours_last_and_first(tmp_path: Path) -> None:
    colours = np.stack([PIXELS, PIXELS // 2, 255 - PIXELS], -1)
    for x in (colours, colours.transpose(0, 3, 1, 2)):
        path = save(tmp_path, x_train=x, y_train=LABELS)
        dataset = load_dataset(settings(path), 0)
        both = torch.cat([dataset.train.images, dataset.val.images]).numpy()
        assert both.shape == (12, 3, 6, 5)
        assert sorted(map(bytes, both)) == sorted(map(bytes, colours.transpose(0, 3, 1, 2).copy()))
        assert describe_source(settings(path)).shape == (3, 6, 5)


def test_names_and_labels(tmp_path: Path) -> None:
    path = save(tmp_path, x_train=PIXELS, y_train=LABELS, class_names=["[a]", "b", "c"])
    assert load_dataset(settings(path), 0).train.class_names == ("[a]", "b", "c")
    path = save(tmp_path, x_train=PIXELS, y_train=LABELS * 5 + 2)
    dataset = load_dataset(settings(path, classes=("12",)), 0)
    assert dataset.train.class_names == ("12",) and len(dataset.train) + len(dataset.val) == 4


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"y_train": LABELS}, "no array x_train"),
        ({"x_train": PIXELS, "y_train": LABELS[:5]}, r"y_train has shape \(5,\): 12 labels"),
        ({"x_train": PIXELS, "y_train": LABELS / 2}, "y_train has type float64"),
        ({"x_train": PIXELS, "y_train": LABELS - 2}, "label -2"),
        ({"x_train": PIXELS * 9.0, "y_train": LABELS}, "must be in 0..1"),
        ({"x_train": PIXELS / 255 * 1.01, "y_train": LABELS}, r"0 and 1\.0"),
        ({"x_train": PIXELS / 255 - 0.5, "y_train": LABELS}, "-0.5"),
        ({"x_train": PIXELS * np.int64(9), "y_train": LABELS}, "has type int64 and values from 0"),
        ({"x_train": PIXELS.astype("U"), "y_train": LABELS}, "has type <U3"),
        ({"x_train": PIXELS.reshape(12, 30)[:, :25], "y_train": LABELS}, r"reshape\(-1, 5, 5\)"),
        ({"x_train": PIXELS, "y_train": np.eye(12)[:, :3]}, "save one class per image"),
        ({"x_train": PIXELS, "y_train": LABELS * 1.0 + np.inf}, "label inf"),
        ({"x_train": PIXELS, "y_train": LABELS.astype("u8") + 2**63}, "has a label 9223"),
        ({"x_train": PIXELS, "y_train": LABELS.astype(object)}, r"y\.astype\(str\)"),
        ({"x_train": PIXELS, "y_train": ["a"] * 12, "class_names": ["b"]}, "'a' is not in class"),
        ({"arr_0": PIXELS, "arr_1": LABELS}, "arr_0 and the like are arrays saved without"),
        ({"pictures": PIXELS, "kinds": LABELS}, "it contains pictures, kinds"),
        ({"x_train": np.full((12, 4, 4), np.nan), "y_train": LABELS}, "that are not finite"),
        ({"x_train": PIXELS[:, :, 0], "y_train": LABELS}, r"x_train has shape \(12, 6\)"),
        ({"x_train": PIXELS[:0], "y_train": LABELS[:0]}, r"x_train has shape \(0, 6, 5\)"),
        ({"x_train": np.zeros((12, 40, 40, 17)), "y_train": LABELS}, "1 to 16 channels"),
        (
            {"x_train": PIXELS, "y_train": LABELS, "x_test": PIXELS[:, 1:], "y_test": LABELS},
            "they must be the same",
        ),
        ({"x_train": PIXELS, "y_train": LABELS, "class_names": ["a", "b"]}, "2 class_names"),
        ({"x_train": PIXELS, "y_train": LABELS, "class_names": ["a"] * 3}, "are the same"),
        ({"x_train": PIXELS, "y_train": LABELS, "class_names": ["a", "a ", "b"]}, "are the same"),
        ({"x_train": PIXELS, "y_train": LABELS, "class_names": ["", "a", "b"]}, "is empty"),
        ({"x_train": PIXELS, "y_train": ["a", "b" * 201] * 6}, "at most 200 characters"),
        ({"x_train": np.array([{}]), "y_train": LABELS}, "x_train cannot be read"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    path = save(tmp_path, **arrays)
    with pytest.raises(DataError, match=message) as caught:
        load_dataset(settings(path), 0)
    assert str(path) in str(caught.value)


def test_files_that_are_no_archives(tmp_path: Path) -> None:
    single, text, torn = (tmp_path / name for name in ("one.npz", "text.npz", "torn.npz"))
    with single.open("wb") as file:
        np.save(file, PIXELS)
    text.write_text("not an archive")
    whole = save(tmp_path, x_train=PIXELS, y_train=LABELS).read_bytes()
    torn.write_bytes(whole[: len(whole) // 2])
    for path, message in (
        (single, "one array"),
        (text, "not a NumPy archive"),
        (torn, "not a NumPy archive"),
        (tmp_path / "absent.npz", "no file"),
    ):
        with pytest.raises(DataError, match=message):
            load_dataset(settings(path), 0)
        assert message in describe_source(settings(path)).problem


@pytest.mark.parametrize("name", ["X_train", "train_images", "images", "x", "TRAIN_X"])
def test_common_names_of_arrays_are_taken(tmp_path: Path, name: str) -> None:
    labels = {"X_train": "y_train", "train_images": "train_labels", "TRAIN_X": "Train_Y"}
    other = labels.get(name, "labels" if name == "images" else "y")
    path = save(tmp_path, **{name: PIXELS, other: LABELS})
    dataset = load_dataset(settings(path), 0)
    assert len(dataset.train) + len(dataset.val) == 12
    assert describe_source(settings(path)).train == 12


def test_arrays_that_are_not_used_are_named(tmp_path: Path) -> None:
    arrays: dict[str, np.ndarray] = {}
    for split in ("train", "val", "test"):
        arrays |= {f"{split}_images": PIXELS, f"{split}_labels": LABELS[:, None]}
    path = save(tmp_path, **arrays)
    log: list[str] = []
    dataset = load_dataset(settings(path), 0, log.append)
    assert dataset.held_out == "images in test_images"
    assert "not used: val_images, val_labels" in log[-1]


@pytest.mark.parametrize(
    "y",
    [
        LABELS[:, None],
        LABELS[None],
        LABELS.astype(np.float32),
        LABELS.astype(np.uint64),
        np.eye(3)[LABELS],
        np.eye(3, dtype=bool)[LABELS],
        np.eye(3)[LABELS] * 2 - 1,
        np.eye(3, dtype=np.uint8)[LABELS] * 255,
        np.array(["0.0", "1.0", "2.0"])[LABELS],
        LABELS.astype("U"),
        LABELS.astype("S"),
    ],
)
def test_every_form_of_labels(tmp_path: Path, y: np.ndarray) -> None:
    path = save(tmp_path, x_train=PIXELS, y_train=y, x_test=PIXELS, y_test=y)
    dataset = load_dataset(settings(path), 0)
    assert dataset.train.labels.tolist() == LABELS.tolist() == dataset.val.labels.tolist()
    assert dataset.train.class_names == ("0", "1", "2")


def test_labels_that_are_truths_and_texts(tmp_path: Path) -> None:
    path = save(tmp_path, x_train=PIXELS, y_train=LABELS == 1)
    assert load_dataset(settings(path), 0).train.class_names == ("0", "1")
    words = np.array(["img10", "img2", "img1"])[LABELS]
    path = save(tmp_path, x_train=PIXELS, y_train=words, x_test=PIXELS[:3], y_test=words[:3])
    dataset = load_dataset(settings(path), 0)
    assert dataset.train.class_names == ("img1", "img2", "img10")
    assert dataset.val.labels.tolist() == [2, 1, 0]


def test_names_of_bytes_are_texts(tmp_path: Path) -> None:
    names = np.array(["cat", "dog", "emu"]).astype("S")
    path = save(tmp_path, x_train=PIXELS, y_train=LABELS, class_names=names)
    assert load_dataset(settings(path), 0).train.class_names == ("cat", "dog", "emu")


@pytest.mark.parametrize(
    "x",
    [
        PIXELS / 255 + 1e-7,
        PIXELS / 255 - 1e-7,
        (PIXELS / 255).astype(np.float16),
        PIXELS.astype(np.float32),
        PIXELS.astype(np.float64) + 1e-4,
        PIXELS.astype(np.int64),
        PIXELS.astype(np.uint16),
    ],
)
def test_every_type_of_pixels(tmp_path: Path, x: np.ndarray) -> None:
    path = save(tmp_path, x_train=x, y_train=LABELS, x_test=x[:2], y_test=LABELS[:2])
    dataset = load_dataset(settings(path), 0)
    np.testing.assert_array_equal(dataset.train.images[:, 0].numpy(), PIXELS)
    np.testing.assert_array_equal(dataset.val.images[:, 0].numpy(), PIXELS[:2])


def test_masks_and_alpha(tmp_path: Path) -> None:
    path = save(tmp_path, x_train=PIXELS > 128, y_train=LABELS, x_test=PIXELS, y_test=LABELS)
    images = load_dataset(settings(path), 0).train.images[:, 0].numpy()
    np.testing.assert_array_equal(images, np.where(PIXELS > 128, 255, 0))
    black = np.zeros((12, 6, 5, 4), np.uint8)
    black[..., 3] = PIXELS
    for x in (black, black.transpose(0, 3, 1, 2)):
        path = save(tmp_path, x_train=x, y_train=LABELS, x_test=x, y_test=LABELS)
        images = load_dataset(settings(path), 0).train.images.numpy()
        np.testing.assert_array_equal(images, np.repeat(255 - PIXELS[:, None], 3, 1))
        assert describe_source(settings(path)).shape == (3, 6, 5)


def test_an_order_of_channels_that_may_be_another_is_reported(tmp_path: Path) -> None:
    log: list[str] = []
    x = np.zeros((12, 3, 8, 3), np.uint8)
    load_dataset(settings(save(tmp_path, x_train=x, y_train=LABELS)), 0, log.append)
    assert "read with the channels last" in log[-1]


def test_what_is_not_held_out_is_not_looked_at(tmp_path: Path) -> None:
    path = save(tmp_path, x_train=PIXELS, y_train=LABELS, x_test=PIXELS[:, 1:], y_test=LABELS - 5)
    dataset = load_dataset(settings(path, val_fraction=0.25), 0)
    assert len(dataset.train) + len(dataset.val) == 12


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.npz")
    with pytest.raises(DataError, match="Not a regular file"):
        load_dataset(settings(tmp_path / "x.npz"), 0)


def classes(path: Path) -> tuple[tuple[str, ...], list[str]]:
    """The class names, and the class of each image in the order of the pixels."""
    dataset = load_dataset(settings(path, val_fraction=0.5), 0)
    place = {image.tobytes(): row for row, image in enumerate(PIXELS)}
    found = [""] * len(PIXELS)
    for split in (dataset.train, dataset.val):
        for image, label in zip(split.images[:, 0].numpy(), split.labels.tolist(), strict=True):
            found[place[image.tobytes()]] = split.class_names[label] if label >= 0 else "none"
    return dataset.train.class_names, found


@pytest.mark.parametrize("dtype", ["i8", "f4", "U"], ids=["integers", "floats", "texts"])
def test_minus_one_and_one_alone_are_two_classes(tmp_path: Path, dtype: str) -> None:
    signs = np.where(LABELS == 1, -1, 1)
    path = save(tmp_path, x_train=PIXELS, y_train=signs.astype(dtype))
    assert classes(path) == (("-1", "1"), [str(sign) for sign in signs])
    three = np.array([-1, 0, 1])[LABELS]
    path = save(tmp_path, x_train=PIXELS, y_train=three.astype(dtype))
    assert classes(path) == (("0", "1"), [str(n).replace("-1", "none") for n in three])


def test_labels_from_one_and_of_two_signs_are_positions_in_the_names(tmp_path: Path) -> None:
    names = np.array(["cat", "dog", "emu"])
    path = save(tmp_path, x_train=PIXELS, y_train=LABELS + 1, class_names=names)
    assert classes(path) == (tuple(names), names[LABELS].tolist())
    signs = np.where(LABELS == 1, -1, 1)
    path = save(tmp_path, x_train=PIXELS, y_train=signs, class_names=["no", "yes"])
    assert classes(path) == (("no", "yes"), ["no" if n == 1 else "yes" for n in LABELS])


def test_missing_values_among_texts_are_no_classes(tmp_path: Path) -> None:
    objects = np.array([None, "cat", float("nan")], object)[LABELS]
    path = save(tmp_path, x_train=PIXELS, y_train=objects.astype(str))
    assert classes(path) == (("cat",), ["cat" if n == 1 else "none" for n in LABELS])
    texts = objects.astype(str)
    path = save(tmp_path, x_train=PIXELS, y_train=texts, class_names=["None", "cat"])
    assert classes(path)[1] == ["None" if n == 0 else "cat" if n == 1 else "none" for n in LABELS]


def test_classes_that_look_alike_are_reported(tmp_path: Path) -> None:
    log: list[str] = []
    words = np.array(["cat", "Cat", "dog"])[LABELS]
    load_dataset(settings(save(tmp_path, x_train=PIXELS, y_train=words)), 0, log.append)
    assert "classes whose names look alike: Cat, cat" in log[-1]


def test_labels_that_are_missing_or_padded(tmp_path: Path) -> None:
    path = save(tmp_path, x_train=PIXELS, y_train=np.where(LABELS == 1, np.nan, LABELS))
    dataset = load_dataset(settings(path, val_fraction=0.5), 0)
    labels = [*dataset.train.labels.tolist(), *dataset.val.labels.tolist()]
    assert dataset.train.class_names == ("0", "2")
    assert labels.count(-1) == int((LABELS == 1).sum())
    padded = np.array(["cat ", "cat", "dog\n"])[LABELS]
    path = save(tmp_path, x_train=PIXELS, y_train=padded)
    assert load_dataset(settings(path), 0).train.class_names == ("cat", "dog")


DEEP = np.random.default_rng(1).integers(0, 4096, (12, 6, 5)).astype(np.uint16)


@pytest.mark.parametrize(
    ("x", "more", "ends"),
    [
        (DEEP, {}, (0, 4095)),
        (DEEP.astype(np.int32), {}, (0, 4095)),
        (DEEP.astype(np.int64), {"range": [10, 4000]}, (10, 4000)),
        (DEEP / 7.0, {"range": "percentile 0 100"}, (DEEP.min() / 7, DEEP.max() / 7)),
        (DEEP, {"range": "percentile 5 90"}, np.percentile([*DEEP, *DEEP[:3]], [5, 90])),
        (DEEP / 4095, {}, (0, 1)),
    ],
    ids=["uint16", "int32", "int64", "floats", "percentiles", "unit"],
)
def test_more_than_8_bits_are_kept(
    tmp_path: Path, x: np.ndarray, more: dict[str, Any], ends: tuple[float, float]
) -> None:
    path = save(tmp_path, x_train=x, y_train=LABELS, x_test=x[:3], y_test=LABELS[:3])
    log: list[str] = []
    dataset = load_dataset(settings(path, **more), 0, log.append)
    assert dataset.train.images.dtype == torch.uint16 and "of 16 bits" in log[-1]
    share = ((x.astype(np.float64) - ends[0]) / (ends[1] - ends[0])).clip(0, 1)
    found = dataset.train.images[:, 0].numpy()
    np.testing.assert_allclose(found, share * 65535, atol=0.51)
    np.testing.assert_array_equal(dataset.val.images[:, 0].numpy(), found[:3])


@pytest.mark.parametrize("channels", [2, 4, 5, 16])
@pytest.mark.parametrize("first", [True, False])
def test_up_to_16_channels(tmp_path: Path, channels: int, first: bool) -> None:
    values = np.random.default_rng(2).integers(0, 65536, (8, channels, 20, 18)).astype(np.uint16)
    values[0, 0, 0, 0] = 65535
    x = values if first else values.transpose(0, 2, 3, 1)
    path = save(tmp_path, x_train=x, x_test=x)
    assert describe_source(settings(path)).shape == (channels, 20, 18)
    dataset = load_dataset(settings(path), 0)
    np.testing.assert_array_equal(dataset.train.images.numpy(), values)


def test_channels_that_leave_a_square_are_the_channels(tmp_path: Path) -> None:
    x = np.arange(12 * 8 * 8 * 16, dtype=np.uint16).reshape(12, 8, 8, 16)
    for given in (x, x.transpose(0, 3, 1, 2)):
        log: list[str] = []
        path = save(tmp_path, x_train=given, y_train=LABELS, x_test=given, y_test=LABELS)
        images = load_dataset(settings(path, range=[0, 65535]), 0, log.append).train.images.numpy()
        np.testing.assert_array_equal(images, x.transpose(0, 3, 1, 2))
        assert "is read with the channels" in log[-1]


def test_percentiles_of_nothing_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path, x_train=np.full((12, 6, 5), np.nan), y_train=LABELS)
    with pytest.raises(DataError, match="no value is a finite number"):
        load_dataset(settings(path, range="percentile 1 99"), 0)


def test_wide_integers_of_one_part_share_the_range_of_the_other(tmp_path: Path) -> None:
    path = save(tmp_path, x_train=DEEP // 20, x_test=DEEP, y_train=LABELS, y_test=LABELS)
    dataset = load_dataset(settings(path), 0)
    np.testing.assert_allclose(
        dataset.train.images[:, 0].numpy(), (DEEP // 20) / 4095 * 65535, atol=0.51
    )


def test_runs_of_before_have_8_bits_of_floats(tmp_path: Path) -> None:
    x = np.random.default_rng(1).random((12, 6, 5))
    dataset = load_dataset(settings(save(tmp_path, x_train=x, x_test=x), depth="8-bit"), 0)
    np.testing.assert_array_equal(dataset.train.images[:, 0].numpy(), np.rint(x * 255))
    assert dataset.train.images.dtype == torch.uint8


@pytest.mark.parametrize("fit", ["crop", "stretch", "pad"])
def test_each_fit_of_arrays_is_that_of_pillow(tmp_path: Path, fit: str) -> None:
    x = np.repeat(np.random.default_rng(4).integers(0, 256, (8, 10, 20)), 1, 0).astype(np.uint8)
    dataset = load_dataset(settings(save(tmp_path, x_train=x, x_test=x), size=10, fit=fit), 0)
    for found, image in zip(dataset.train.images[:, 0].numpy(), x, strict=True):
        picture = Image.fromarray(image)
        box = (5, 0, 15, 10) if fit == "crop" else (0, 0, 20, 10)
        size = (10, 5) if fit == "pad" else (10, 10)
        expected = np.zeros((10, 10))
        small = np.asarray(picture.resize(size, Image.Resampling.BILINEAR, box))
        expected[2:7] = small if fit == "pad" else expected[2:7]
        expected = expected if fit == "pad" else small
        np.testing.assert_allclose(found, expected, atol=1)
