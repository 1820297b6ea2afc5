"""Open an image file, whatever its name, and turn one of 8 bits into grey or colour."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Importing these two plugins saves Pillow from loading all of them to find these.
from PIL import (
    Image,
    ImageCms,
    ImageOps,
    WebPImagePlugin,  # noqa: F401
)

from tui_latent.runtime.regular_files import open_regular

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
"""formats that Pillow decodes without starting a program; JPEG includes MPO, which phones write"""
MOST_PIXELS = 100_000_000
"""maximum size of an image; a file that claims more is treated as a decompression bomb"""

TRANSPARENT, NOT_SQUARE, FRAMES, NOT_FINITE = 4, 8, 16, 64
"""bits that record what was done to an image"""
NOTES, FULL_SIZE = "notes", "full size"
"""keys of `Image.info`: these bits, and width and height before the image was read smaller"""

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


def picture_of(image: Image.Image) -> Image.Image:
    """Return an 8-bit image in mode L or RGB, turned by its EXIF orientation; `info` has NOTES."""
    image.load()
    notes = 0
    picture = upright(image)
    if picture.has_transparency_data:
        picture, transparent = _on_ground(picture)
        notes |= TRANSPARENT if transparent else 0
    elif picture.mode == "LAB":
        srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        turned = ImageCms.profileToProfile(picture, lab, srgb, outputMode="RGB")
        assert turned is not None
        picture = turned
    elif picture.mode not in ("L", "RGB"):
        picture = picture.convert("L" if picture.mode == "1" else "RGB")
    picture.info = {NOTES: notes}
    return picture


def upright(image: Image.Image) -> Image.Image:
    """Return the image rotated according to its EXIF orientation, if that can be read."""
    try:
        return ImageOps.exif_transpose(image)
    except (OSError, *NO_IMAGE):
        return image


def has_frames(image: Image.Image) -> bool:
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
