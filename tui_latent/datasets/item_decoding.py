"""Decode a chunk of encoded images to pixels of one shape, with facts about each."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tui_latent.datasets.encoded_image import not_a_regular_file, read_image
from tui_latent.datasets.fitting import Fit, fitted, fitted_values
from tui_latent.datasets.image_file import (
    FULL_SIZE,
    NO_IMAGE,
    NOT_FINITE,
    NOT_SQUARE,
    NOTES,
    TRANSPARENT,
)
from tui_latent.datasets.image_item import ImageItem
from tui_latent.runtime.regular_files import SizeError
from tui_latent.sources.errors import DataError
from tui_latent.sources.files.image_values import BYTES, Values
from tui_latent.sources.files.value_range import Scales, ValueCounts

NO_PIXELS: Final = 32
"""a bit beside those of `image_file`: nothing was kept of this image, as the scales were unknown"""
WHOLE, CORRUPT = 1, 2
"""states of an image; 0 is one that was not decoded yet"""
FACTS: Final = np.dtype(
    [
        ("state", "u1"),
        ("notes", "u1"),  # bits of `image_file`, and NO_PIXELS
        ("kind", "u1"),  # BYTES, INTEGERS or FLOATS
        ("channels", "u1"),
        ("height", "<u4"),  # of the file
        ("width", "<u4"),
        ("free", "<u4"),
        ("low", "<f8"),  # lowest and highest value
        ("high", "<f8"),
    ]
)
"""What is kept of each image. Its 32 bytes divide a page of a disk, so that none is torn."""
Facts = NDArray[np.void]
_ALMOST_WHITE = 240 / 255


@dataclass(frozen=True)
class Decoding:
    """How images are decoded."""

    size: int
    """side of the square in pixels"""
    fit: Fit
    plain: bool = False
    """whether only what version 0.1 read is read: see `read_image`"""
    counted: bool = False
    """whether all values are counted and no pixels are kept; without `scales`"""
    scales: Scales | None = None
    """how values become pixels; None keeps the pixels of 8-bit pictures in grey or colour alone,
    and of other images what is needed to choose the scales"""
    channels: int = 3
    """of the pixels; grey is repeated"""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the pixels."""
        return np.dtype(np.uint8) if self.scales is None else self.scales.dtype

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W)"""
        return self.channels, self.size, self.size

    @property
    def bytes_each(self) -> int:
        """Bytes of the pixels of an image."""
        return int(np.prod(self.shape)) * self.dtype.itemsize


@dataclass(eq=False)
class Found:
    """What is known of the images together; threads add to it."""

    counts: ValueCounts | None
    names: tuple[str, ...] = ()
    """of the channels, in the first file that has some"""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, image: Values) -> None:
        """Count the values of an image."""
        with self.lock:
            self.names = self.names or image.names
            if self.counts is not None:
                self.counts.add(image.visible)


def decode_chunk(
    items: Sequence[ImageItem], how: Decoding, found: Found
) -> tuple[NDArray[Any] | None, Facts]:
    """Return pixels (n, C, H, W), black where there are none, and facts (n,).

    The pixels are None if no image has any. DataError if an item cannot be read for any reason
    other than its content.
    """
    pixels = np.zeros((len(items), *how.shape), how.dtype)
    facts = np.zeros(len(items), FACTS)
    facts["state"] = CORRUPT
    kept = False
    for row, item in enumerate(items):
        image = _read(item, how)
        if image is None:
            continue
        if isinstance(image, Image.Image) and how.scales is None and not how.counted:
            facts[row] = _facts(image.info[NOTES], BYTES, len(image.getbands()),
                                image.info[FULL_SIZE], (0, 255))  # fmt: skip
            values = np.asarray(fitted(image, how.size, how.fit))
            pixels[row] = values if values.ndim == 2 else values.transpose(2, 0, 1)
            kept = True
            continue
        if isinstance(image, Image.Image):
            image = values_of(image)
        try:
            ends = image.range()
        except ValueError:  # no pixel has a value
            continue
        height, width, channels = image.array.shape
        notes = image.notes | (0 if image.alpha is None else TRANSPARENT)
        notes |= 0 if image.all_finite else NOT_FINITE
        if how.scales is None:
            notes |= NO_PIXELS
            found.add(image)
        else:
            pixels[row] = _scaled(image, how, how.scales)
            kept = True
        facts[row] = _facts(notes, image.kind, channels, (width, height), ends)
    return (pixels if kept else None), facts


def values_of(image: Image.Image) -> Values:
    """Return a picture in mode L or RGB as values."""
    array = np.asarray(image)
    return Values(array[..., None] if array.ndim == 2 else array, notes=image.info[NOTES])


def on_ground(values: NDArray[np.float64], alpha: NDArray[np.float32]) -> NDArray[np.float64]:
    """Lay an image in 0..1 on white, or on black if what is visible of it is white."""
    share = alpha[..., None]
    on_white: NDArray[np.float64] = values * share + (1 - share)
    lost = on_white.mean(2).min() >= _ALMOST_WHITE and share.max() > 0
    return values * share if lost else on_white


def _facts(
    notes: int, kind: int, channels: int, size: tuple[int, int], ends: tuple[float, float]
) -> tuple[int | float, ...]:
    width, height = size
    notes |= NOT_SQUARE if width != height else 0
    return WHOLE, notes, kind, channels, height, width, 0, *ends


def _scaled(image: Values, how: Decoding, scales: Scales) -> NDArray[Any]:
    values = scales.scaled(image)
    if image.alpha is not None:
        values = on_ground(values, image.alpha)
    white = np.iinfo(how.dtype).max
    square = fitted_values(values * white, how.size, how.fit)
    whole: NDArray[Any] = np.rint(square).clip(0, white).astype(how.dtype)
    return whole


def _read(item: ImageItem, how: Decoding) -> Image.Image | Values | None:
    """Return an item as an image; None if it is corrupt, DataError if it cannot be read."""
    near = 0 if how.counted else how.size
    try:
        content = item.read()
    except SizeError:
        return None
    except OSError as error:
        if not_a_regular_file(error):
            return None
        raise DataError(f"{item.place}: {error.strerror or error}: make it readable") from error
    try:
        return read_image(content, near, how.plain)
    except (OSError, *NO_IMAGE):
        return None
