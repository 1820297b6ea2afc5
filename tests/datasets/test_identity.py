"""Images identified by content: which count as changed, which do not, and what is reported."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tui_latent.config.settings import DataSettings
from tui_latent.datasets import content_digests as contents_module
from tui_latent.datasets.identity import DataIdentity, changes
from tui_latent.datasets.image_set import Dataset
from tui_latent.datasets.sources import load_dataset
from tui_latent.runtime.regular_files import read_regular
from tui_latent.sources.errors import DataError

OLD = 315_532_800
"""seconds; what reproducible archives give every file"""


class Seen(Exception):
    """Ends a loading once the images are known."""


def paint(path: Path, value: int) -> None:
    """Write an image whose file has the same size for every value, as a BMP's has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (12, 12), (value, 255 - value, value // 2)).save(path)
    os.utime(path, (OLD, OLD))


def load(root: Path) -> Dataset:
    return load_dataset(DataSettings(source="folder", path=str(root), size=12), 0)


def identity(root: Path, source: str = "folder", **settings: object) -> DataIdentity:
    """Return the identity, and decode nothing for it."""
    found: list[DataIdentity] = []

    def keep(now: DataIdentity) -> None:
        found.append(now)
        raise Seen

    chosen = DataSettings.model_validate({"source": source, "path": str(root), **settings})
    with pytest.raises(Seen):
        load_dataset(chosen, 0, lambda _: None, "cpu", keep)
    return found[0]


def settle() -> None:
    """Let the notes grow old enough to be believed, as they are on the next day."""
    time.sleep(0.02)


@pytest.fixture(autouse=True)
def fine_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Believe notes after 10 ms."""
    monkeypatch.setattr(contents_module, "_RESOLUTION", 10_000_000)


@pytest.fixture
def root(tmp_path: Path, data_folder: Path) -> Path:
    """Splits whose files share names, sizes and times."""
    root = tmp_path / "archive"
    for number, split in enumerate(("train", "test")):
        for label, name in enumerate("ab"):
            for i in range(6):
                paint(root / split / name / f"{i}.bmp", 40 * number + 20 * label + i)
                time.sleep(0.005)  # changed at several instants, as files of a day are
    return root


def test_splits_that_share_names_sizes_and_times_are_read_each(root: Path) -> None:
    dataset = load(root)
    assert dataset.train.images[:, 0, 0, 0].tolist() == [*range(6), *range(20, 26)]
    assert dataset.val.images[:, 0, 0, 0].tolist() == [*range(40, 46), *range(60, 66)]


@pytest.mark.parametrize("how", ["in place", "by another file"])
def test_a_file_replaced_under_its_name_size_and_time_is_another(root: Path, how: str) -> None:
    before = identity(root)
    settle()
    path = root / "train" / "b" / "3.bmp"
    if how == "in place":
        content = path.read_bytes()
        with path.open("r+b") as file:
            file.write(content[:-30] + bytes(30))
        os.utime(path, (OLD, OLD))
    else:
        paint(path.with_name("new.bmp"), 200)
        path.with_name("new.bmp").replace(path)
    after = identity(root)
    assert changes(before, after) == "train: 1 changed (b/3.bmp); the run had 12"


def test_a_folder_under_the_same_path_is_read_anew(root: Path) -> None:
    load(root)
    root.rename(root.with_name("aside"))
    for i in range(4):
        for split in ("train", "test"):
            paint(root / split / "a" / f"{i}.bmp", 100 + i)
            paint(root / split / "b" / f"{i}.bmp", 110 + i)
    assert load(root).val.images[:, 0, 0, 0].tolist() == [*range(100, 104), *range(110, 114)]


def test_times_that_a_mount_makes_up_are_not_believed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here the inode's time is the archive's, and an image is another under the same inode."""
    from tui_latent.datasets import folder
    from tui_latent.datasets.listing import Listing, list_images

    def listed(place: Path, folders: list[str], look: Callable[[], None]) -> Listing:
        listing = list_images(place, folders, look)
        files = [file._replace(changed=OLD * 10**9, inode=7) for file in listing.files]
        return replace(listing, files=files)

    monkeypatch.setattr(folder, "list_images", listed)
    before = identity(root)
    settle()
    paint(root / "test" / "a" / "0.bmp", 210)
    assert changes(before, identity(root)) == "test: 1 changed (a/0.bmp); the run had 12"


def test_what_has_not_changed_is_not_read_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = identity(root)
    settle()
    read: list[str] = []
    digest = contents_module._digest

    def noticed(path: Path) -> bytes:
        read.append(path.name)
        return digest(path)

    monkeypatch.setattr(contents_module, "_digest", noticed)
    assert identity(root).same_as(before) and read == []
    paint(root / "train" / "a" / "2.bmp", 99)
    assert not identity(root).same_as(before) and read == ["2.bmp"]


def test_a_change_just_before_the_reading_is_looked_at_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a file system that tells no two changes of a second apart."""
    from tui_latent.datasets import folder
    from tui_latent.datasets.listing import Listing, list_images

    monkeypatch.setattr(contents_module, "_RESOLUTION", 2 * 10**9)
    now = time.time_ns()

    def listed(place: Path, folders: list[str], look: Callable[[], None]) -> Listing:
        listing = list_images(place, folders, look)
        numbered = enumerate(listing.files)
        files = [file._replace(changed=now - 9 * row, inode=row) for row, file in numbered]
        return replace(listing, files=files)

    monkeypatch.setattr(folder, "list_images", listed)
    before = identity(root)
    paint(root / "train" / "a" / "5.bmp", 123)
    assert "a/5.bmp" in changes(before, identity(root))


def test_a_file_with_another_inode_is_read_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a file system whose times, all of long ago, an archive sets."""
    from tui_latent.datasets import folder
    from tui_latent.datasets.listing import Listing, list_images

    inode = 5

    def listed(place: Path, folders: list[str], look: Callable[[], None]) -> Listing:
        listing = list_images(place, folders, look)
        numbered = enumerate(listing.files)
        files = [file._replace(changed=row, inode=inode) for row, file in numbered]
        return replace(listing, files=files)

    monkeypatch.setattr(folder, "list_images", listed)
    before = identity(root)
    settle()
    paint(root / "test" / "b" / "1.bmp", 222)
    inode = 6
    assert changes(before, identity(root)) == "test: 1 changed (b/1.bmp); the run had 12"


def test_a_moved_and_a_copied_folder_are_the_same_images(root: Path, tmp_path: Path) -> None:
    before, pixels = identity(root), load(root)
    root.rename(tmp_path / "moved")
    shutil.copytree(tmp_path / "moved", tmp_path / "copied")
    for name in ("moved", "copied"):
        assert identity(tmp_path / name).same_as(before)
        assert load(tmp_path / name).train.images.equal(pixels.train.images)


def test_what_has_changed_is_reported_in_a_sentence(root: Path) -> None:
    before = identity(root)
    paint(root / "train" / "a" / "6.bmp", 7)
    (root / "train" / "b" / "0.bmp").unlink()
    paint(root / "train" / "b" / "1.bmp", 250)
    assert changes(before, identity(root)) == (
        "train: 1 image added (a/6.bmp), 1 image removed (b/0.bmp), 1 changed (b/1.bmp); "
        "the run had 12"
    )
    shutil.copytree(root / "train" / "b", root / "train" / "dog")
    assert changes(before, identity(root)).startswith("class dog new; train: 6 images added")


def test_renamed_files_are_other_images_only_in_another_order(root: Path) -> None:
    before = identity(root)
    (root / "train" / "a" / "3.bmp").rename(root / "train" / "a" / "3x.bmp")
    assert changes(before, identity(root)) == ""
    (root / "train" / "a" / "0.bmp").rename(root / "train" / "a" / "z.bmp")
    assert "renamed (a/0.bmp to a/z.bmp" in changes(before, identity(root))


def test_a_held_out_folder_that_came_later_is_a_change(root: Path) -> None:
    (root / "test").rename(root / "later")
    before = identity(root)
    (root / "later").rename(root / "test")
    assert changes(before, identity(root)).startswith("test: 12 images added")


def test_times_before_1970_are_times(root: Path) -> None:
    for path in (root / "train").rglob("*.bmp"):
        os.utime(path, (-5, -5))
    assert len(load(root).train) == 12


def test_arrays_are_known_by_their_pixels_and_labels(tmp_path: Path, data_folder: Path) -> None:
    random = np.random.default_rng(0)
    images, labels = random.integers(0, 256, (20, 8, 8), np.uint8), np.arange(20) % 2
    path = tmp_path / "mine.npz"
    np.savez(path, x_train=images, y_train=labels)
    before = identity(path, "arrays")
    np.savez_compressed(path, x_train=images, y_train=labels)
    assert identity(path, "arrays").same_as(before), "the same images, packed"
    images[17, 0, 0] ^= 1
    np.savez(path, x_train=images, y_train=labels)
    said = "training images: 1 changed (number 17); the run had 20"
    assert changes(before, identity(path, "arrays")) == said
    images[17, 0, 0] ^= 1
    labels[4] = 1
    np.savez(path, x_train=images, y_train=labels)
    said = "training images: 1 with another class (number 4: 0 to 1); the run had 20"
    assert changes(before, identity(path, "arrays")) == said
    np.savez(path, x_train=images[:15], y_train=np.arange(15) % 2)
    assert "5 images removed" in changes(before, identity(path, "arrays"))


def test_equal_images_of_other_classes_are_counted_one_by_one(
    tmp_path: Path, data_folder: Path
) -> None:
    path = tmp_path / "blank.npz"
    images, labels = np.zeros((20, 8, 8), np.uint8), np.arange(20) % 2
    np.savez(path, x_train=images, y_train=labels)
    before = identity(path, "arrays")
    labels[[4, 6]] = 1
    np.savez(path, x_train=images, y_train=labels)
    said = "training images: 2 with another class (number 1: 0 to 1, number 3: 0 to 1)"
    assert changes(before, identity(path, "arrays")).startswith(f"{said}; ")


def test_a_table_with_other_classes_or_repeated_images_says_which(root: Path) -> None:
    table = root / "images.csv"
    rows = [f"train/a/{k}.bmp,cat" for k in range(4)] + [f"train/b/{k}.bmp,dog" for k in range(4)]
    table.write_text("\n".join(["path,label", *rows]), encoding="utf-8")
    before = identity(table, "manifest")
    other = [rows[0].replace("cat", "dog"), *rows[1:]]
    table.write_text("\n".join(["path,label", *other]), encoding="utf-8")
    said = "train: 1 with another class (train/a/0.bmp: cat to dog); the run had 8"
    assert changes(before, identity(table, "manifest")) == said
    table.write_text("\n".join(["path,label", *rows[:7], "train/b/3.bmp,"]), encoding="utf-8")
    assert "(train/b/3.bmp: dog to no class)" in changes(before, identity(table, "manifest"))
    table.write_text("\n".join(["path,label", *rows, rows[2]]), encoding="utf-8")
    assert "1 image added (train/a/2.bmp (2))" in changes(before, identity(table, "manifest"))


def test_a_file_that_changes_while_it_is_decoded_is_refused(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui_latent.datasets import image_item

    def slow(path: str, most: int) -> tuple[bytes, os.stat_result]:
        if path.endswith("4.bmp"):
            paint(Path(path), 77)
        return read_regular(path, most)

    monkeypatch.setattr(image_item, "read_regular", slow)
    with pytest.raises(DataError, match=r"4\.bmp: changed while it was read"):
        load(root)
