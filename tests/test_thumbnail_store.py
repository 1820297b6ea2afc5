"""The thumbnails of foreign runs: what arrays and files become, and what is left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tui_latent import thumbnail_store
from tui_latent.runs.thumbnails import read_thumbnails
from tui_latent.thumbnail_store import ThumbnailError, store_thumbnails


def kept(run: Path, pictures: Any, count: int) -> tuple[Any, np.ndarray]:
    stored = store_thumbnails(run, "val", pictures, count, workers=2)
    images = read_thumbnails(run, "val")
    assert images is not None
    assert sorted(path.name for path in (run / "thumbnails").iterdir()) == ["val.npy"]
    return stored, np.array(images)


@pytest.mark.parametrize("shape", [(12, 10), (12, 10, 1), (1, 12, 10), (12, 10, 3), (3, 12, 10)])
def test_small_arrays_are_kept_as_they_are(tmp_path: Path, shape: tuple[int, ...]) -> None:
    images = np.random.default_rng(0).integers(0, 256, (300, *shape), np.uint8)
    stored, found = kept(tmp_path, images, 300)
    wanted = images.reshape(300, 1, 12, 10) if images[0].size == 120 else images
    if wanted.shape[-1] == 3:
        wanted = wanted.transpose(0, 3, 1, 2)
    assert np.array_equal(found, wanted)
    assert not stored.left_out


def test_large_arrays_are_shrunk_with_their_proportions(tmp_path: Path) -> None:
    images = np.zeros((2, 200, 100, 3), np.uint8)
    images[:, :100, :, 0] = 200
    stored, found = kept(tmp_path, images, 2)
    assert found.shape == (2, 3, 64, 32) and stored.side == 64
    assert (found[:, 0, :32] == 200).all() and not found[:, 0, 32:].any()
    assert not found[:, 1:].any()


def test_files_are_cut_to_their_square_and_unreadable_ones_are_named(tmp_path: Path) -> None:
    paths: list[Any] = []
    for number, (mode, size) in enumerate([("L", (40, 20)), ("RGB", (20, 20)), ("P", (10, 30))]):
        paths.append(tmp_path / f"{number}.png")
        Image.new(mode, size, 0 if mode == "P" else 90 if mode == "L" else (90, 0, 0)).save(
            paths[-1]
        )
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    paths += [tmp_path / "broken.jpg", None, str(tmp_path / "gone.png")]
    stored, found = kept(tmp_path, paths, 6)
    assert found.shape == (6, 3, 20, 20), "not enlarged beyond the largest"
    assert (found[0] == 90).all() and (found[1, 0] == 90).all() and not found[1, 1:].any()
    assert len(np.unique(found[3])) == 2, "a cross"
    assert stored.left_out.startswith("3 images could not be read: ")
    assert "broken.jpg" in stored.left_out and "row 4" in stored.left_out


def test_a_function_is_asked_for_rows(tmp_path: Path) -> None:
    asked: list[int] = []

    def images_of(rows: np.ndarray) -> np.ndarray:
        asked.extend(rows.tolist())
        return np.full((len(rows), 8, 8), 1, np.uint8) * rows[:, None, None].astype(np.uint8)

    _, found = kept(tmp_path, images_of, 255)
    assert found[:, 0, 0, 0].tolist() == list(range(255))
    assert max(asked) == 254


def test_more_than_the_bound_is_shrunk_further_then_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = np.zeros((20, 64, 64), np.uint8)
    monkeypatch.setattr(thumbnail_store, "MOST_BYTES", 20 * 3 * 48 * 48)
    stored, found = kept(tmp_path, images, 20)
    assert found.shape == (20, 1, 48, 48) and not stored.left_out
    monkeypatch.setattr(thumbnail_store, "MOST_BYTES", 15 * 3 * 32 * 32)
    stored, found = kept(tmp_path, images, 20)
    assert found.shape == (15, 1, 32, 32)
    assert "the first 15 of 20 images" in stored.left_out


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((5, 8, 8), np.float32),
        np.zeros((5, 8, 8, 4), np.uint8),
        np.zeros((5, 8), np.uint8),
        np.zeros((5, 0, 8), np.uint8),
        [np.zeros((8, 8, 2), np.uint8)] * 5,
    ],
)
def test_arrays_that_are_no_images_are_refused(tmp_path: Path, images: Any) -> None:
    with pytest.raises(ThumbnailError, match="must be uint8"):
        store_thumbnails(tmp_path, "val", images, 5)


def test_too_few_images_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ThumbnailError, match="6 latents, but only 5 images"):
        store_thumbnails(tmp_path, "val", np.zeros((5, 8, 8), np.uint8), 6)


def test_an_exception_leaves_the_old_file(tmp_path: Path) -> None:
    kept(tmp_path, np.ones((3, 8, 8), np.uint8), 3)

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store_thumbnails(tmp_path, "val", np.zeros((3, 8, 8), np.uint8), 3, on_chunk=stop)
    images = read_thumbnails(tmp_path, "val")
    assert images is not None and images.all()
    assert len(list((tmp_path / "thumbnails").iterdir())) == 1
