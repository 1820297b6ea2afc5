"""What is listed in a folder and what is skipped: links in circles, pipes, thumbnails."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from PIL import Image

from tui_latent.config.settings import DataSettings
from tui_latent.datasets.listing import list_images
from tui_latent.datasets.sources import load_dataset


def paint(path: Path, value: int = 9) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (8, 8), value).save(path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("beach", "forest"):
        for k in range(6):
            paint(tmp_path / "d" / name / f"{k}.png", 10 * k)
    return tmp_path / "d"


def told(root: Path) -> tuple[int, str]:
    """Load a folder; return how many images are used, and the line about it."""
    log: list[str] = []
    chosen = DataSettings(source="folder", path=str(root), size=8)
    dataset = load_dataset(chosen, 0, log.append)
    lines = [line for line in log if "training images" in line]
    assert len(lines) == 1
    return len(dataset.train) + len(dataset.val), lines[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    "rubbish",
    [
        "@eaDir/0.png/SYNOPHOTO_THUMB_M.jpg",
        ".thumbnails/0.png",
        "__MACOSX/0.png",
        "#recycle/0.png",
        "$RECYCLE.BIN/0.png",
        "lost+found/0.png",
        ".ipynb_checkpoints/0-checkpoint.png",
        "@Recycle/0.png",
        "._0.png",
    ],
)
def test_thumbnails_and_rubbish_are_no_images(root: Path, data_folder: Path, rubbish: str) -> None:
    paint(root / "beach" / rubbish)
    paint(root / rubbish)
    count, line = told(root)
    assert count == 12 and "of 2 classes" in line and "not used: 1 " in line


def test_one_line_says_what_is_used_and_what_not(root: Path, data_folder: Path) -> None:
    paint(root / "beach" / "2023" / "0.png")
    (root / "beach" / "Thumbs.db").write_bytes(b"x")
    for k in range(3):
        (root / "forest" / f"{k}.heic").write_bytes(b"x")
    count, line = told(root)
    assert count == 13
    for words in (
        "training images of 2 classes, 8x8 grey",
        "held out: ",
        "20 % of the training images",
        "1 of the images is in subfolders",
        "3 .heic files",
        "1 .db file",
    ):
        assert words in line


@pytest.mark.parametrize(
    ("image", "mask"),
    [("0.png", "0_mask.png"), ("a (1).png", "a (1)_mask_1.png"), ("x-7.jpg", "x-7-Seg.png"),
     ("image_12.png", "mask_12.png"), ("IMG_3.png", "label_3.bmp")],
)  # fmt: skip
def test_images_named_like_masks_of_others_are_reported(
    root: Path, data_folder: Path, image: str, mask: str
) -> None:
    paint(root / "forest" / image)
    paint(root / "forest" / mask)
    said = f"1 of the images is named like a mask of another, such as forest/{mask}: move"
    assert said in told(root)[1]


def test_images_that_only_resemble_masks_are_not_reported(root: Path, data_folder: Path) -> None:
    for name in ("party_mask.png", "mask.png", "mask_12.png", "depth", "0mask.png"):
        paint(root / "forest" / name if "." in name else root / "forest" / name / "0.png")
    paint(root / "beach" / "party.png")
    assert "mask" not in told(root)[1]


def test_links_in_a_circle_end_and_nothing_is_there_twice(root: Path, data_folder: Path) -> None:
    (root / "beach" / "again").symlink_to(root / "beach")
    (root / "forest" / "up").symlink_to(root / "forest" / "deep")
    paint(root / "forest" / "deep" / "0.png")
    (root / "forest" / "deep" / "up").symlink_to(root / "forest")
    count, line = told(root)
    assert count == 13 and "links to folders already listed" in line


@pytest.mark.parametrize("labels", ["auto", "none"])
def test_a_link_to_a_folder_above_brings_no_images_of_other_classes_or_splits(
    root: Path, tmp_path: Path, data_folder: Path, labels: str
) -> None:
    whole = tmp_path / "whole"
    for name in ("train/beach", "train/forest", "test/beach", "test/forest"):
        for k in range(4):
            paint(whole / name / f"{k}.png", 10 * k)
    for up, place in (("..", "train/beach"), ("../..", "train/forest"), ("../../..", "test/beach")):
        (whole / place / "up").symlink_to(up)
    (root / "beach" / "up").symlink_to(root)
    for folder in (root, whole):
        log: list[str] = []
        settings = {"source": "folder", "path": str(folder), "size": 8, "labels": labels}
        dataset = load_dataset(DataSettings.model_validate(settings), 0, log.append)
        count = len(dataset.train) + len(dataset.val)
        assert count == (12 if folder == root else 16)
        where = "already listed" if (labels, folder) == ("none", root) else "above it"
        assert f"link to a folder {where}" in log[-1] or "links to folders above them" in log[-1]


def test_only_regular_files_are_opened(root: Path, data_folder: Path) -> None:
    os.mkfifo(root / "beach" / "x.png")
    (root / "beach" / "null.png").symlink_to("/dev/zero")
    listener = socket.socket(socket.AF_UNIX)
    here = Path.cwd()
    os.chdir(root / "beach")  # the path of a socket may have 107 bytes
    try:
        listener.bind("s.png")
    finally:
        os.chdir(here)
    count, line = told(root)
    listener.close()
    assert count == 12 and "3 pipes, sockets or devices" in line


def test_a_look_is_taken_at_every_entry(root: Path) -> None:
    looks = 0

    class Enough(Exception):
        pass

    def look() -> None:
        nonlocal looks
        looks += 1
        if looks == 5:
            raise Enough

    with pytest.raises(Enough):
        list_images(root, ["beach", "forest"], look)


def test_a_link_to_itself_is_a_corrupt_image(root: Path) -> None:
    (root / "beach" / "self.png").symlink_to("self.png")
    assert "beach/self.png" in [file.name for file in list_images(root, ["beach"]).files]


def test_images_come_by_class_and_then_by_name(root: Path) -> None:
    paint(root / "beach" / "3" / "z.png")
    names = [file.name for file in list_images(root, ["forest", None, "beach"]).files]
    assert names[:2] == ["forest/0.png", "forest/1.png"]
    assert names[6:] == [
        *("beach/0.png", "beach/1.png", "beach/2.png", "beach/3/z.png"),
        *("beach/3.png", "beach/4.png", "beach/5.png"),
    ]
