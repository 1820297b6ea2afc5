"""Pixels of every kind of file, against values worked out by hand; no other program starts."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

import tui_latent
from tui_latent.config.settings import DataSettings
from tui_latent.datasets import image_file as picture_module
from tui_latent.datasets.shown_image import decode
from tui_latent.datasets.sources import DataError, load_dataset

RAMP = np.tile(np.linspace(0, 65535, 64), (64, 1)).astype(np.uint16)
SHAPE = np.zeros((16, 16), np.uint8)
SHAPE[4:12, 4:12] = 255


def greys(path: Path, size: int) -> np.ndarray:
    image = decode(path, size)
    assert image is not None and image.mode == "L"
    return np.asarray(image).astype(int)


def pixel(image: Image.Image | None, x: int, y: int) -> np.ndarray:
    assert image is not None
    return np.array(image.convert("RGB"), dtype=int)[y, x, :]


def pgm(path: Path, values: np.ndarray, most: int) -> None:
    path.write_bytes(b"P5\n64 64\n%d\n" % most + values.astype(">u2").tobytes())


def rgba(colour: int) -> Image.Image:
    pixels = np.full((16, 16, 4), colour, np.uint8)
    pixels[..., 3] = SHAPE
    return Image.fromarray(pixels, "RGBA")


@pytest.mark.parametrize("kind", ["png", "tiff", "webp"])
@pytest.mark.parametrize("colour", [0, 255])
def test_shapes_on_a_transparent_ground_can_be_seen(tmp_path: Path, kind: str, colour: int) -> None:
    path = tmp_path / f"x.{kind}"
    rgba(colour).save(path, lossless=True)
    image = decode(path, 16)
    assert image is not None
    assert pixel(image, 8, 8).tolist() == [colour] * 3
    assert pixel(image, 1, 1).tolist() == [255 - colour] * 3


def test_transparent_greys_palettes_and_colours_are_laid_on_white(tmp_path: Path) -> None:
    alpha = Image.fromarray(SHAPE)
    Image.merge("LA", (Image.new("L", (16, 16), 0), alpha)).save(tmp_path / "la.png")
    index = Image.fromarray(SHAPE // 255, "P")
    index.putpalette([9, 9, 9, 0, 0, 0])
    index.save(tmp_path / "p.png", transparency=0)
    index.save(tmp_path / "p.gif", transparency=0)
    Image.fromarray(255 - SHAPE).save(tmp_path / "l.png", transparency=255)
    Image.merge("RGB", [Image.fromarray(SHAPE)] * 3).save(
        tmp_path / "rgb.png", transparency=(255, 255, 255)
    )
    for name in ("la.png", "p.png", "p.gif", "l.png"):
        image = decode(tmp_path / name, 16)
        assert image is not None, name
        grey = np.asarray(image.convert("L")).astype(int)
        np.testing.assert_array_equal(grey, 255 - SHAPE, err_msg=name)
    assert np.asarray(decode(tmp_path / "rgb.png", 16)).max() == 255


def test_half_transparent_is_half_of_both(tmp_path: Path) -> None:
    Image.new("RGBA", (8, 8), (200, 0, 0, 128)).save(tmp_path / "x.png")
    image = decode(tmp_path / "x.png", 8)
    assert image is not None
    expected = np.array([200 * 128 / 255 + 255 * 127 / 255, 127, 127])
    np.testing.assert_allclose(pixel(image, 3, 3), expected, atol=1)


def test_greys_of_every_depth_and_container_keep_their_ramp(tmp_path: Path) -> None:
    Image.fromarray(RAMP).save(tmp_path / "16.png")
    Image.fromarray(RAMP).save(tmp_path / "16.tif")
    Image.fromarray(RAMP >> 4).save(tmp_path / "12-in-16.png")
    Image.fromarray(RAMP >> 8).save(tmp_path / "8-in-16.png")
    Image.fromarray(RAMP.astype(np.int32)).save(tmp_path / "32.tif")
    Image.fromarray((RAMP >> 8).astype(np.int32)).save(tmp_path / "8-in-32.tif")
    Image.fromarray(RAMP.astype(np.int32) - 32768).save(tmp_path / "signed.tif")
    Image.fromarray(RAMP.astype(np.int32) * 32_767).save(tmp_path / "large.tif")
    unit = (RAMP / 65535).astype(np.float32)
    for name, values in (
        ("unit", unit),
        ("bytes", unit * 255),
        ("signs", unit * 2 - 1),
        ("tiny", unit / 1000),
        ("overshoot", unit * np.float32(1.0001)),
        ("wide", unit * 65535),
    ):
        Image.fromarray(values).save(tmp_path / f"float-{name}.tif")
    pgm(tmp_path / "16.pgm", RAMP, 65535)
    pgm(tmp_path / "12.pgm", RAMP >> 4, 4095)
    files = sorted(tmp_path.iterdir())
    assert len(files) == 16
    expected = np.rint(RAMP[0] / 65535 * 255)
    for path in files:
        np.testing.assert_allclose(greys(path, 64)[5], expected, atol=1.5, err_msg=path.name)


def test_values_that_are_no_numbers_spoil_nothing(tmp_path: Path) -> None:
    values = np.tile(np.linspace(0, 1, 8, dtype=np.float32), (8, 1))
    values[0, 0], values[1, 1], values[2, 2] = np.nan, np.inf, -np.inf
    Image.fromarray(values).save(tmp_path / "x.tif")
    found = greys(tmp_path / "x.tif", 8)
    assert (found[0, 0], found[1, 1], found[2, 2], found[7, 7]) == (0, 255, 0, 255)
    Image.fromarray(np.full((8, 8), np.nan, np.float32)).save(tmp_path / "none.tif")
    assert decode(tmp_path / "none.tif", 8) is None


def test_one_value_is_one_grey_in_all_files_of_a_kind(tmp_path: Path, data_folder: Path) -> None:
    for name, most in (("a", 3000), ("b", 700)):
        (tmp_path / "d" / name).mkdir(parents=True)
        for k in range(4):
            values = np.full((8, 8), most // (k + 1), np.uint16)
            Image.fromarray(values).save(tmp_path / "d" / name / f"{k}.png")
    log: list[str] = []
    chosen = DataSettings(source="folder", path=str(tmp_path / "d"), size=8)
    dataset = load_dataset(chosen, 0, log.append)
    found = sorted(
        int(image[0, 0, 0]) for split in (dataset.train, dataset.val) for image in split.images
    )
    expected = sorted(most // (k + 1) for most in (3000, 700) for k in range(4))
    np.testing.assert_allclose(found, np.array(expected) / 4095 * 65535, atol=0.5)
    assert "8 grey images of more than 8 bits: 0 is shown as black, 4,095 as white" in log[-1]


def test_other_modes_are_colours_or_greys(tmp_path: Path) -> None:
    red = Image.new("RGB", (8, 8), (255, 0, 0))
    red.convert("CMYK").save(tmp_path / "cmyk.tif")
    red.convert("YCbCr").save(tmp_path / "ycc.jpg", quality=100)
    Image.new("1", (8, 8), 1).save(tmp_path / "bits.png")
    Image.new("LAB", (8, 8), (255, 128, 128)).save(tmp_path / "lab.tif")
    for name, expected in (("cmyk.tif", (255, 0, 0)), ("ycc.jpg", (255, 0, 0))):
        image = decode(tmp_path / name, 8)
        assert image is not None
        np.testing.assert_allclose(pixel(image, 4, 4), expected, atol=3)
    assert greys(tmp_path / "bits.png", 8).min() == 255
    lab = decode(tmp_path / "lab.tif", 8)
    assert lab is not None and pixel(lab, 4, 4).min() > 250  # L = 100, a = b = 0 is white


@pytest.mark.parametrize("kind", ["png", "tiff", "jpeg", "webp"])
def test_every_kind_is_turned_as_the_camera_was_held_once(tmp_path: Path, kind: str) -> None:
    image = Image.new("RGB", (16, 16), (250, 0, 0))
    image.paste((0, 0, 250), (0, 0, 16, 8))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # to be turned clockwise: what is above goes right
    image.save(tmp_path / f"x.{kind}", exif=exif)
    found = decode(tmp_path / f"x.{kind}", 16)
    assert found is not None
    np.testing.assert_allclose(pixel(found, 14, 2), (0, 0, 250), atol=12)
    np.testing.assert_allclose(pixel(found, 1, 2), (250, 0, 0), atol=12)


def test_what_was_done_to_files_is_reported(tmp_path: Path, data_folder: Path) -> None:
    folder = tmp_path / "d" / "a"
    folder.mkdir(parents=True)
    for k in range(4):
        Image.new("L", (8, 8), k).save(folder / f"{k}.png")
    frames = [Image.new("L", (8, 8), value) for value in (50, 60, 70)]
    for name in ("many.gif", "many.tif"):
        frames[0].save(folder / name, save_all=True, append_images=frames[1:])
    Image.new("L", (8, 30), 9).save(folder / "long.png")
    rgba(0).save(folder / "clear.png")
    log: list[str] = []
    load_dataset(DataSettings(source="folder", path=str(tmp_path / "d"), size=8), 0, log.append)
    assert "1 with transparency, on a white background" in log[-1]
    assert "1 not square" in log[-1] and "2 with several frames" in log[-1]
    image = decode(folder / "many.tif", 8)
    assert image is not None and np.asarray(image).max() == 50


def test_a_telephones_photograph_of_two_pictures_is_one(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (16, 16), (200, 0, 0)) for _ in range(2)]
    frames[0].save(tmp_path / "x.jpg", "MPO", save_all=True, append_images=frames[1:])
    image = decode(tmp_path / "x.jpg", 8)
    assert image is not None and not image.info[picture_module.NOTES] & picture_module.FRAMES


POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 20 20\n%%EndComments\nshowpage\n%%EOF\n"


@pytest.mark.parametrize("name", ["x.png", "x.jpg", "x.tif"])
def test_a_postscript_file_starts_no_program_and_is_corrupt(
    tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    ran = tmp_path / "ran"
    for program in ("gs", "gswin64c", "djpeg", "convert"):
        (tmp_path / program).write_text(f"#!/bin/sh\necho $0 >> {ran}\nexit 1\n")
        (tmp_path / program).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    folder = tmp_path / "d" / "a"
    folder.mkdir(parents=True)
    for k in range(3):
        Image.new("L", (8, 8), k).save(folder / f"{k}.png")
    (folder / name).write_bytes(POSTSCRIPT)
    chosen = DataSettings(source="folder", path=str(tmp_path / "d"), size=8)
    with pytest.raises(DataError, match=f"1 of 4 images cannot be read: a/{name}"):
        load_dataset(chosen, 0)
    assert not ran.exists()


def test_a_pipe_put_there_after_the_listing_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.png")
    assert decode(tmp_path / "x.png", 8) is None


@pytest.mark.slow
def test_images_are_opened_in_one_place_and_as_named_formats_only() -> None:
    places = []
    for path in Path(tui_latent.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Image.open"):
                places.append((path.name, [keyword.arg for keyword in node.keywords]))
    assert places == [("image_file.py", ["formats"])]
    assert not {"EPS", "WMF", "FITS", "PDF"} & set(picture_module.FORMATS)
