"""Convert arrays to images: pixels of several types and layouts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui_latent.sources.errors import DataError
from tui_latent.sources.files.array_holders import Chunks, keep_in_memory
from tui_latent.sources.files.image_values import (
    BYTES,
    FLOATS,
    INTEGERS,
    MOST_CHANNELS,
    Values,
    channel_axis,
)
from tui_latent.sources.files.raw import in_file
from tui_latent.sources.files.value_range import (
    Range,
    RangeSetting,
    Scales,
    ValueCounts,
    chosen_scales,
    percentiles_of,
    words_of,
)

Array = NDArray[np.generic]

Pixels = NDArray[np.uint8] | NDArray[np.uint16]

_ROUNDING = 1e-3
"""tolerated excess of floats beyond their range, for example after resizing or in float16"""
_OFF_A_BYTE = 0.1
"""how far from a whole number a float may be, in bytes, and still be one; float16 is off by this"""
_FEW = frozenset(range(1, MOST_CHANNELS + 1))
_CHUNK, _CHUNK_BYTES = 1024, 1 << 26
"""images, and bytes of them, converted at a time; floats take up to eight times the memory"""

KeepOf = Callable[[str, str, tuple[int, ...], "np.dtype[Any]", Chunks], NDArray[Any]]
"""`Keep`, with the name of the array in place of its file"""


def _in_memory(
    name: str, of: str, shape: tuple[int, ...], dtype: np.dtype[Any], chunks: Chunks
) -> NDArray[Any]:
    return keep_in_memory(Path(name), of, shape, dtype, chunks)


def axis_of_channels(path: Path, name: str, shape: tuple[int, ...]) -> int | None:
    """Return the axis of the channels of images, None for (N, H, W); DataError for other shapes."""
    whole = min(shape, default=0) > 0
    if whole and len(shape) == 4 and (axis := channel_axis(shape[1:])) is not None:
        return axis + 1
    if whole and len(shape) == 3:
        return None
    advice = ""
    if whole and len(shape) == 2:
        for channels in (1, 3):
            side = math.isqrt(shape[1] // channels)
            if side > 1 and channels * side * side == shape[1]:
                flat = f"{channels}, {side}, {side}" if channels > 1 else f"{side}, {side}"
                advice = f"; give flat images their height and width with x.reshape(-1, {flat})"
    raise DataError(
        f"{path}: {name} has shape {shape}: it must be (N, H, W), (N, H, W, C) or (N, C, H, W), "
        f"with 1 to {MOST_CHANNELS} channels{advice}"
    )


def as_pixels(
    path: Path,
    arrays: Sequence[tuple[str, Array]],
    setting: RangeSetting = "dtype",
    plain: bool = False,
    keep: KeepOf = _in_memory,
    poll: Callable[[], None] = lambda: None,
) -> tuple[list[Pixels], list[str], Range | None]:
    """Return the images of (name, array) as uint8 or uint16 (N, C, H, W), remarks, and the range.

    The range is that of the values which became black and white; None if it is 0 to 255.

    With the setting "dtype", values are bytes, booleans, integers of up to 32 bits, whose white is
    that of the smallest bit depth that holds all of them, or floats in 0..1; if one of the arrays
    has a value of 16 or more, floats are in 0..255. Any other setting takes any numbers. The
    fourth channel of bytes and floats is alpha. There are 8 bits if nothing is lost by it, or if
    `plain`, as in version 0.1. Arrays that are no pixels yet are put together by `keep`; `poll` is
    called between parts of them. DataError names an array with other values.
    """
    notes: list[str] = []
    images = []
    for name, array in arrays:
        axis = axis_of_channels(path, name, array.shape)
        few = {1, 3, 4} if axis and array.shape[axis] in (1, 3, 4) and setting == "dtype" else _FEW
        if array.ndim == 4 and {array.shape[1], array.shape[3]} <= few:
            order = "first" if axis == 1 else "last"
            notes.append(f"{name} of shape {array.shape} is read with the channels {order}")
        if axis != 1:
            array = np.moveaxis(array, -1, 1) if axis else array[:, None]
        if array.dtype.kind not in "buif":
            raise DataError(
                f"{path}: {name} has type {array.dtype}: save it as uint8, or float in 0..1"
            )
        if array.dtype.kind == "b":
            parts = partial(_parts, array, lambda part: part.astype(np.uint8) * np.uint8(255), poll)
            array = keep(name, f"truths {axis}", array.shape, np.dtype(np.uint8), parts)
        images.append(array)
    ends = [_ends(array, poll) for array in images]
    kinds = _kinds(images, ends, setting == "dtype", plain)
    names = [name for name, _ in arrays]
    scales, more = _scales(path, names, images, ends, kinds, setting, plain)
    notes += more
    found = []
    for (name, _), array, kind in zip(arrays, images, kinds, strict=True):
        alpha = array.shape[1] == 4 and setting == "dtype" and kind != INTEGERS
        if alpha:
            notes.append(f"{name}: transparent images are placed on white")
        found.append(_converted(name, array, kind, scales, alpha, keep, poll))
    return found, notes, scales.of(kinds)


def _parts(
    array: Array, changed: Callable[[Array], Array], poll: Callable[[], None]
) -> Iterator[Array]:
    """Yield an array, changed, some images at a time."""
    size = max(min(_CHUNK, _CHUNK_BYTES // array[:1].nbytes), 1)
    for first in range(0, len(array), size):
        poll()
        yield changed(array[first : first + size])


def _ends(array: Array, poll: Callable[[], None]) -> Range:
    """Return the lowest and the highest value, NaN if there is one; of bytes 0 and 255."""
    if array.dtype == np.uint8:
        return 0, 255
    parts = [(part.min(), part.max()) for part in _parts(array, lambda part: part, poll)]
    return float(np.min([low for low, _ in parts])), float(np.max([high for _, high in parts]))


def _kinds(images: Sequence[Array], ends: Sequence[Range], natural: bool, plain: bool) -> list[int]:
    """Return whether each array has BYTES, INTEGERS or FLOATS.

    Where the type says what is white (`natural`), integers are bytes if none is larger.
    """
    wide = [of for a, of in zip(images, ends, strict=True) if a.dtype.kind != "f"]
    are_bytes = plain or (natural and all(low >= 0 and high <= 255 for low, high in wide))
    others = BYTES if are_bytes else INTEGERS
    return [
        FLOATS if a.dtype.kind == "f" else BYTES if a.dtype == np.uint8 else others for a in images
    ]


def _scales(
    path: Path,
    names: Sequence[str],
    images: Sequence[Array],
    lowest_and_highest: Sequence[Range],
    kinds: Sequence[int],
    setting: RangeSetting,
    plain: bool,
) -> tuple[Scales, list[str]]:
    """Return how the values of all arrays become pixels, and say so."""
    found: dict[int, tuple[int, Range]] = {}
    floats = [array for array in images if array.dtype.kind == "f"]
    most = max((of[1] for of, kind in zip(lowest_and_highest, kinds, strict=True)
                if kind == FLOATS), default=0.0)  # fmt: skip
    white = 255 if most >= 16 else 1
    notes = []
    for name, array, of, kind in zip(names, images, lowest_and_highest, kinds, strict=True):
        if setting == "dtype":
            ends = _range(path, name, array, of, kind, white)
        else:
            ends = of if all(map(math.isfinite, of)) else _finite(array)
        count, (low, high) = found.get(kind, (0, ends))
        found[kind] = count + len(array), (min(low, ends[0]), max(high, ends[1]))
        if setting == "dtype" and kind == FLOATS and white == 255:
            notes.append(f"{name}: floats from {ends[0]:.9g} to {ends[1]:.9g} are read as 0 to 255")
    counts = None
    if percentiles_of(setting) is not None:
        counts = ValueCounts()
        for array in images:
            counts.add_array(array)
    scales = chosen_scales(setting, found, counts, plain)
    if setting == "dtype" and FLOATS in found:
        ranges = (*scales.ranges[:2], (0.0, float(white)))
        bits = 8 if plain or all(map(partial(_in_bytes, white=white), floats)) else 16
        scales = Scales(ranges, max(bits, 16 if INTEGERS in found else 8))
    notes += [
        f"{count:,} images {words_of(kind, scales.ranges[kind], setting)}"
        for kind, (count, _) in found.items()
        if setting != "dtype" or kind == INTEGERS
    ]
    return scales, notes


def _range(path: Path, name: str, array: Array, of: Range, kind: int, white: int) -> Range:
    """Return the minimum and maximum; DataError if they cannot be pixels without a range."""
    low, high = of
    remedy = f"set data.range, such as data.range=[{low:.6g}, {high:.6g}] or 'percentile 1 99'"
    if kind == FLOATS:
        slack = _ROUNDING * white
        if low >= -slack and high <= white + slack:  # false also where one is NaN
            return low, high
        if not (math.isfinite(low) and math.isfinite(high)):
            raise DataError(
                f"{path}: {name} contains values that are not finite (NaN or infinite): replace "
                "them, or set data.range, such as data.range=[0, 1], to show NaN as black"
            )
        raise DataError(
            f"{path}: {name} lies between {low:.9g} and {high:.9g}: without a range, floats must "
            f"be in 0..1 or in 0..255: {remedy}"
        )
    if (kind == INTEGERS and array.dtype.itemsize > 4) or (
        kind == BYTES and (low < 0 or high > 255)
    ):
        raise DataError(
            f"{path}: {name} has type {array.dtype} and values from {low:.15g} to {high:.15g}: "
            f"{remedy}, or save it as uint8, uint16 or float"
        )
    return low, high


def _finite(array: Array) -> Range:
    """Return the lowest and the highest finite value; 0 and 0 if there is none."""
    low, high = np.inf, -np.inf
    for first in range(0, len(array), _CHUNK):
        part = array[first : first + _CHUNK]
        part = part[np.isfinite(part)]
        if part.size:
            low, high = min(low, float(part.min())), max(high, float(part.max()))
    return (low, high) if low <= high else (0.0, 0.0)


def _in_bytes(array: Array, white: int) -> bool:
    """Return whether floats are bytes divided by a number, so that 8 bits hold all of them."""
    for first in range(0, len(array), _CHUNK):
        part = array[first : first + _CHUNK].astype(np.float64) * (255 / white)
        if np.abs(part - np.rint(part)).max(initial=0) > _OFF_A_BYTE:
            return False
    return True


def _converted(
    name: str,
    array: Array,
    kind: int,
    scales: Scales,
    alpha: bool,
    keep: KeepOf,
    poll: Callable[[], None],
) -> Pixels:
    exact = {BYTES: (0, 255, 8), INTEGERS: (0, 65535, 16)}.get(kind)
    if not alpha and exact == (*scales.ranges[kind], scales.bits):
        if array.dtype == scales.dtype:
            pixels: NDArray[Any] = array if in_file(array) else np.ascontiguousarray(array)
            return pixels
        parts = partial(_parts, array, lambda part: part.astype(scales.dtype), poll)
        return keep(name, f"as {scales.dtype}", array.shape, scales.dtype, parts)
    white = np.iinfo(scales.dtype).max

    def scaled(part: Array) -> Array:
        values = scales.scaled(Values(part.astype(np.uint8) if kind == BYTES else part))
        if alpha:
            values = values[:, :3] * values[:, 3:] + (1 - values[:, 3:])
        return np.rint(values * white).astype(scales.dtype)

    shape = (len(array), 3 if alpha else array.shape[1], *array.shape[2:])
    of = f"{array.dtype} of kind {kind}, strides {array.strides}, {scales}, alpha {alpha}"
    return keep(name, of, shape, scales.dtype, partial(_parts, array, scaled, poll))
