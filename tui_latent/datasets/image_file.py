"""One image file as a picture of 8 bits: opened by its content, as an image and nothing else."""

from __future__ import annotations

import os
import stat
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# The plugins are named so that Pillow need not load all it has to find these two.
from PIL import (
    Image,
    ImageCms,
    ImageOps,
    TiffImagePlugin,
    WebPImagePlugin,  # noqa: F401
)

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
"""decoded within this process; a JPEG may hold several pictures (MPO, as telephones write it)"""
MOST_PIXELS = 100_000_000
"""of an image file; what says it has more is taken for a bomb that would fill the memory"""

TRANSPARENT, CROPPED, FRAMES, WIDE_INTEGERS, WIDE_FLOATS = 4, 8, 16, 32, 64
"""what was done to a picture, as bits of one number"""
NOTES, SHOWN_RANGE = "notes", "shown range"
"""keys of `Image.info`: those bits, and the values (low, high) shown as 0 and 255"""

NO_IMAGE = (
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    EOFError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    ImageCms.PyCMSError,
)
"""what Pillow's many readers raise, besides OSError, for bytes that make no image"""
_TOPS = tuple(float(2**bits - 1) for bits in (8, 10, 12, 14, 16, 24, 31, 32))
"""the largest values of the depths that cameras and programs write"""
_SAMPLE_FORMAT = 339
"""TIFF's tag: 1 says unsigned"""
_ALMOST_WHITE = 240


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """Open a regular file as an image of FORMATS, whatever its name; starts no other program.

    OSError without an errno, or one of NO_IMAGE, where its content is none.
    """
    # Without O_NONBLOCK a pipe put there since the listing would be waited for.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{path} is no regular file")
        with Image.open(file, formats=FORMATS) as image:
            yield image


def decode(path: Path, size: int) -> Image.Image | None:
    """Return the centre square of an image, `size` pixels a side, mode L or RGB; None if corrupt.

    Its `info` has NOTES, and SHOWN_RANGE where the file has more than 8 bits. OSError when the
    file cannot be read at all, such as for want of permission.
    """
    try:
        with opened(path) as image:
            if image.width * image.height > MOST_PIXELS:
                return None
            image.draft(None, (size, size))  # large JPEGs: decode at a fraction of their size
            picture = _picture(image)
            if _has_frames(image):
                picture.info[NOTES] |= FRAMES
        return _square(picture, size)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno is not None:
            raise
        return None
    except NO_IMAGE:
        return None


def oversized(path: Path) -> bool:
    """Say whether a file claims more than MOST_PIXELS, by its header alone."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with opened(path) as image:
                return image.width * image.height > MOST_PIXELS
    except Image.DecompressionBombError:
        return True
    except (OSError, *NO_IMAGE):
        return False


def shown_range(low: float, high: float, integers: bool) -> tuple[float, float]:
    """Return what is shown as black and as white of values from `low` to `high`.

    From 0 to the largest value of the depth they fit in, or to 1 for floats in 0..1; with
    negative values, or floats that fit in none of these, just the values there are.
    """
    if low < 0:
        return low, high
    if not integers and high <= 1:
        return 0.0, 1.0 if high > 1 / 16 else high
    if not integers and high < 16:
        return 0.0, high
    return 0.0, next((top for top in _TOPS if high <= top), high)


def _picture(image: Image.Image) -> Image.Image:
    """Return the pixels as mode L or RGB, turned as the camera was held, with NOTES."""
    image.load()
    notes = 0
    shown: tuple[float, float] | None = None
    picture = _upright(image)
    if picture.mode[0] in "IF":
        picture, shown, notes = _eight_bits(picture)
    elif picture.has_transparency_data:
        picture, transparent = _on_ground(picture)
        notes |= TRANSPARENT if transparent else 0
    elif picture.mode == "LAB":
        srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        turned = ImageCms.profileToProfile(picture, lab, srgb, outputMode="RGB")
        assert turned is not None
        picture = turned
    elif picture.mode not in ("L", "RGB"):
        picture = picture.convert("L" if picture.mode == "1" else "RGB")
    notes |= CROPPED if picture.width != picture.height else 0
    picture.info = {NOTES: notes}
    if shown is not None:
        picture.info[SHOWN_RANGE] = shown
    return picture


def _upright(image: Image.Image) -> Image.Image:
    """Return the image turned as its camera was held; as it is where its EXIF cannot be read."""
    try:
        return ImageOps.exif_transpose(image)
    except (OSError, *NO_IMAGE):
        return image


def _has_frames(image: Image.Image) -> bool:
    """Say whether only the first of several pictures is seen; a photograph's extras are none."""
    try:
        return image.format != "MPO" and bool(getattr(image, "is_animated", False))
    except (OSError, *NO_IMAGE):
        return False


def _on_ground(image: Image.Image) -> tuple[Image.Image, bool]:
    """Lay an image on white, or on black where it is all white; say whether any of it shows."""
    grey = image.mode in ("1", "L", "LA", "La")
    # Premultiplied modes convert to their plain one only.
    image = image.convert({"La": "LA", "RGBa": "RGBA"}.get(image.mode, image.mode))
    image = image.convert("LA" if grey else "RGBA")
    alpha, plain = image.getchannel("A"), image.convert("L" if grey else "RGB")
    if _extrema(alpha)[0] == 255:
        return plain, False
    laid = [_laid_on(ground, plain, alpha) for ground in ("white", "black")]
    lost = _extrema(laid[0].convert("L"))[0] >= _ALMOST_WHITE
    return laid[1 if lost and _extrema(alpha)[1] else 0], True


def _laid_on(colour: str, plain: Image.Image, alpha: Image.Image) -> Image.Image:
    ground = Image.new(plain.mode, plain.size, colour)
    ground.paste(plain, mask=alpha)
    return ground


def _extrema(image: Image.Image) -> tuple[float, float]:
    low, high = image.getextrema()
    assert not isinstance(low, tuple) and not isinstance(high, tuple)
    return low, high


def _eight_bits(image: Image.Image) -> tuple[Image.Image, tuple[float, float], int]:
    """Return greys of more than 8 bits as mode L, the range shown, and NOTES.

    Values that are not finite are shown as the nearest end of the range, NaN as black.
    """
    values = _values(image)
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        raise ValueError("no pixel has a value")
    integers = image.mode != "F"
    low, high = shown_range(float(finite.min()), float(finite.max()), integers)
    scaled = (np.nan_to_num(values, nan=low, posinf=high, neginf=low) - low) * (
        255 / ((high - low) or 1)
    )
    picture = Image.fromarray(np.rint(scaled).clip(0, 255).astype(np.uint8))
    return picture, (low, high), WIDE_INTEGERS if integers else WIDE_FLOATS


def _values(image: Image.Image) -> NDArray[np.float64]:
    values = np.asarray(image)
    if values.dtype == np.int32 and isinstance(image, TiffImagePlugin.TiffImageFile):
        sample_format = image.tag_v2.get(_SAMPLE_FORMAT, (1,))
        if tuple(np.atleast_1d(sample_format)) == (1,):
            values = values.view(np.uint32)  # Pillow has no such mode
    return values.astype(np.float64)


def _square(image: Image.Image, size: int) -> Image.Image:
    """Return the centre square of an image, `size` pixels a side."""
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    box = (left, top, left + side, top + side)
    small = image.resize((size, size), Image.Resampling.BILINEAR, box)
    small.info = image.info
    return small
