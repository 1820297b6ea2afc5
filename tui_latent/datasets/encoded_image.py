"""Read an encoded image of any depth; its format is detected from its content, not its name."""

from __future__ import annotations

import errno
import io
import re
import struct
import warnings
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, TiffImagePlugin

from tui_latent.datasets.foreign_content import not_an_image
from tui_latent.datasets.image_file import (
    FRAMES,
    FULL_SIZE,
    MOST_PIXELS,
    NO_IMAGE,
    NOTES,
    has_frames,
    opened,
    picture_of,
    upright,
)
from tui_latent.datasets.plain_jpeg import read_plain_jpeg
from tui_latent.datasets.tiff_file import HOW_TO_INSTALL, MAGIC, read_tiff
from tui_latent.runtime.regular_files import leads_nowhere
from tui_latent.sources.files.image_values import (
    MOST_CHANNELS,
    UnusableImage,
    Values,
    channel_axis,
)

_PNG, _NUMPY = b"\x89PNG\r\n\x1a\n", b"\x93NUMPY"
_GAP = rb"(?:\s|#[^\n]*\n)+"
_PNM = re.compile(rb"P([356])" + 3 * (_GAP + rb"(\d{1,9})") + rb"\s")
_GREY_ALPHA = 4
"""colour type of a PNG file"""
_BITS, _PHOTOMETRIC, _SAMPLES, _SAMPLE_FORMAT = 258, 262, 277, 339
"""TIFF tags; the last is 1 for unsigned integers"""
_WHITE_IS_ZERO = 0
"""value of the second tag, which Pillow honours for 8 bits alone"""


def read_image(content: bytes, near: int = 0, plain: bool = False) -> Image.Image | Values:
    """Return an 8-bit image of 1 or 3 channels in mode L or RGB with NOTES, any other as values.

    An image for which `near` is enough as a side may be read at a reduced size. `plain` reads only
    what version 0.1 read, by Pillow: 8 bits of several channels, and the first page. One of
    NO_IMAGE, among them UnusableImage with a reason, or OSError without an errno if it cannot be
    read.
    """
    if not plain:
        found = _read_wide(content)
        if found is not None:
            return found
    if (picture := read_plain_jpeg(content, near)) is not None:
        return picture
    with opened(content) as image:
        if image.width * image.height > MOST_PIXELS:
            raise UnusableImage(f"more than {MOST_PIXELS // 1_000_000} million pixels")
        if not plain:
            _refuse_loss(image)
        full = image.size
        if near:
            image.draft(None, (near, near))  # decodes large JPEGs at reduced size
        notes = FRAMES if has_frames(image) else 0
        if image.mode[0] in "IF":
            values = _values(image)[..., None]
            return Values(values, _opaque(image, values), notes)
        picture = picture_of(image)
        picture.info[NOTES] |= notes
        turned = (picture.width < picture.height) != (image.width < image.height)
        picture.info[FULL_SIZE] = full[::-1] if turned else full
        return picture


def why_unreadable(content: bytes) -> str:
    """Return why an image cannot be read, if that is known; else an empty text."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = read_image(content)
        if isinstance(image, Values):
            image.range()
    except UnusableImage as error:
        return str(error)
    except Image.DecompressionBombError:
        return f"more than {MOST_PIXELS // 1_000_000} million pixels"
    except (OSError, *NO_IMAGE):
        if content[:4] in MAGIC and not _has_tifffile():
            return f"if it is complete, it needs tifffile: {HOW_TO_INSTALL}"
        return not_an_image(content)
    return ""


def not_a_regular_file(error: OSError) -> bool:
    """Return whether an error says that there is no regular file, rather than an unreadable one."""
    return leads_nowhere(error) or error.errno in (None, errno.EINVAL, errno.EISDIR)


def _has_tifffile() -> bool:
    try:
        import tifffile  # noqa: F401
    except ImportError:
        return False
    return True


def _read_wide(content: bytes) -> Values | None:
    """Return the values of a file that Pillow would read in part; None if there are no more."""
    if content.startswith(_NUMPY):
        return _numpy_values(content)
    if content[:4] in MAGIC:
        return read_tiff(content, MOST_PIXELS, FRAMES)
    if content.startswith(_PNG) and content[24:25] == b"\x10" and content[25:26] != b"\0":
        return _wide_png(content)
    if content[:2] in (b"P3", b"P5", b"P6") and (header := _PNM.match(content)):
        kind, width, height, most = (int(number) for number in header.groups())
        return _wide_pnm(content[header.end() :], kind, width, height) if most > 255 else None
    return None


def _numpy_values(content: bytes) -> Values:
    try:
        array: NDArray[Any] = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    except ValueError as error:
        if "pickle" in str(error) or "Object" in str(error):
            raise UnusableImage("an array of Python objects, which could run any code") from error
        raise
    if array.dtype.kind not in "buif" or array.dtype.itemsize > 8:
        raise UnusableImage(f"an array of {array.dtype}, not of pixels")
    shape = array.shape
    if array.ndim not in (2, 3) or 0 in shape:
        raise UnusableImage(f"an array of shape {shape}, not (H, W), (H, W, C) or (C, H, W)")
    if array.ndim == 2:
        array = array[..., None]
    elif (axis := channel_axis(shape)) is None:
        raise UnusableImage(
            f"an array of shape {shape}, in which no axis has 1 to {MOST_CHANNELS} channels"
        )
    elif axis == 0:
        array = np.moveaxis(array, 0, -1)
    if array.dtype.kind == "b":
        array = array.astype(np.uint8) * np.uint8(255)
    return Values(array)


def _wide_png(content: bytes) -> Values:
    """Return the values of a PNG file of 16 bits with colours or transparency.

    Pillow keeps one byte of each value: it reads the file twice, once as if the bytes were swapped.
    Grey with transparency is read as colours with transparency of 8 bits, which take the same four
    bytes.
    """
    width, height = struct.unpack(">II", content[16:24])
    if width * height > MOST_PIXELS:
        raise UnusableImage(f"more than {MOST_PIXELS // 1_000_000} million pixels")
    if content[25] == _GREY_ALPHA:
        header = content[12:24] + b"\x08\x06" + content[26:29]
        patched = content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:]
        with opened(patched) as image:
            pairs = np.asarray(image).reshape(height, width, 2, 2)
        high, low = pairs[..., 0], pairs[..., 1]
    else:
        with opened(content) as image:
            high = np.asarray(image)
        with opened(content) as image:
            assert isinstance(image, ImageFile.ImageFile)
            codec, extents, offset, layout = image.tile[0]
            swapped = str(layout).replace(";16B", ";16L")
            image.tile = [type(image.tile[0])(codec, extents, offset, swapped)]
            low = np.asarray(image)
    array = high.astype(np.uint16) << 8 | low
    if array.shape[-1] == 3:
        return Values(array, _opaque(image, array))
    alpha = (array[..., -1] / 65535).astype(np.float32)
    return Values(array[..., :-1], None if (alpha == 1).all() else alpha)


def _opaque(image: Image.Image, values: NDArray[Any]) -> NDArray[np.float32] | None:
    """Return where an image (H, W, C) has not the one colour that its file calls transparent."""
    transparent = image.info.get("transparency")
    if not isinstance(transparent, int | tuple):
        return None
    opaque = (values != np.array(transparent)).any(-1)
    return None if opaque.all() else opaque.astype(np.float32)


def _wide_pnm(pixels: bytes, kind: int, width: int, height: int) -> Values:
    if width * height > MOST_PIXELS:
        raise UnusableImage(f"more than {MOST_PIXELS // 1_000_000} million pixels")
    channels = 1 if kind == 5 else 3
    if kind == 3:
        numbers = re.sub(rb"#[^\n]*", b"", pixels).split()
        array = np.array(numbers[: width * height * channels]).astype(np.int64).clip(0, 65535)
    else:
        array = np.frombuffer(pixels, ">u2", width * height * channels)
    return Values(array.astype(np.uint16).reshape(height, width, channels))


def _refuse_loss(image: Image.Image) -> None:
    """Refuse a TIFF file of which Pillow would drop bits, channels or their names."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile) or _has_tifffile():
        return
    bits = np.atleast_1d(image.tag_v2.get(_BITS, 1))
    samples = image.tag_v2.get(_SAMPLES, 1)
    if (bits.max() > 8 and samples > 1) or samples > 4:
        raise UnusableImage(f"{samples} channels of {bits.max()} bits need tifffile: "
                            f"{HOW_TO_INSTALL}")  # fmt: skip


def _values(image: Image.Image) -> NDArray[Any]:
    image.load()
    values: NDArray[Any] = np.asarray(upright(image))
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return values
    if values.dtype == np.int32:
        sample_format = image.tag_v2.get(_SAMPLE_FORMAT, (1,))
        if tuple(np.atleast_1d(sample_format)) == (1,):
            values = values.view(np.uint32)  # Pillow has no mode for such images
    if values.dtype.kind == "u" and image.tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        most = (1 << int(np.atleast_1d(image.tag_v2.get(_BITS, 16))[0])) - 1
        values = values.dtype.type(most) - values
    return values
