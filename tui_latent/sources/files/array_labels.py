"""Convert arrays to labels: numbers from 0, 1 or anything else, texts, columns and one-hot rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tui_latent.runtime.sanitize import printable
from tui_latent.sources.errors import DataError
from tui_latent.sources.files.raw import UNLABELLED
from tui_latent.sources.naming import LONGEST_CLASS, classes_of, natural_order

Array = NDArray[np.generic]

_AS_POSITIONS = "save numpy.unique(y, return_inverse=True)[1]"
_NO_CLASS_TEXTS = frozenset(("None", "<NA>", "NaT"))
"""what astype(str) makes of the values that stand for no class"""


def class_labels(
    path: Path, parts: Sequence[tuple[str, Array, int]], names: tuple[str, ...]
) -> tuple[list[NDArray[np.int64]], tuple[str, ...]]:
    """Return the labels of (name, array, number of images) as class indices, and the class names.

    The class names are `names` or, if that is empty, the sorted labels; there are none if no image
    has a class. Numbers are positions in `names` from 0, or from 1 if they end with the number of
    names. -1, NaN and an empty text say that an image has none: UNLABELLED. If -1 and 1 are the
    only numbers, they are two classes. DataError names an array that does not have one label per
    image.
    """
    if not parts:
        return [], ()
    flat = [_flat(path, *part) for part in parts]
    texts = [labels.dtype.kind == "U" for labels in flat]
    if len(set(texts)) > 1:
        raise DataError(f"{path}: labels are text in one array and numbers in another: save both "
                        "as text or as numbers")  # fmt: skip
    if texts[0]:
        return _of_texts(path, flat, names)
    numbers = [labels.astype(np.int64) for labels in flat]
    found = np.unique(np.concatenate(numbers))
    if found.tolist() == [-1, 1] and len(names) in (0, 2):
        return [(labels + 1) // 2 for labels in numbers], names or ("-1", "1")
    found = found[found != UNLABELLED]
    if not len(found):
        return numbers, ()
    if not names:
        return [_positions(found, labels) for labels in numbers], tuple(map(str, found))
    if found[0] >= 1 and found[-1] == len(names):  # as MATLAB and R count
        return [np.where(y == UNLABELLED, UNLABELLED, y - 1) for y in numbers], names
    if found[-1] >= len(names):
        raise DataError(
            f"{path}: label {found[-1]}, but {len(names)} class_names: labels are positions in "
            f"class_names, from 0 or from 1: add the names that are missing, or {_AS_POSITIONS}"
        )
    return numbers, names


def _of_texts(
    path: Path, flat: Sequence[Array], names: tuple[str, ...]
) -> tuple[list[NDArray[np.int64]], tuple[str, ...]]:
    """Return labels that are texts as positions in the class names, as `class_labels` does."""
    every = np.unique(np.concatenate(flat)).tolist()
    meant = classes_of(["" if text in _NO_CLASS_TEXTS else text for text in every])
    class_of = dict(zip(every, meant, strict=True))
    class_of |= {name: name for name in names}
    there = {class_of[text] for text in every} - {""}
    known = list(names) or natural_order(there)
    if unknown := natural_order(there.difference(known)):
        raise DataError(f"{path}: label '{printable(unknown[0])}' is not in class_names: add it")
    if long := next((text for text in known if len(text) > LONGEST_CLASS), None):
        raise DataError(
            f"{path}: label '{printable(long[:20])}…' is too long: a class name has at most "
            f"{LONGEST_CLASS} characters"
        )
    place = {text: position for position, text in enumerate(known)} | {"": UNLABELLED}
    positions = [np.array([place[class_of[str(t)]] for t in part], np.int64) for part in flat]
    return positions, tuple(printable(text) for text in known) if there else ()


def _positions(found: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(labels == UNLABELLED, UNLABELLED, np.searchsorted(found, labels))


def _flat(path: Path, name: str, array: Array, images: int) -> Array:
    """Return labels as (N,): texts, or integers from 0 with UNLABELLED for -1 and NaN."""
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
        raise DataError(f"{path}: {name} has type {array.dtype}: labels are whole numbers or "
                        "text: save y.astype(str)")  # fmt: skip
    if kind == "f":
        array = np.where(np.isnan(array.astype(np.float64)), UNLABELLED, array.astype(np.float64))
    if kind == "f" and not (np.isfinite(array) & (np.rint(array) == array)).all():
        odd = next(value for value in array.tolist() if value != value // 1)
        raise DataError(
            f"{path}: {name} has type {array.dtype} and a label {odd}: labels are whole numbers "
            f"from 0, text, or -1 where an image has no class: {_AS_POSITIONS} if they are classes"
        )
    if array.min() < UNLABELLED or array.max() > np.iinfo(np.int64).max:
        odd = array.min() if array.min() < UNLABELLED else array.max()
        raise DataError(
            f"{path}: {name} has a label {odd}: labels are whole numbers from 0, or -1 where an "
            f"image has no class: {_AS_POSITIONS} if all of them are classes"
        )
    return array


def _from_one_hot(path: Path, name: str, array: Array) -> Array:
    """Return the column of each one-hot row that has the larger of two values: 1 and 0, 1 and -1,
    255 and 0."""
    found = np.unique(array).tolist() if array.dtype.kind in "buif" else []
    if len(found) == 2 and found[0] in (0, -found[1]):
        ones = array == found[1]
        if (ones.sum(1) == 1).all():
            columns: Array = ones.argmax(1)
            return columns
    raise DataError(
        f"{path}: {name} has shape {array.shape}, but not every row is a single 1 among 0s: "
        "save one class per image, as (N,) labels or one-hot"
    )
