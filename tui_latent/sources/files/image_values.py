"""The values of one image, before they are scaled: any type, any number of channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

MOST_CHANNELS: Final = 16
BYTES, INTEGERS, FLOATS = 0, 1, 2
"""kinds of values: 0 to 255 as 8-bit files have them, other integers, and floats"""


class UnusableImage(ValueError):
    """An image that is whole but cannot be used; the message says why, to follow its name."""


@dataclass(frozen=True, eq=False)
class Values:
    """An image of any depth, upright."""

    array: NDArray[Any]
    """(H, W, C) integers or floats, C from 1 to MOST_CHANNELS"""
    alpha: NDArray[np.float32] | None = None
    """(H, W) in 0..1; None if the whole image is opaque"""
    notes: int = 0
    """bits of `image_file` that say what was done to the image"""
    names: tuple[str, ...] = ()
    """of the channels; empty if the file has none"""

    @property
    def kind(self) -> int:
        """BYTES, INTEGERS or FLOATS."""
        if self.array.dtype == np.uint8:
            return BYTES
        return INTEGERS if self.array.dtype.kind in "iu" else FLOATS

    @property
    def visible(self) -> NDArray[Any]:
        """The values that are not wholly transparent."""
        return self.array if self.alpha is None else self.array[self.alpha > 0]

    @property
    def all_finite(self) -> bool:
        """Whether no visible value is infinite or NaN."""
        return self.array.dtype.kind != "f" or bool(np.isfinite(self.visible).all())

    def range(self) -> tuple[float, float]:
        """Return the lowest and the highest visible value; UnusableImage if none is finite."""
        values = self.visible
        if not self.all_finite:
            values = values[np.isfinite(values)]
        if not values.size:
            raise UnusableImage("no pixel has a finite value")
        return float(values.min()), float(values.max())


def channel_axis(shape: tuple[int, ...]) -> int | None:
    """Return the axis of the channels among the three of an image, 0 or 2; None if there is none.

    It is the last axis if that has one, three or four values, as colour images have them, else the
    first if that has, else the shorter one of at most MOST_CHANNELS values; if both have so few,
    the one that leaves a square.
    """
    first, *_, last = shape
    for axis, count, sides in ((2, last, shape[:2]), (0, first, shape[1:])):
        if count in (1, 3) or (count == 4 and min(sides) > 4):
            return axis
    if min(first, last) > MOST_CHANNELS:
        return None
    if max(first, last) <= MOST_CHANNELS and (shape[0] == shape[1]) != (shape[1] == shape[2]):
        return 2 if shape[0] == shape[1] else 0
    return 0 if first < last else 2
