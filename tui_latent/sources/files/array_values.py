"""Convert arrays to images and labels: pixels of several types and layouts, forms of labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tui_latent.runtime.sanitize import printable
from tui_latent.sources.errors import DataError
from tui_latent.sources.files.raw import UNLABELLED
from tui_latent.sources.naming import natural_order

Array = NDArray[np.generic]

_CHANNELS = (1, 3, 4)
_ROUNDING = 1e-3
"""tolerated excess of floats beyond their range, for example after resizing or in float16"""
_CHUNK = 1024
"""images converted at a time; floats take up to eight times the memory"""


def axis_of_channels(path: Path, name: str, shape: tuple[int, ...]) -> int | None:
    """Return the axis of the channels of images, None for (N, H, W); DataError for other shapes."""
    whole = min(shape, default=0) > 0
    if whole and len(shape) == 4:
        for axis, sides in ((3, shape[1:3]), (1, shape[2:])):
            if shape[axis] in _CHANNELS and (shape[axis] < 4 or min(sides) > 4):
                return axis
    if whole and len(shape) == 3:
        return None
    advice = ""
    if whole and len(shape) == 2:
        for channels in (1, 3):
            side = math.isqrt(shape[1] // channels)
            if side > 1 and channels * side * side == shape[1]:
                flat = f"{channels}, {side}, {side}" if channels > 1 else f"{side}, {side}"
                advice = f"; give flat images their sides with x.reshape(-1, {flat})"
    raise DataError(
        f"{path}: {name} has shape {shape}: it must be (N, H, W), (N, H, W, C) or (N, C, H, W), "
        f"with 1, 3 or 4 channels{advice}"
    )


def as_bytes(
    path: Path, arrays: Sequence[tuple[str, Array]]
) -> tuple[list[NDArray[np.uint8]], list[str]]:
    """Return the images of (name, array) as uint8 (N, C, H, W), C 1 or 3, and remarks.

    Values are bytes, other integers in 0..255, booleans, or floats in 0..1; if one of the arrays
    has a value of 16 or more, floats are in 0..255. DataError names an array with other values.
    """
    notes: list[str] = []
    floats = [a for _, a in arrays if np.issubdtype(a.dtype, np.floating)]
    most = max((float(np.max(a, initial=0)) for a in floats), default=0.0)
    white = 255 if most >= 16 else 1
    images = []
    for name, array in arrays:
        axis = axis_of_channels(path, name, array.shape)
        if array.ndim == 4 and {array.shape[1], array.shape[3]} <= {*_CHANNELS}:
            notes.append(f"{name} of shape {array.shape} is read with the channels last")
        if axis != 1:
            array = np.moveaxis(array, -1, 1) if axis else array[:, None]
        low, high = _range(path, name, array, white)
        if white == 255 and np.issubdtype(array.dtype, np.floating):
            notes.append(f"{name}: floats from {low:.9g} to {high:.9g} are read as 0 to 255")
        whole = np.ascontiguousarray(_converted(array, white))
        if whole.shape[1] == 4:
            notes.append(f"{name}: transparent images are placed on white")
        images.append(whole if whole.shape[1] < 4 else _on_white(whole))
    return images, notes


def class_labels(
    path: Path, parts: Sequence[tuple[str, Array, int]], names: tuple[str, ...]
) -> tuple[list[NDArray[np.int64]], tuple[str, ...]]:
    """Return the labels of (name, array, number of images) as class indices, and the class names.

    The class names are `names` or, if that is empty, the sorted labels; there are none if no image
    has a class. -1, NaN and an empty text say that an image has none: UNLABELLED. DataError names
    an array that does not have one label per image.
    """
    if not parts:
        return [], ()
    flat = [_flat(path, *part) for part in parts]
    texts = [labels.dtype.kind == "U" for labels in flat]
    if len(set(texts)) > 1:
        raise DataError(f"{path}: labels are texts in one array and numbers in another: save both "
                        "as one of these")  # fmt: skip
    if texts[0]:
        there = {str(text) for labels in flat for text in np.unique(labels)} - {""}
        known = list(names) or natural_order(there)
        if unknown := natural_order(there.difference(known)):
            raise DataError(
                f"{path}: label '{printable(unknown[0])}' is not in class_names: add it"
            )
        place = {text: position for position, text in enumerate(known)} | {"": UNLABELLED}
        positions = [np.array([place[str(t)] for t in labels], np.int64) for labels in flat]
        return positions, tuple(printable(text) for text in known) if there else ()
    numbers = [labels.astype(np.int64) for labels in flat]
    found = np.unique(np.concatenate(numbers))
    found = found[found != UNLABELLED]
    if not len(found):
        return numbers, ()
    if not names:
        return [_positions(found, labels) for labels in numbers], tuple(map(str, found))
    if found[-1] >= len(names):
        raise DataError(f"{path}: label {found[-1]}, but {len(names)} class_names")
    return numbers, names


def _positions(found: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(labels == UNLABELLED, UNLABELLED, np.searchsorted(found, labels))


def _range(path: Path, name: str, array: Array, white: int) -> tuple[float, float]:
    """Return the minimum and maximum; DataError if they cannot be pixels."""
    kind = array.dtype.kind
    if kind not in "buif":
        raise DataError(
            f"{path}: {name} has type {array.dtype}: save it as uint8, or float in 0..1"
        )
    if kind == "b" or array.dtype == np.uint8:
        return 0, 255
    low, high = float(array.min()), float(array.max())
    if kind == "f":
        slack = _ROUNDING * white
        if low >= -slack and high <= white + slack:  # false also where one is NaN
            return low, high
        raise DataError(
            f"{path}: {name} lies between {low:.9g} and {high:.9g}: floats must be in 0..1 or in "
            "0..255, without NaN: rescale them with (x - x.min()) / (x.max() - x.min())"
        )
    if low < 0 or high > 255:
        raise DataError(
            f"{path}: {name} has type {array.dtype} and values from {low:.15g} to {high:.15g}: "
            "save it as uint8, or as float in 0..1, such as (x / 65535) for 16 bits"
        )
    return low, high


def _converted(array: Array, white: int) -> NDArray[np.uint8]:
    if array.dtype.kind == "f":
        whole = np.empty(array.shape, np.uint8)
        for first in range(0, len(array), _CHUNK):
            part = array[first : first + _CHUNK].astype(np.float64)
            whole[first : first + _CHUNK] = np.rint(part * (255 / white)).clip(0, 255)
        return whole
    whole = array.astype(np.uint8, copy=False)
    return whole * np.uint8(255) if array.dtype.kind == "b" else whole


def _on_white(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    laid = np.empty((len(images), 3, *images.shape[2:]), np.uint8)
    for first in range(0, len(images), _CHUNK):
        part = images[first : first + _CHUNK].astype(np.float64)
        alpha = part[:, 3:] / 255
        laid[first : first + _CHUNK] = np.rint(part[:, :3] * alpha + 255 * (1 - alpha))
    return laid


def _flat(path: Path, name: str, array: Array, images: int) -> Array:
    """Return labels as (N,): integers from 0, or UNLABELLED, which NaN is too, or texts."""
    if array.ndim == 2 and array.shape[0] == images and array.shape[1] > 1:
        array = _from_one_hot(path, name, array)
    elif array.size == images and max(array.shape, default=0) == images:
        array = array.reshape(images)  # a column, as Keras has them, or a row
    if array.shape != (images,):
        raise DataError(f"{path}: {name} has shape {array.shape}: {images:,} labels are needed")
    kind = array.dtype.kind
    if kind == "S":
        array, kind = np.char.decode(array.astype(np.bytes_), "utf-8", "replace"), "U"
    if kind == "U":
        return np.char.strip(array.astype(np.str_))
    if kind not in "buif":
        raise DataError(f"{path}: {name} has type {array.dtype}: labels are whole numbers or texts")
    if kind == "f":
        array = np.where(np.isnan(array.astype(np.float64)), UNLABELLED, array.astype(np.float64))
    if kind == "f" and not (np.isfinite(array) & (np.rint(array) == array)).all():
        odd = next(value for value in array.tolist() if value != value // 1)
        raise DataError(
            f"{path}: {name} has type {array.dtype} and a label {odd}: labels are whole numbers "
            "from 0, texts, or -1 where an image has no class"
        )
    if array.min() < UNLABELLED or array.max() > np.iinfo(np.int64).max:
        odd = array.min() if array.min() < UNLABELLED else array.max()
        raise DataError(
            f"{path}: {name} has a label {odd}: labels are whole numbers from 0, or -1 where an "
            "image has no class"
        )
    return array


def _from_one_hot(path: Path, name: str, array: Array) -> Array:
    """Return the column of each one-hot row that is 1."""
    if array.dtype.kind in "buif":
        ones = array == 1
        if (ones.sum(1) == 1).all() and not array[~ones].astype(bool).any():
            columns: Array = ones.argmax(1)
            return columns
    raise DataError(
        f"{path}: {name} has shape {array.shape}, but not every row is a single 1 among 0s: "
        "save one class per image, as (N,) labels or one-hot"
    )
