"""TIFF files that Pillow reads only in part: several channels, more than 8 bits, pages."""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.sources.files.image_values import (
    MOST_CHANNELS,
    UnusableImage,
    Values,
    channel_axis,
)

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""of TIFF and BigTIFF in both byte orders"""
HOW_TO_INSTALL = "pip install 'tui-latent[tiff]'"
_MINISWHITE, _MINISBLACK, _RGB = 0, 1, 2
_ALPHA = (1, 2)
"""values of the tag ExtraSamples that mean transparency, premultiplied or not"""


def _as_it_is(image: NDArray[Any]) -> NDArray[Any]:
    return image


_UPRIGHT: Final[dict[int, Callable[[NDArray[Any]], NDArray[Any]]]] = {
    2: lambda image: image[:, ::-1],
    3: lambda image: image[::-1, ::-1],
    4: lambda image: image[::-1],
    5: lambda image: image.swapaxes(0, 1),
    6: lambda image: np.rot90(image, -1),
    7: lambda image: image[::-1, ::-1].swapaxes(0, 1),
    8: lambda image: np.rot90(image),
}
"""how to turn an image of each value of the tag Orientation"""


def read_tiff(content: bytes, most_pixels: int, frames: int) -> Values | None:
    """Return the values of a TIFF file; None if Pillow reads all of it.

    These are files of one page with one channel, or with 8-bit colours, and 8-bit pages without
    named axes. The axes that a file names (OME, ImageJ) say what is a channel; of an unnamed axis
    of at most MOST_CHANNELS values, such as pages, each value is a channel. Of every other axis
    only the first value is taken, with the note `frames`. UnusableImage says what the file needs.
    """
    try:
        import tifffile
    except ImportError:
        return None
    try:
        with tifffile.TiffFile(io.BytesIO(content)) as file:
            return _read(file, most_pixels, frames)
    except (UnusableImage, MemoryError):
        raise
    except ValueError as error:
        if "imagecodecs" in str(error):
            raise UnusableImage("its compression needs imagecodecs: pip install imagecodecs") \
                from error  # fmt: skip
        raise
    except Exception as error:  # whatever a damaged file does to the parser
        raise ValueError(str(error)) from error


def _read(file: Any, most_pixels: int, frames: int) -> Values | None:
    page, series = file.pages.first, file.series[0]
    if page.dtype != np.uint8:  # of which pages are channels
        _refuse_cut(file)
    if _is_plain(file, page, series):
        return None
    if math.prod(series.shape) > most_pixels * MOST_CHANNELS:
        raise UnusableImage("it is too large")
    axes, names = series.axes, _names(file)
    shape: tuple[int, ...] = series.shape
    if "S" not in axes and "C" not in axes and len(series.pages) > 1:
        others = [axis for axis in axes if axis not in "YX" and shape[axes.index(axis)] > 1]
        if len(others) == 1 and others[0] in "QI" and axes.endswith("YX"):
            at = axes.index(others[0])
            three = (shape[at], *shape[-2:])
            if (last := channel_axis(three)) == 2 and shape[at] > MOST_CHANNELS:
                axes = axes[:at] + "YXC"  # an array (H, W, C) that was written as H pages
            elif last == 0 or shape[at] <= MOST_CHANNELS:
                axes = axes[:at] + "C" + axes[at + 1 :]
    if series.dtype is None or series.dtype.kind not in "buif":
        raise UnusableImage(f"its values are {series.dtype}, not pixels")
    array, reduced = _channels_last(series.asarray(), axes)
    if array.dtype.kind == "b":
        array = array.astype(np.uint8) * np.uint8(255)
    if int(page.photometric) == _MINISWHITE and array.dtype.kind == "u":
        array = array.dtype.type((1 << page.bitspersample) - 1) - array
    samples = page.samplesperpixel
    alpha = None
    extra = tuple(int(value) for value in page.extrasamples)
    if "S" in axes and samples > 1 and len(extra) == 1 and extra[0] in _ALPHA:
        array, alpha = _without_alpha(array)
    turn = _UPRIGHT.get(page.tags.valueof("Orientation", 1), _as_it_is)
    array, alpha = turn(array), None if alpha is None else turn(alpha)
    if array.shape[-1] > MOST_CHANNELS:
        raise UnusableImage(f"{array.shape[-1]:,} channels, but at most {MOST_CHANNELS} are read")
    names = names if len(names) == array.shape[-1] else ()
    return Values(array, alpha, frames if reduced else 0, names)


def _refuse_cut(file: Any) -> None:
    """Raise ValueError if a file ends before its pages do: those left would be other channels."""
    handle, kind = file.filehandle, file.tiff

    def number(at: int, form: str, size: int) -> int:
        handle.seek(at)
        value: int = struct.unpack(form, handle.read(size))[0]
        return value

    try:
        at = number(file.pages.next_page_offset, kind.offsetformat, kind.offsetsize)
        if at == 0:
            return
        tags = number(at, kind.tagnoformat, kind.tagnosize)
        whole = at + kind.tagnosize + tags * kind.tagsize + kind.offsetsize <= handle.size
    except struct.error:
        whole = False
    if not whole:
        raise ValueError("it ends before its pages do")


def _is_plain(file: Any, page: Any, series: Any) -> bool:
    """Return whether Pillow reads all of a file that is not damaged."""
    if file.byteorder == ">" and (file.is_bigtiff or page.dtype == np.uint32):
        return False  # Pillow knows neither
    one = len(series.pages) == 1
    if page.samplesperpixel == 1:
        if one:  # except types that Pillow does not know
            return page.dtype is not None and page.dtype.str[1:] in (
                "b1", "u1", "u2", "i2", "u4", "i4", "f4",
            )  # fmt: skip
        return page.dtype == np.uint8 and set(series.axes) <= set("IYX")
    if page.dtype != np.uint8:
        return False
    if int(page.photometric) == _MINISBLACK:
        extra = tuple(int(value) for value in page.extrasamples)
        return one and page.samplesperpixel == 2 and extra[0] in _ALPHA
    if int(page.photometric) != _RGB:
        return True
    extra = tuple(int(value) for value in page.extrasamples)
    return "C" not in series.axes and (not extra or (len(extra) == 1 and extra[0] in _ALPHA))


def _channels_last(array: NDArray[Any], axes: str) -> tuple[NDArray[Any], bool]:
    """Return (H, W, C), and whether only the first values of other axes were taken."""
    reduced = False
    for axis in [axis for axis in axes if axis not in "CSYX"]:
        at = axes.index(axis)
        reduced = reduced or array.shape[at] > 1
        array, axes = array.take(0, at), axes[:at] + axes[at + 1 :]
    order = [axes.index(axis) for axis in "YXCS" if axis in axes]
    array = array.transpose(order)
    return array.reshape(*array.shape[:2], -1), reduced


def _without_alpha(array: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.float32] | None]:
    alpha = array[..., -1]
    most = np.iinfo(alpha.dtype).max if alpha.dtype.kind in "iu" else 1
    share = (alpha.astype(np.float64) / most).clip(0, 1).astype(np.float32)
    return array[..., :-1], None if (share == 1).all() else share


def _names(file: Any) -> tuple[str, ...]:
    """Return the names of the channels that OME or ImageJ metadata hold."""
    if file.is_ome:
        from xml.etree import ElementTree

        try:
            tree = ElementTree.fromstring(file.ome_metadata)
        except ElementTree.ParseError:
            return ()
        image = next((node for node in tree.iter() if node.tag.endswith("}Pixels")), None)
        channels = [] if image is None else [n for n in image if n.tag.endswith("}Channel")]
        names = tuple(node.get("Name", "") for node in channels)
        return names if all(names) else ()
    labels = (file.imagej_metadata or {}).get("Labels") or ()
    return tuple(str(label) for label in labels)
