"""Image folders: layouts, names, sizes, corrupt files, and a cache that survives a kill."""

from __future__ import annotations

import os
import struct
import threading
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from tui_latent.config.settings import DataSettings
from tui_latent.datasets import decoded_cache as decode_module
from tui_latent.datasets import image_item as item_module
from tui_latent.datasets.describe import describe_source
from tui_latent.datasets.image_set import Dataset
from tui_latent.datasets.shown_image import decode
from tui_latent.datasets.sources import DataError, load_dataset
from tui_latent.runtime.regular_files import read_regular

RED, GREEN, BLUE = (250, 0, 0), (0, 250, 0), (0, 0, 250)


def paint(path: Path, colour: tuple[int, int, int] | int, size: tuple[int, int] = (20, 20)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L" if isinstance(colour, int) else "RGB", size, colour).save(path)


def load(root: Path, log: list[str] | None = None, **settings: object) -> Dataset:
    chosen = DataSettings.model_validate({"source": "folder", "path": str(root), **settings})
    return load_dataset(chosen, 0, (log if log is not None else []).append)


@pytest.fixture
def root(tmp_path: Path, data_folder: Path) -> Path:
    """train and val of two classes, one with a name that is markup."""
    root = tmp_path / "photos"
    for split, images in (("train", 5), ("val", 2)):
        for i in range(images):
            paint(root / split / "[red]" / f"{i}.png", RED, (20 + i, 30))
            paint(root / split / "grün & blau" / f"{i}.PNG", BLUE)
    return root


def test_classes_splits_and_pixels(root: Path) -> None:
    dataset = load(root, size=16)
    assert dataset.name == "photos" and dataset.held_out == "images in val"
    assert dataset.train.class_names == ("[red]", "grün & blau")
    assert dataset.train.images.shape == (10, 3, 16, 16)
    assert dataset.val.labels.tolist() == [0, 0, 1, 1]
    for images in (dataset.train, dataset.val):
        for image, label in zip(images.images, images.labels, strict=True):
            assert image[:, 8, 8].tolist() == list((RED, BLUE)[int(label)])


def test_default_size_is_64(root: Path) -> None:
    assert load(root).train.images.shape[2:] == (64, 64)


def test_test_folder_is_held_out_when_there_is_no_val(root: Path) -> None:
    (root / "val").rename(root / "test")
    dataset = load(root, size=8)
    assert (len(dataset.train), len(dataset.val)) == (10, 4)


def test_without_splits_a_fifth_of_each_class_is_held_out(
    tmp_path: Path, data_folder: Path
) -> None:
    for i in range(20):
        paint(tmp_path / "flat" / "a" / f"{i}.png", RED)
        paint(tmp_path / "flat" / "b" / "deeper" / f"{i}.jpg", GREEN)
    dataset = load(tmp_path / "flat", size=8)
    assert torch.bincount(dataset.train.labels).tolist() == [16, 16]
    assert torch.bincount(dataset.val.labels).tolist() == [4, 4]
    assert dataset.held_out == "20 % of the training images"


def test_where_small_classes_give_more_than_their_share_it_is_said(
    tmp_path: Path, data_folder: Path
) -> None:
    for i in range(20):
        paint(tmp_path / "flat" / "a" / f"{i}.png", RED)
    for i in range(4):
        paint(tmp_path / "flat" / "b" / f"{i}.png", GREEN)
    dataset = load(tmp_path / "flat", size=8)
    assert torch.bincount(dataset.val.labels).tolist() == [4, 2]
    assert dataset.held_out == "20 % of the training images, more of small classes"


def test_val_fraction_takes_from_train_instead_of_val(root: Path) -> None:
    dataset = load(root, size=8, val_fraction=0.4)
    assert (len(dataset.train), len(dataset.val)) == (6, 4)


def test_hidden_and_other_files_are_ignored(root: Path) -> None:
    paint(root / "train" / ".hidden" / "0.png", GREEN)
    paint(root / "train" / "[red]" / ".thumb.png", GREEN)
    (root / "train" / "[red]" / "notes.txt").write_text("not an image")
    (root / "train" / "README.md").write_text("not a class")
    assert torch.bincount(load(root, size=8).train.labels).tolist() == [5, 5]


def test_the_centre_square_is_kept(tmp_path: Path, data_folder: Path) -> None:
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = 200
    for i in range(4):
        (tmp_path / "wide" / "a").mkdir(parents=True, exist_ok=True)
        Image.fromarray(wide).save(tmp_path / "wide" / "a" / f"{i}.png")
    assert int(load(tmp_path / "wide", size=10).train.images.min()) == 200


def test_grey_files_make_one_channel(tmp_path: Path, data_folder: Path) -> None:
    for i in range(4):
        paint(tmp_path / "grey" / "a" / f"{i}.png", 10 + i)
    assert load(tmp_path / "grey", size=8).train.images.shape[1] == 1
    paint(tmp_path / "grey" / "a" / "9.png", BLUE)
    assert load(tmp_path / "grey", size=8).train.images.shape[1] == 3


def test_corrupt_files_are_named_and_counted(root: Path) -> None:
    (root / "train" / "[red]" / "1.png").write_bytes(b"\0no image")
    whole = (root / "train" / "[red]" / "2.png").read_bytes()
    (root / "train" / "[red]" / "2.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError) as caught:
        load(root, size=8)
    assert "2 of 10 images" in str(caught.value)
    assert "[red]/1.png, [red]/2.png" in str(caught.value)
    assert "data.skip_corrupt=true" in str(caught.value)
    log: list[str] = []
    dataset = load(root, log, size=8, skip_corrupt=True)
    assert torch.bincount(dataset.train.labels).tolist() == [3, 5]
    assert any("2 of 10 images" in line and "skipped" in line for line in log)


def bomb(path: Path, side: int) -> None:
    """Write a whole black PNG of `side` x `side` pixels in a few kilobytes, of a bit each."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = bytes(side * (1 + (side + 7) // 8))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + body)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [10_001, 20_000])  # below and above what Pillow refuses
def test_an_image_bomb_is_refused_by_its_size_and_named(root: Path, side: int) -> None:
    bomb(root / "train" / "[red]" / "bomb.png", side)
    tracemalloc.start()
    with pytest.raises(DataError, match=r"bomb\.png \(more than 100 million pixels\)"):
        load(root)
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()
    assert len(load(root, skip_corrupt=True).train) == 10


def test_a_class_emptied_by_corrupt_files_is_refused(root: Path) -> None:
    for path in (root / "train" / "[red]").iterdir():
        path.write_bytes(b"")
    with pytest.raises(DataError, match=r"class '\[red\]' has no training image"):
        load(root, size=8, skip_corrupt=True)


def test_an_empty_class_folder_is_refused_unless_left_out(root: Path) -> None:
    (root / "train" / "empty").mkdir()
    with pytest.raises(DataError, match="class 'empty' has no training image"):
        load(root, size=8)
    assert len(load(root, size=8, classes=("[red]", "grün & blau")).train) == 10


def test_only_chosen_classes_are_decoded(root: Path) -> None:
    (root / "train" / "[red]" / "0.png").write_bytes(b"no image")
    dataset = load(root, size=8, classes=("grün & blau",))
    assert dataset.train.class_names == ("grün & blau",)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda root: None, "no folder"),
        (lambda root: root.mkdir(), "no class folders"),
        (lambda root: (root / "train").mkdir(parents=True), "no class folders"),
        (lambda root: (root / "a").mkdir(parents=True), "no images"),
        (lambda root: paint(root / "0.png", RED), "there is only one image"),
    ],
)
def test_a_folder_that_is_not_laid_out_as_wanted(
    tmp_path: Path, data_folder: Path, make: object, message: str
) -> None:
    assert callable(make)
    make(tmp_path / "odd")
    with pytest.raises(DataError, match=message) as caught:
        load(tmp_path / "odd")
    assert "odd" in str(caught.value)


def test_a_relative_path_is_named_in_full(
    tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for labels in ("auto", "none"):
        with pytest.raises(DataError, match=f"no folder {tmp_path}/photos"):
            load(Path("photos"), labels=labels)


@pytest.mark.parametrize(
    ("name", "remedy"),
    [("x.csv", "data.source=manifest"), ("x.npz", "data.source=arrays"), ("x.zip", "unpack it"),
     ("x.tar", "unpack it, or set data.source=manifest"), ("0.png", "name the folder"),
     ("x", "name a folder")],
    ids=["table", "archive of arrays", "zip", "tar", "image", "other"],
)  # fmt: skip
def test_a_file_where_a_folder_was_expected(
    tmp_path: Path, data_folder: Path, name: str, remedy: str
) -> None:
    (tmp_path / name).write_bytes(b"x")
    for labels in ("auto", "none"):
        with pytest.raises(DataError, match=f"{name} is a file, not a folder.*: .*{remedy}"):
            load(tmp_path / name, labels=labels)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "empty"), (bytes(999), "nothing but zeros"), (b"\n<!DOCTYPE html><p>", "a web page"),
     (b"version https://git-lfs.github.com/spec/v1\noid", "a pointer of Git LFS"),
     (b"\0\0\0\x18ftypheic\0\0", "HEIC: convert it"), (b"\0\0\0\x18ftypavif\0", "AVIF"),
     (b"\0\0\0\x18ftypisom", "a video"), (b"\0\0\0\x0cjP  \r\n", "JPEG 2000"),
     (bytes(128) + b"DICM", "DICOM"), (b"<?xml?><svg/>", "SVG"), (b"%PDF-1.7", "a PDF"),
     (b"PK\3\4", "a ZIP archive"), (b"\0\5\x16\7", "what macOS"), (None, "a link to a file"),
     (b"\0\0\0\x18ftyphevm\0", "HEIC: convert it"), (b"\x1aE\xdf\xa3\0", "a video"),
     (b"<?xml version='1.0'?><Error>AccessDenied</Error>", "text, not an image"),
     (b'{"error": "nicht gef' + "ü".encode()[:1], "text, not an image")],
    ids=["empty", "zeros", "web page", "Git LFS", "HEIC", "AVIF", "video", "JPEG 2000", "DICOM",
         "SVG", "PDF", "ZIP", "AppleDouble", "link", "HEVC", "WebM", "XML", "JSON"],
)  # fmt: skip
def test_a_file_called_like_an_image_is_called_what_it_is(
    tmp_path: Path, data_folder: Path, content: bytes | None, words: str
) -> None:
    for number in range(4):
        paint(tmp_path / "d" / "a" / f"{number}.png", RED)
    odd = tmp_path / "d" / "a" / "odd.jpg"
    odd.symlink_to(odd) if content is None else odd.write_bytes(content)
    with pytest.raises(DataError, match=rf"1 of 5 images cannot be read: a/odd\.jpg \({words}"):
        load(tmp_path / "d", size=8)
    dataset = load(tmp_path / "d", size=8, skip_corrupt=True)
    assert len(dataset.train) + len(dataset.val) == 4


def test_masks_within_splits_are_not_classes(tmp_path: Path, data_folder: Path) -> None:
    for number in range(4):
        for folder in ("train/images", "train/labels", "val/images", "val/labels"):
            paint(tmp_path / "d" / folder / f"{number}.png", RED)
    with pytest.raises(DataError, match="look like images and their masks or labels"):
        load(tmp_path / "d", size=8)
    assert load(tmp_path / "d", size=8, classes=("images",)).train.class_names == ("images",)


def test_images_beside_class_folders_are_reported_with_a_way_to_use_them(
    tmp_path: Path, data_folder: Path
) -> None:
    for number in range(4):
        paint(tmp_path / "d" / f"{number}.png", RED)
        paint(tmp_path / "d" / "a" / f"{number}.png", RED)
    log: list[str] = []
    settings = DataSettings(source="folder", path=str(tmp_path / "d"), size=8)
    load_dataset(settings, 0, log.append)
    assert "4 images outside the class folders; data.labels=none uses all" in log[-1]
    whole = load(tmp_path / "d", size=8, labels="none")
    assert len(whole.train) + len(whole.val) == 8


def test_a_held_out_class_without_training_images_is_named(root: Path) -> None:
    paint(root / "val" / "stranger" / "0.png", RED)
    with pytest.raises(DataError, match="class 'stranger' is not in"):
        load(root)


def test_names_that_no_screen_can_show_are_cleaned(tmp_path: Path, data_folder: Path) -> None:
    for i in range(4):
        paint(tmp_path / "bad" / "a\x1b[2J\n" / f"{i}.png", RED)
        paint(tmp_path / "bad" / os.fsdecode(b"\xff\xfe") / f"{i}.png", RED)
    names = load(tmp_path / "bad", size=8).train.class_names
    assert all(name.isprintable() for name in names) and len(names) == 2


def test_the_second_start_decodes_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(root, size=8)
    log: list[str] = []
    monkeypatch.setattr(decode_module, "decode_chunk", None)
    second = load(root, log, size=8)
    assert torch.equal(first.train.images, second.train.images)
    assert not any("decod" in line for line in log)


def test_a_changed_file_is_decoded_again(root: Path) -> None:
    load(root, size=8)
    paint(root / "train" / "[red]" / "0.png", GREEN, (40, 40))
    assert load(root, size=8).train.images[0, :, 4, 4].tolist() == list(GREEN)


def test_a_killed_decoding_goes_on_where_it_was(
    tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(60):
        paint(tmp_path / "many" / "a" / f"{i:02}.png", (i, 2 * i, 3 * i))
    monkeypatch.setattr(decode_module, "_CHUNK", 8)
    monkeypatch.setattr(decode_module, "_CHUNKS_AHEAD", 1)
    monkeypatch.setattr(decode_module, "_SECONDS_BETWEEN_SYNCS", 0.0)
    read: list[str] = []

    def remembering(path: str, most: int) -> tuple[bytes, os.stat_result]:
        read.append(Path(path).name)
        return read_regular(path, most)

    monkeypatch.setattr(item_module, "read_regular", remembering)

    class Killed(BaseException):
        pass

    def kill_after_half(line: str) -> None:
        if line.startswith("decoded 32 "):
            raise Killed

    chosen = DataSettings(source="folder", path=str(tmp_path / "many"), size=8)
    with pytest.raises(Killed):
        load_dataset(chosen, 0, kill_after_half)
    cache = next((data_folder / "prepared").glob("images-*"))
    with (cache / "images.u8").open("r+b") as file:  # what had not reached the disk is lost
        file.truncate(32 * 3 * 64 + 10)
    for thread in threading.enumerate():
        if thread.name.startswith("ahead"):
            thread.join()  # it may be in the middle of a file
    read.clear()
    dataset = load_dataset(chosen, 0)
    assert sorted(read) == [f"{i:02}.png" for i in range(32, 60)]
    values = torch.cat([dataset.train.images, dataset.val.images])[:, 0, 0, 0]
    assert sorted(values.tolist()) == list(range(60))


def test_a_torn_cache_is_made_anew(root: Path, data_folder: Path) -> None:
    before = load(root, size=8)
    for cache in (data_folder / "prepared").glob("images-*"):
        (cache / "images.u8").write_bytes(b"torn")
    assert torch.equal(load(root, size=8).train.images, before.train.images)


def test_progress_is_reported(root: Path) -> None:
    log: list[str] = []
    load(root, log, size=8)
    assert log[0].startswith("decoding 10 images") and "decoded 10 of 10 images" in log[1]


def test_a_full_disk_is_foreseen(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = type("Usage", (), {"free": 100})
    monkeypatch.setattr("shutil.disk_usage", lambda path: full)
    with pytest.raises(DataError, match="free some space"):
        load(root, size=8)


def test_sixteen_bits_and_cameras_held_sideways(tmp_path: Path) -> None:
    deep = np.full((4, 4), 0x8000, np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    image = decode(tmp_path / "deep.png", 4)
    assert image is not None and image.mode == "L" and image.getpixel((0, 0)) == 0x80
    sideways = Image.new("RGB", (8, 8), RED)
    sideways.paste(BLUE, (0, 0, 8, 4))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # to be turned clockwise: what is above goes right
    sideways.save(tmp_path / "sideways.png", exif=exif)
    image = decode(tmp_path / "sideways.png", 8)
    assert image is not None and image.getpixel((6, 1)) == BLUE and image.getpixel((1, 1)) == RED


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*:UserWarning:PIL")  # Pillow's words about what is damaged
@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["png", "jpeg", "gif", "bmp", "tiff", "webp"]), st.data())
def test_damaged_bytes_are_an_image_or_corrupt_never_a_crash(
    tmp_path_factory: pytest.TempPathFactory, kind: str, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("damaged") / f"x.{kind}"
    Image.linear_gradient("L").resize((24, 24)).convert("RGB").save(path, kind)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    image = decode(path, 8)
    assert image is None or (image.size == (8, 8) and image.mode in ("L", "RGB"))


def test_facts_of_a_folder_are_a_cheap_look(root: Path) -> None:
    facts = describe_source(DataSettings(source="folder", path=str(root), size=32))
    assert facts.name == "photos" and facts.shape == (3, 32, 32) and facts.had == "on disk"
    assert facts.class_names == ("[red]", "grün & blau") and facts.problem == ""
    absent = describe_source(DataSettings(source="folder", path=str(root / "nowhere")))
    assert absent.had == "missing" and "nowhere" in absent.problem
