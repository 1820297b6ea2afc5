"""Images of any depth and number of channels, against other readers and plain loops in float64."""

from __future__ import annotations

import builtins
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tui_latent.config.presets import load_run_preset, parse_preset
from tui_latent.config.settings import DataSettings
from tui_latent.datasets import decoded_cache
from tui_latent.datasets.image_set import Dataset
from tui_latent.datasets.sources import DataError, load_dataset

SIDE = 12
RANDOM = np.random.default_rng(5)
FIVE = RANDOM.integers(0, 4096, (8, 5, SIDE, SIDE)).astype(np.uint16)
"""eight images (C, H, W) of 12 bits"""


def load(root: Path, log: list[str] | None = None, **settings: Any) -> Dataset:
    asked = {"source": "folder", "path": str(root), "size": SIDE, "labels": "none", **settings}
    chosen = DataSettings.model_validate(asked)
    return load_dataset(chosen, 0, (log if log is not None else []).append)


def all_images(dataset: Dataset) -> np.ndarray:
    """Return the images in the order of their files."""
    images = torch.cat([dataset.train.images, dataset.val.images]).numpy()
    assert dataset.train.places is not None and dataset.val.places is not None
    return images[np.argsort(np.concatenate([dataset.train.places, dataset.val.places]))]


def scaled(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return 16-bit pixels by a plain loop."""
    found = [
        round(min(max((float(value) - low) / (high - low), 0), 1) * 65535)
        for value in values.reshape(-1)
    ]
    return np.array(found).reshape(values.shape)


def write_arrays(root: Path, images: np.ndarray) -> None:
    root.mkdir(parents=True)
    for number, image in enumerate(images):
        np.save(root / f"{number}.npy", image)


TIFFS: dict[str, Callable[[Any, Path, np.ndarray], None]] = {
    "pages": lambda t, path, x: t.imwrite(path, x, photometric="minisblack"),
    "planes": lambda t, path, x: t.imwrite(
        path, x, photometric="minisblack", planarconfig="separate"
    ),
    "samples": lambda t, path, x: t.imwrite(
        path, x.transpose(1, 2, 0), photometric="minisblack", planarconfig="contig"
    ),
    "deflated": lambda t, path, x: t.imwrite(
        path, x.transpose(1, 2, 0), photometric="minisblack", planarconfig="contig",
        compression="zlib", tile=(16, 16),
    ),
    "ome": lambda t, path, x: t.imwrite(
        path, x, ome=True, metadata={"axes": "CYX", "Channel": {"Name": list("abcde")}}
    ),
    "imagej": lambda t, path, x: t.imwrite(
        path, x, imagej=True, metadata={"axes": "CYX", "Labels": list("abcde")}
    ),
    "stack in depth": lambda t, path, x: t.imwrite(
        path, np.stack([x, 0 * x]), ome=True, metadata={"axes": "ZCYX"}
    ),
    "big-endian": lambda t, path, x: t.imwrite(path, x, byteorder=">", bigtiff=True,
                                               photometric="minisblack"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("kind", TIFFS)
def test_a_tiff_of_five_channels_keeps_all_values(
    tmp_path: Path, data_folder: Path, kind: str
) -> None:
    tifffile = pytest.importorskip("tifffile")
    root = tmp_path / "d"
    root.mkdir()
    for number, image in enumerate(FIVE):
        TIFFS[kind](tifffile, root / f"{number}.tif", image)
    log: list[str] = []
    dataset = load(root, log)
    assert dataset.train.images.dtype == torch.uint16
    np.testing.assert_array_equal(all_images(dataset), scaled(FIVE, 0, 4095))
    assert "12x12 with 5 channels of 16 bits" in log[-1]
    assert "8 images with 5 channels of more than 8 bits: 0 is shown as black, 4,095" in log[-1]
    assert ("channels: a, b, c, d, e" in log[-1]) == (kind in ("ome", "imagej"))
    assert ("8 with several frames, of which only the first is used" in log[-1]) == (
        kind == "stack in depth"
    )


def test_pages_without_names_are_channels_up_to_sixteen(tmp_path: Path, data_folder: Path) -> None:
    tifffile = pytest.importorskip("tifffile")
    many = RANDOM.integers(0, 65536, (17, 20, 20)).astype(np.uint16)
    for folder, written in (("a", many[:16]), ("b", many), ("c", many[:2].transpose(1, 2, 0))):
        (tmp_path / folder).mkdir()
        for number in range(2):
            tifffile.imwrite(tmp_path / folder / f"{number}.tif", written)
    assert load(tmp_path / "a", size=20).train.shape == (16, 20, 20)
    assert load(tmp_path / "c", size=20).train.shape == (2, 20, 20)
    first = load(tmp_path / "b", size=20)
    np.testing.assert_array_equal(first.train.images[0, 0].numpy(), many[0])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("images", "ends"),
    [
        (FIVE.transpose(0, 2, 3, 1), (0, 4095)),
        (FIVE.astype(np.int16) - 2048, None),
        (FIVE.astype(np.uint32) * 1_000_000, (0, 2**32 - 1)),
        (FIVE.astype(np.int32) * 16, (0, 65535)),
        ((FIVE / 4095).astype(np.float32), (0, 1)),
        (FIVE.astype(np.float64) - 7.25, None),
        (FIVE[:, 0], (0, 4095)),
        (FIVE[:, :2], (0, 4095)),
    ],
    ids=["HWC", "signed", "uint32", "int32", "float32", "float64", "HW", "two channels"],
)
def test_arrays_of_every_type_are_scaled_by_one_range(
    tmp_path: Path, data_folder: Path, images: np.ndarray, ends: tuple[float, float] | None
) -> None:
    write_arrays(tmp_path / "d", images)
    low, high = ends or (float(images.min()), float(images.max()))
    planes = images[:, None] if images.ndim == 3 else images
    planes = planes.transpose(0, 3, 1, 2) if planes.shape[-1] == 5 else planes
    found = all_images(load(tmp_path / "d")).astype(int)
    assert np.abs(found - scaled(planes, low, high)).max() <= 1  # float32 resizes


def filtered(rows: np.ndarray, each: int) -> bytes:
    """Return rows of bytes, each with another filter of section 9 of the PNG standard."""
    written = b""
    before = np.zeros(rows.shape[1] + each, int)
    for number, row in enumerate(rows):
        now = np.concatenate([np.zeros(each, int), row.astype(int)])
        left, up, corner = now[:-each], before[each:], before[:-each]
        ahead = left + up - corner
        far = np.stack([abs(ahead - left), abs(ahead - up), abs(ahead - corner)])
        paeth = np.choose(far.argmin(0), [left, up, corner])
        guess = [0 * left, left, up, (left + up) // 2, paeth][number % 5]
        written += bytes([number % 5]) + ((now[each:] - guess) % 256).astype(np.uint8).tobytes()
        before = now
    return written


@pytest.mark.parametrize("colours", [2, 3, 4])
def test_a_png_of_16_bits_keeps_them(tmp_path: Path, data_folder: Path, colours: int) -> None:
    values = RANDOM.integers(0, 65536, (2, SIDE, SIDE, colours)).astype(np.uint16)
    values[0, 0, 0] = 65535
    (tmp_path / "d").mkdir()
    for number, image in enumerate(values):
        rows = filtered(image.astype(">u2").reshape(SIDE, -1).view(np.uint8), 2 * colours)
        head = SIDE.to_bytes(4, "big") * 2 + bytes([16, {2: 4, 3: 2, 4: 6}[colours], 0, 0, 0])
        chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
        content = b"\x89PNG\r\n\x1a\n" + b"".join(
            len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")
            for kind, body in chunks
        )
        (tmp_path / "d" / f"{number}.png").write_bytes(content)
    log: list[str] = []
    found = all_images(load(tmp_path / "d", log)).astype(int)
    expected = values[..., : 1 if colours == 2 else 3].astype(np.float64)
    if colours != 3:
        share = values[..., -1:] / 65535
        expected = expected * share + 65535 * (1 - share)
        assert "2 with transparency" in log[-1]
    np.testing.assert_allclose(found, expected.transpose(0, 3, 1, 2), atol=1)


def test_a_ppm_of_16_bits_keeps_them(tmp_path: Path, data_folder: Path) -> None:
    values = RANDOM.integers(0, 65536, (2, SIDE, SIDE, 3)).astype(np.uint16)
    (tmp_path / "d").mkdir()
    for number, image in enumerate(values):
        header = b"P6 # a comment\n12 12\n65535\n"
        (tmp_path / "d" / f"{number}.ppm").write_bytes(header + image.astype(">u2").tobytes())
    np.testing.assert_array_equal(all_images(load(tmp_path / "d")), values.transpose(0, 3, 1, 2))


@pytest.mark.slow
def test_percentiles_are_those_of_all_values_of_both_splits(
    tmp_path: Path, data_folder: Path
) -> None:
    for split, images in (("train", FIVE[:5]), ("test", FIVE[5:] * 3)):
        write_arrays(tmp_path / "d" / split, images)
    together = np.concatenate([FIVE[:5].ravel(), (FIVE[5:] * 3).ravel()])
    low, high = np.percentile(together, [2, 97.5])
    log: list[str] = []
    dataset = load(tmp_path / "d", log, range="percentile 2 97.5")
    np.testing.assert_array_equal(dataset.train.images.numpy(), scaled(FIVE[:5], low, high))
    np.testing.assert_array_equal(dataset.val.images.numpy(), scaled(FIVE[5:] * 3, low, high))
    assert f"{low:,.6g} is shown as black, {high:,.6g} as white (percentile 2 97.5)" in log[-1]
    assert dataset.value_range == pytest.approx((low, high))


def test_a_chosen_range_is_used_as_it_is(tmp_path: Path, data_folder: Path) -> None:
    write_arrays(tmp_path / "d", FIVE)
    found = all_images(load(tmp_path / "d", range=[100, 3000]))
    np.testing.assert_array_equal(found, scaled(FIVE, 100, 3000))
    narrow = load(tmp_path / "d", range=[100, 300])  # 201 values fit into 8 bits
    assert narrow.train.images.dtype == torch.uint8
    assert len(np.unique(all_images(narrow))) == len(np.unique(FIVE.clip(100, 300)))


def test_a_range_stretches_8_bit_photographs_too(tmp_path: Path, data_folder: Path) -> None:
    values = RANDOM.integers(50, 101, (4, SIDE, SIDE, 3)).astype(np.uint8)
    (tmp_path / "d").mkdir()
    for number, image in enumerate(values):
        Image.fromarray(image).save(tmp_path / "d" / f"{number}.png")
    found = all_images(load(tmp_path / "d", range="percentile 0 100"))
    expected = np.rint((values.transpose(0, 3, 1, 2) - 50.0) * 255 / 50)
    np.testing.assert_allclose(found, expected, atol=1)


def test_values_that_fit_into_8_bits_take_no_more(tmp_path: Path, data_folder: Path) -> None:
    write_arrays(tmp_path / "d", FIVE >> 4)
    dataset = load(tmp_path / "d")
    assert dataset.train.images.dtype == torch.uint8
    np.testing.assert_array_equal(all_images(dataset), FIVE >> 4)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 16])
@pytest.mark.parametrize("kind", ["uint8", "bool", "int8"])
@pytest.mark.parametrize("ending", ["npy", "tif"])
def test_8_bits_are_kept_as_they_are_whatever_holds_them(
    tmp_path: Path, data_folder: Path, channels: int, kind: str, ending: str
) -> None:
    values = RANDOM.integers(0, 256, (4, channels, SIDE, SIDE)).astype(np.uint8)
    values[0, 0, 0, :2] = 0, 255
    expected = {"uint8": values, "bool": values // 128 * np.uint8(255), "int8": values}[kind]
    written = {"uint8": values, "bool": values >= 128, "int8": (values ^ 128).view(np.int8)}[kind]
    if ending == "npy":
        write_arrays(tmp_path / "d", written if channels > 1 else written[:, 0])
    else:
        tifffile = pytest.importorskip("tifffile", reason="needs tui-latent[tiff]")
        (tmp_path / "d").mkdir()
        for number, image in enumerate(written):
            tifffile.imwrite(tmp_path / "d" / f"{number}.tif", image if channels > 1 else image[0],
                             photometric="minisblack", planarconfig="separate" if channels > 1
                             else None)  # fmt: skip
    log: list[str] = []
    dataset = load(tmp_path / "d", log)
    assert dataset.train.images.dtype == torch.uint8
    np.testing.assert_array_equal(all_images(dataset), expected)
    assert "more than 8 bits" not in log[-1]


@pytest.mark.slow
@pytest.mark.parametrize("size", [(30, 20), (20, 30), (25, 25)])
@pytest.mark.parametrize("deep", [False, True])
def test_fits_are_those_of_pillow(
    tmp_path: Path, data_folder: Path, size: tuple[int, int], deep: bool
) -> None:
    width, height = size
    grey = RANDOM.integers(0, 256, (height, width)).astype(np.uint8)
    image = Image.fromarray(grey)
    (tmp_path / "d").mkdir()
    for number in range(2):
        saved = Image.fromarray(grey.astype(np.uint16) * 257) if deep else image
        saved.save(tmp_path / "d" / f"{number}.png")
    bilinear = Image.Resampling.BILINEAR
    stretched = image.resize((10, 10), bilinear)
    left, top = max(width - height, 0) / 2, max(height - width, 0) / 2
    cropped = image.resize((10, 10), bilinear, (left, top, width - left, height - top))
    longest = max(size)
    small = image.resize((round(width * 10 / longest), round(height * 10 / longest)), bilinear)
    padded = Image.new("L", (10, 10))
    padded.paste(small, ((10 - small.width) // 2, (10 - small.height) // 2))
    for fit, expected in (("stretch", stretched), ("crop", cropped), ("pad", padded)):
        log: list[str] = []
        found = all_images(load(tmp_path / "d", log, size=10, fit=fit))[0, 0] / (257 if deep else 1)
        np.testing.assert_allclose(found, np.asarray(expected), atol=1 if deep else 0)
        assert ("2 not square" in log[-1]) == (width != height)


def test_images_of_other_channels_are_reported_with_examples(
    tmp_path: Path, data_folder: Path
) -> None:
    write_arrays(tmp_path / "d", FIVE)
    for number in range(3):
        np.save(tmp_path / "d" / f"grey{number}.npy", FIVE[number, 0])
    with pytest.raises(DataError) as caught:
        load(tmp_path / "d")
    assert "8 with 5, such as " in str(caught.value) and "3 with 1, such as " in str(caught.value)
    assert str(tmp_path / "d" / "grey0.npy") in str(caught.value)


def test_sizes_that_differ_are_reported(tmp_path: Path, data_folder: Path) -> None:
    (tmp_path / "d").mkdir()
    for number, side in enumerate((20, 20, 30)):
        Image.new("RGB", (side, 20)).save(tmp_path / "d" / f"{number}.png")
    log: list[str] = []
    load(tmp_path / "d", log)
    assert "sizes differ: 2 of 20x20 (such as 0.png), 1 of 30x20 (such as 2.png)" in log[-1]


def test_one_range_for_several_kinds_is_refused_and_dtype_scales_each(
    tmp_path: Path, data_folder: Path
) -> None:
    write_arrays(tmp_path / "d", FIVE[:4, 0])
    for number in range(4, 8):
        np.save(tmp_path / "d" / f"{number}.npy", (FIVE[number, 0] / 4095).astype(np.float32))
    with pytest.raises(DataError, match=r"data\.range=dtype"):
        load(tmp_path / "d", range=[0, 4000])
    found = all_images(load(tmp_path / "d", range="dtype")).astype(int)
    assert np.abs(found - scaled(FIVE[:, :1], 0, 4095)).max() <= 1


def test_percentiles_that_are_one_value_are_refused(tmp_path: Path, data_folder: Path) -> None:
    dark = np.zeros((4, SIDE, SIDE), np.uint16)
    dark[:, 0, 0] = 1000
    write_arrays(tmp_path / "d", dark)
    with pytest.raises(DataError, match="percentile 0 100"):
        load(tmp_path / "d", range="percentile 1 99")
    assert all_images(load(tmp_path / "d", range="percentile 0 100")).max() == 65535


@pytest.mark.slow
def test_a_store_is_made_once_for_each_way_of_decoding(
    tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_arrays(tmp_path / "d", FIVE)
    ways: list[dict[str, Any]] = [
        {}, {"fit": "pad"}, {"range": "percentile 1 99"}, {"range": [0, 9]}, {"size": 6},
    ]  # fmt: skip
    before = [all_images(load(tmp_path / "d", **way)) for way in ways]
    monkeypatch.setattr(decoded_cache, "decode_chunk", None)
    for way, images in zip(ways, before, strict=True):
        np.testing.assert_array_equal(all_images(load(tmp_path / "d", **way)), images)


def test_arrays_beside_images_are_not_images(tmp_path: Path, data_folder: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / "d" / name).mkdir(parents=True)
        for number in range(3):
            Image.new("L", (8, 8), number).save(tmp_path / "d" / name / f"{number}.png")
            np.save(tmp_path / "d" / name / f"{number}.npy", np.zeros(7))
    np.save(tmp_path / "d" / "labels.npy", np.zeros(7))
    log: list[str] = []
    dataset = load(tmp_path / "d", log, labels="auto")
    assert dataset.train.class_names == ("cat", "dog")
    assert len(dataset.train) + len(dataset.val) == 6
    assert "6 .npy files beside images" in log[-1]


@pytest.mark.parametrize(
    ("array", "why"),
    [
        (np.zeros((2, 3, 4, 5)), "shape (2, 3, 4, 5), not (H, W)"),
        (np.zeros((17, 20, 40)), "no axis has 1 to 16 channels"),
        (np.zeros((4, 4), complex), "an array of complex128"),
        (np.array(["a", "b"]), "an array of <U1"),
        (np.array([{}, {}]), "Python objects"),
        (np.full((4, 4), np.nan), ""),
    ],
    ids=["4-D", "channels", "complex", "texts", "objects", "nan"],
)
def test_arrays_that_are_no_images_are_named_with_the_reason(
    tmp_path: Path, data_folder: Path, array: np.ndarray, why: str
) -> None:
    write_arrays(tmp_path / "d", FIVE[:4, 0])
    np.save(tmp_path / "d" / "odd.npy", array)
    with pytest.raises(DataError) as caught:
        load(tmp_path / "d")
    assert "1 of 5 images cannot be read: odd.npy" in str(caught.value)
    assert why in str(caught.value)
    assert len(all_images(load(tmp_path / "d", skip_corrupt=True))) == 4


def test_channels_to_show_must_be_there(tmp_path: Path, data_folder: Path) -> None:
    write_arrays(tmp_path / "d", FIVE)
    load(tmp_path / "d", show=[4, 0])
    with pytest.raises(DataError, match="no channel 5: the images have channels 0 to 4"):
        load(tmp_path / "d", show=[5])


def test_without_tifffile_the_package_is_named_and_grey_is_read(
    tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tifffile = pytest.importorskip("tifffile")
    for number in range(4):
        (tmp_path / "grey").mkdir(exist_ok=True)
        tifffile.imwrite(tmp_path / "grey" / f"{number}.tif", FIVE[number, 0])
    for name, image in (("five", FIVE[0]), ("rgb", FIVE[0, :3].transpose(1, 2, 0))):
        (tmp_path / name).mkdir()
        photometric = "rgb" if name == "rgb" else "minisblack"
        tifffile.imwrite(
            tmp_path / name / "x.tif", image, photometric=photometric,
            planarconfig="contig" if name == "rgb" else "separate",
        )  # fmt: skip
    plain = builtins.__import__

    def absent(name: str, *rest: Any) -> Any:
        if name == "tifffile":
            raise ImportError(name)
        return plain(name, *rest)

    monkeypatch.setattr(builtins, "__import__", absent)
    np.testing.assert_array_equal(
        all_images(load(tmp_path / "grey"))[:, 0], scaled(FIVE[:4, 0], 0, 4095)
    )
    for name in ("five", "rgb"):
        with pytest.raises(DataError, match=r"pip install 'tui-latent\[tiff\]'"):
            load(tmp_path / name)


def test_a_run_of_before_sees_8_bits(tmp_path: Path, data_folder: Path) -> None:
    table = {
        "data": {"source": "folder", "path": "d"},
        "method": {"name": "vicreg", "latent_dim": 2},
    }
    assert parse_preset(table, {}, "mine.toml").data.depth == "full"
    run = tmp_path / "run"
    run.mkdir()
    (run / "preset.toml").write_text(
        '[data]\nsource = "folder"\npath = "d"\n[method]\nname = "vicreg"\nlatent_dim = 2\n',
        "utf-8",
    )
    assert load_run_preset(run).data.depth == "8-bit"
    (tmp_path / "d").mkdir()
    for number in range(4):
        Image.fromarray(FIVE[number, 0]).save(tmp_path / "d" / f"{number}.png")
    dataset = load(tmp_path / "d", depth="8-bit")
    assert dataset.train.images.dtype == torch.uint8
    expected = np.rint(FIVE[:4, :1] / 4095 * 255)
    np.testing.assert_allclose(all_images(dataset), expected, atol=1)


ANGLES = {1: 0, 3: 2, 6: -1, 8: 1}
"""quarter turns to the left that each EXIF orientation asks for; the others are mirrored too"""


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_a_tiff_is_turned_as_its_tag_says_whatever_its_depth(
    tmp_path: Path, data_folder: Path, channels: int, orientation: int
) -> None:
    tifffile = pytest.importorskip("tifffile")
    turned = RANDOM.integers(0, 65536, (2, SIDE, SIDE, channels)).astype(np.uint16)
    turned[0, 0, 0], turned[0, 0, 1] = 0, 65535
    mirrored = orientation in (2, 4, 5, 7)
    upright = turned[:, :, ::-1] if mirrored else turned
    turns = {2: 0, 4: 2, 5: 1, 7: -1}[orientation] if mirrored else ANGLES[orientation]
    for number, image in enumerate(turned):
        tifffile.imwrite(
            tmp_path / f"{number}.tif",
            image if channels > 1 else image[..., 0],
            photometric="rgb" if channels == 3 else "minisblack",
            **({"planarconfig": "contig"} if channels > 1 else {}),
            extratags=[(274, "H", 1, orientation, True)],
        )
    found = all_images(load(tmp_path, val_fraction=0.5))
    expected = np.rot90(upright, turns, (1, 2)).transpose(0, 3, 1, 2)
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("pages", [1, 3])
def test_a_tiff_in_which_zero_is_white_is_shown_that_way(
    tmp_path: Path, data_folder: Path, pages: int
) -> None:
    tifffile = pytest.importorskip("tifffile")
    root = tmp_path / "images"
    root.mkdir()
    values = RANDOM.integers(0, 65536, (2, pages, SIDE, SIDE)).astype(np.uint16)
    values[0, 0, 0, :2] = 0, 65535
    for number, image in enumerate(values):
        tifffile.imwrite(root / f"{number}.tif", image, photometric="miniswhite")
    assert np.array_equal(all_images(load(root, val_fraction=0.5)), 65535 - values)


@pytest.mark.parametrize(
    "how",
    [
        {"photometric": "minisblack"},
        {"photometric": "minisblack", "compression": "zlib"},
        {"imagej": True, "metadata": {"axes": "CYX"}},
    ],
)
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_tiff_that_was_cut_between_its_pages_has_not_fewer_channels(
    tmp_path: Path, data_folder: Path, how: dict[str, Any], share: float
) -> None:
    tifffile = pytest.importorskip("tifffile")
    root = tmp_path / "images"
    root.mkdir()
    for number, image in enumerate(FIVE):
        tifffile.imwrite(root / f"{number}.tif", image, **how)
    whole = (root / "3.tif").read_bytes()
    (root / "3.tif").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DataError, match=r"3\.tif"):
        load(root)
    assert all_images(load(root, skip_corrupt=True)).shape == (7, 5, SIDE, SIDE)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.uint32])
@pytest.mark.parametrize("big", [False, True])
def test_both_byte_orders_of_tiff_are_read(
    tmp_path: Path, data_folder: Path, order: str, kind: type, big: bool
) -> None:
    tifffile = pytest.importorskip("tifffile")
    root = tmp_path / "images"
    root.mkdir()
    values: np.ndarray = RANDOM.integers(0, 256, (2, SIDE, SIDE)).astype(kind)
    values[0, 0, :2] = 0, 255
    for number, image in enumerate(values):
        tifffile.imwrite(root / f"{number}.tif", image, byteorder=order, bigtiff=big)
    found = all_images(load(root, val_fraction=0.5, range="0 255"))
    assert np.array_equal(found[:, 0], values)


def test_the_colour_that_a_wide_png_calls_transparent_is_laid_on_white(
    tmp_path: Path, data_folder: Path
) -> None:
    values = RANDOM.integers(0, 60000, (SIDE, SIDE)).astype(np.uint16)
    values[2, 3:6] = 61234
    Image.fromarray(values).save(tmp_path / "0.png", transparency=61234)
    Image.fromarray(values // 2).save(tmp_path / "1.png")
    log: list[str] = []
    found = all_images(load(tmp_path, log, val_fraction=0.5, range="0 65535"))[0, 0]
    assert (found[2, 3:6] == 65535).all() and (
        found[values < 60000] == values[values < 60000]
    ).all()
    assert any("with transparency, on a white" in line for line in log)


def test_values_that_are_no_numbers_are_told(tmp_path: Path, data_folder: Path) -> None:
    images = RANDOM.random((8, SIDE, SIDE))
    images[2, 3, 3], images[5, 1, 1], images[5, 2, 2] = np.nan, np.inf, np.nan
    write_arrays(tmp_path / "some", images)
    log: list[str] = []
    load(tmp_path / "some", log)
    assert "2 with values that are not finite (NaN or infinite)" in log[-1]
    images[4] = np.nan
    write_arrays(tmp_path / "one", images)
    with pytest.raises(DataError, match=r"4\.npy \(no pixel has a finite value\)"):
        load(tmp_path / "one")


def test_a_ppm_of_wide_numbers_in_text_keeps_them(tmp_path: Path, data_folder: Path) -> None:
    values = RANDOM.integers(0, 65536, (2, SIDE, SIDE, 3)).astype(np.uint16)
    values[0, 0, 0, 0] = 65535
    for number, image in enumerate(values):
        numbers = " ".join(map(str, image.reshape(-1)))
        (tmp_path / f"{number}.ppm").write_text(f"P3 {SIDE} {SIDE} 65535 # wide\n{numbers}\n")
    found = all_images(load(tmp_path, val_fraction=0.5))
    assert np.array_equal(found, values.transpose(0, 3, 1, 2))
