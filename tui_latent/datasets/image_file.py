"""Decode an image file to 8 bits; its format is detected from its content, not its name."""

from __future__ import annotations

import errno
import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# Importing these two plugins saves Pillow from loading all of them to find these.
from PIL import (
    Image,
    ImageCms,
    ImageOps,
    TiffImagePlugin,
    WebPImagePlugin,  # noqa: F401
)

from tui_latent.runtime.regular_files import open_regular

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
"""formats that Pillow decodes without starting a program; JPEG includes MPO, which phones write"""
MOST_PIXELS = 100_000_000
"""maximum size of an image; a file that claims more is treated as a decompression bomb"""

TRANSPARENT, CROPPED, FRAMES, WIDE_INTEGERS, WIDE_FLOATS = 4, 8, 16, 32, 64
"""bits that record what was done to an image"""
NOTES, SHOWN_RANGE = "notes", "shown range"
"""keys of `Image.info`: these bits, and the pixel values (low, high) shown as 0 and 255"""

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
"""exceptions, besides OSError, that the readers of Pillow raise for files that are not images"""
_TOPS = tuple(float(2**bits - 1) for bits in (8, 10, 12, 14, 16, 24, 31, 32))
"""maximum values of the bit depths that cameras and programs write"""
_SAMPLE_FORMAT = 339
"""TIFF tag; 1 means unsigned"""
_ALMOST_WHITE = 240


@contextmanager
def opened(file: Path | bytes) -> Iterator[Image.Image]:
    """Open a file, or the bytes of one, as an image in one of FORMATS, without starting a program.

    Its name does not matter. OSError without an errno, or one of NO_IMAGE, if it is not an image;
    OSError as for `open_regular`.
    """
    source = io.BytesIO(file) if isinstance(file, bytes) else open_regular(file)
    with source as content, Image.open(content, formats=FORMATS) as image:
        yield image


def decode(file: Path | bytes, size: int) -> Image.Image | None:
    """Return the centre square of an image with sides of `size` pixels; None if it is corrupt.

    The mode is L or RGB. `info` has NOTES, and SHOWN_RANGE if the file has more than 8 bits.
    OSError if the file cannot be read, for example for lack of permission.
    """
    try:
        with opened(file) as image:
            if image.width * image.height > MOST_PIXELS:
                return None
            image.draft(None, (size, size))  # decodes large JPEGs at reduced size
            picture = _picture(image)
            if _has_frames(image):
                picture.info[NOTES] |= FRAMES
        return _square(picture, size)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno not in (None, errno.EINVAL, errno.EISDIR):  # no longer a regular file
            raise
        return None
    except NO_IMAGE:
        return None


def oversized(file: Path | bytes) -> bool:
    """Return whether the header of a file claims more than MOST_PIXELS."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with opened(file) as image:
                return image.width * image.height > MOST_PIXELS
    except Image.DecompressionBombError:
        return True
    except (OSError, *NO_IMAGE):
        return False


def shown_range(low: float, high: float, integers: bool) -> tuple[float, float]:
    """Return the values to show as black and as white for pixel values from `low` to `high`.

    These are 0 and the maximum of the smallest bit depth that fits, or 0 and 1 for floats in
    0..1. For negative values, and floats that fit none of these, they are `low` and `high`.
    """
    if low < 0:
        return low, high
    if not integers and high <= 1:
        return 0.0, 1.0 if high > 1 / 16 else high
    if not integers and high < 16:
        return 0.0, high
    return 0.0, next((top for top in _TOPS if high <= top), high)


def _picture(image: Image.Image) -> Image.Image:
    """Return the image in mode L or RGB, rotated according to its EXIF orientation, with NOTES."""
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
    """Return the image rotated according to its EXIF orientation, if that can be read."""
    try:
        return ImageOps.exif_transpose(image)
    except (OSError, *NO_IMAGE):
        return image


def _has_frames(image: Image.Image) -> bool:
    """Return whether an image has several frames; extra images in an MPO do not count."""
    try:
        return image.format != "MPO" and bool(getattr(image, "is_animated", False))
    except (OSError, *NO_IMAGE):
        return False


def _on_ground(image: Image.Image) -> tuple[Image.Image, bool]:
    """Put an image on white, or on black if it is white; return whether it was transparent."""
    grey = image.mode in ("1", "L", "LA", "La")
    # Pillow converts premultiplied modes only to their plain counterparts.
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
    """Return a grey image of more than 8 bits in mode L, the range shown, and NOTES.

    Infinite values are shown as the nearer end of the range, NaN as black.
    """
    values = _values(image)
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        raise ValueError("no pixel has a finite value")
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
            values = values.view(np.uint32)  # Pillow has no mode for these
    return values.astype(np.float64)


def _square(image: Image.Image, size: int) -> Image.Image:
    """Return the centre square of an image, resized to sides of `size` pixels."""
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    box = (left, top, left + side, top + side)
    small = image.resize((size, size), Image.Resampling.BILINEAR, box)
    small.info = image.info
    return small
