"""JPEGs decoded without opening them as files have the pixels that Pillow reads."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tui_latent.datasets.encoded_image import read_image
from tui_latent.datasets.image_file import FULL_SIZE
from tui_latent.datasets.plain_jpeg import read_plain_jpeg


def _encoded(mode: str = "RGB", side: int = 32, height: int = 0, **how: Any) -> bytes:
    random = np.random.default_rng(side)
    shape = (height or side, side, 3)
    image = Image.fromarray(random.integers(0, 256, shape, np.uint8))
    file = io.BytesIO()
    image.convert(mode).save(file, "JPEG", **how)
    return file.getvalue()


def _orientation(value: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = value
    return exif.tobytes()


_PLAIN = {
    "colour": _encoded(),
    "grey": _encoded("L"),
    "wide": _encoded(side=41, height=17),
    "progressive": _encoded(progressive=True),
    "optimised": _encoded(optimize=True),
    "without subsampling": _encoded(subsampling=0, quality=98),
    "restarts": _encoded(restart_marker_blocks=2),
    "comment": _encoded(comment=b"a comment"),
    "one pixel": _encoded(side=1),
}
_NOT_PLAIN = {
    "turned": _encoded(side=20, height=30, exif=_orientation(6)),
    "profile": _encoded(icc_profile=b"x" * 200),
    "four colours": _encoded("CMYK"),
    "larger than needed": _encoded(side=200),
}


@pytest.mark.parametrize("content", _PLAIN.values(), ids=_PLAIN)
def test_the_pixels_are_those_of_pillow(content: bytes) -> None:
    found = read_plain_jpeg(content, 32)
    assert found is not None
    with Image.open(io.BytesIO(content)) as expected:
        assert found.mode == expected.mode
        assert found.info[FULL_SIZE] == expected.size
        np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))


@pytest.mark.parametrize("content", _NOT_PLAIN.values(), ids=_NOT_PLAIN)
def test_pillow_opens_what_needs_more_than_decoding(content: bytes) -> None:
    assert read_plain_jpeg(content, 32) is None
    assert isinstance(read_image(content, 32), Image.Image)


def test_a_turned_photograph_is_upright() -> None:
    picture = read_image(_NOT_PLAIN["turned"], 32)
    assert isinstance(picture, Image.Image)
    assert picture.size == (30, 20)


def test_every_truncation_is_damage_or_reads_as_pillow_reads_it() -> None:
    content = _PLAIN["colour"]
    for length in range(len(content)):
        part = content[:length]
        found = read_plain_jpeg(part, 32)
        try:
            with Image.open(io.BytesIO(part)) as image:
                expected = np.asarray(image.convert("RGB"))
        except (OSError, SyntaxError, ValueError):
            assert found is None, length
        else:
            assert found is None or np.array_equal(np.asarray(found), expected), length


@pytest.mark.parametrize("seed", range(4))
def test_damaged_bytes_read_as_pillow_reads_them(seed: int) -> None:
    random, content = np.random.default_rng(seed), _PLAIN["colour"]
    for _ in range(100):
        damaged = bytearray(content)
        damaged[int(random.integers(len(damaged)))] = int(random.integers(256))
        found = read_plain_jpeg(bytes(damaged), 32)
        if found is None:
            continue
        with Image.open(io.BytesIO(damaged)) as image:
            assert image.mode == found.mode
            np.testing.assert_array_equal(np.asarray(image), np.asarray(found))
