"""Images of opened vectors, by id, by row and from columns."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tui_latent.opening.errors import OpenError
from tui_latent.opening.files import open_file
from tui_latent.opening.images import images_of
from tui_latent.opening.vectors import VectorFile

ROWS = np.arange(3)


def file_with(tmp_path: Path, **columns: Any) -> VectorFile:
    np.savez(tmp_path / "v.npz", z=np.eye(3), **columns)
    return open_file(str(tmp_path / "v.npz"))


def picture(path: Path, shade: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (8, 8), shade).save(path)


@pytest.mark.parametrize(
    "ids",
    [
        ["a/1.png", "a/2.png", "b/1.png"],
        ["a/1", "a/2", "b/1"],
        ["/data/x/one.png", "two.png", "three.png"],
        ["one", "two", "three"],
    ],
)
def test_files_are_found_by_id(tmp_path: Path, ids: list[str]) -> None:
    folder = tmp_path / "images"
    named = ids if ids[0].startswith("a") else ["q/one.png", "two.png", "three.png"]
    for name in named:
        picture((folder / name).with_suffix(".png"), 0)
    found = images_of(file_with(tmp_path), str(folder), ids)
    assert found.of(ROWS) == [(folder / name).with_suffix(".png") for name in named]
    assert found.told.endswith("by id")


def test_rows_without_a_file_are_counted(tmp_path: Path) -> None:
    picture(tmp_path / "images" / "two.png", 0)
    found = images_of(file_with(tmp_path), str(tmp_path / "images"), ["one", "two", "three"])
    assert found.of(ROWS) == [None, tmp_path / "images" / "two.png", None]
    assert "2 rows without an image" in found.told


def test_a_folder_is_joined_by_row_in_the_order_of_imagefolder(tmp_path: Path) -> None:
    for name in ("b/1.png", "a/2.png", "a/10.png", ".hidden.png", "notes.txt"):
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "images" / name).write_bytes(b"")
    found = images_of(file_with(tmp_path), str(tmp_path / "images"), None)
    names = [path.relative_to(tmp_path / "images").as_posix() for path in found.of(ROWS)]
    assert names == ["a/10.png", "a/2.png", "b/1.png"]


def test_a_folder_of_another_length_or_of_other_names_is_refused(tmp_path: Path) -> None:
    file = file_with(tmp_path)
    with pytest.raises(OpenError, match="no such folder"):
        images_of(file, str(tmp_path / "gone"), None)
    (tmp_path / "images").mkdir()
    with pytest.raises(OpenError, match="no images in it"):
        images_of(file, str(tmp_path / "images"), None)
    picture(tmp_path / "images" / "x.png", 0)
    with pytest.raises(OpenError, match=r"1 image, but v\.npz has 3 rows"):
        images_of(file, str(tmp_path / "images"), None)
    with pytest.raises(OpenError, match=r"it has 'x\.png', the first id is 'one'"):
        images_of(file, str(tmp_path / "images"), ["one", "two", "three"])


def test_a_column_has_images_or_paths_beside_the_file(tmp_path: Path) -> None:
    array = np.arange(3 * 64, dtype=np.uint8).reshape(3, 8, 8)
    paths = np.array(["p/0.png", "p/1.png", ""])
    for shade in (0, 1):
        picture(tmp_path / "p" / f"{shade}.png", shade)
    file = file_with(tmp_path, images=array, paths=paths, none=np.array(["", "", ""]))
    assert np.array_equal(images_of(file, "images", None).of(ROWS), array)
    found = images_of(file, "paths", None)
    assert found.of(ROWS) == [tmp_path / "p" / "0.png", tmp_path / "p" / "1.png", None]
    with pytest.raises(OpenError, match="neither paths nor images"):
        images_of(file, "none", None)
    (tmp_path / "w").mkdir()
    wrong = file_with(tmp_path / "w", paths=np.array(["x.png", "y.png", "z.png"]))
    with pytest.raises(OpenError, match=r"there is no file at .*x\.png"):
        images_of(wrong, "paths", None)


def test_encoded_images_of_a_parquet_column_are_decoded(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    encoded = []
    for shade in (10, 200):
        file = io.BytesIO()
        Image.new("RGB", (90, 70), (shade, 0, 0)).save(file, "PNG")
        encoded.append({"bytes": file.getvalue(), "path": None})
    encoded.append({"bytes": b"no image", "path": None})
    table = pa.table({"emb": np.eye(3).tolist(), "image": encoded})
    pq.write_table(table, tmp_path / "v.parquet")
    found = images_of(open_file(str(tmp_path / "v.parquet")), "image", None).of(ROWS)
    assert [image[0, 0, 0] for image in found[:2]] == [10, 200]
    assert found[0].shape == (64, 64, 3) and found[2] is None
