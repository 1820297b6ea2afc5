"""Array archives: every layout gives the same images, everything else is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tui_latent.data.facts import describe_source
from tui_latent.data.sources import DataError, load_dataset
from tui_latent.settings import DataSettings

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
        ({"x_train": PIXELS}, "no array y_train"),
        ({"x_train": PIXELS, "y_train": LABELS[:5]}, r"y_train has shape \(5,\): 12 labels"),
        ({"x_train": PIXELS, "y_train": LABELS / 2}, "y_train has type float64"),
        ({"x_train": PIXELS, "y_train": LABELS - 1}, "label -1"),
        ({"x_train": PIXELS.astype(int), "y_train": LABELS}, "x_train has type int64"),
        ({"x_train": PIXELS.astype(float), "y_train": LABELS}, "must be in 0..1"),
        ({"x_train": np.full((12, 4, 4), np.nan), "y_train": LABELS}, "must be in 0..1"),
        ({"x_train": PIXELS[:, :, 0], "y_train": LABELS}, r"x_train has shape \(12, 6\)"),
        ({"x_train": PIXELS[:0], "y_train": LABELS[:0]}, r"x_train has shape \(0, 6, 5\)"),
        ({"x_train": np.zeros((12, 4, 4, 2)), "y_train": LABELS}, "1 or 3 channels"),
        ({"x_train": PIXELS, "y_train": LABELS, "x_test": PIXELS}, "x_test without y_test"),
        (
            {"x_train": PIXELS, "y_train": LABELS, "x_test": PIXELS[:, 1:], "y_test": LABELS},
            "they must be the same",
        ),
        ({"x_train": PIXELS, "y_train": LABELS, "class_names": ["a", "b"]}, "2 class_names"),
        ({"x_train": PIXELS, "y_train": LABELS, "class_names": ["a"] * 3}, "are the same"),
        ({"x_train": np.array([{}]), "y_train": LABELS}, "x_train cannot be read"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    path = save(tmp_path, **arrays)
    with pytest.raises(DataError, match=message) as caught:
        load_dataset(settings(path), 0)
    assert str(path) in str(caught.value)


def test_files_that_are_no_archives(tmp_path: Path) -> None:
    single, text, torn = (tmp_path / name for name in ("one.npy", "text.npz", "torn.npz"))
    np.save(single, PIXELS)
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
