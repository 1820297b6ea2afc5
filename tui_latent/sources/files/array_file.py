"""Images from an archive (.npz), or from arrays in files of their own (.npy), without torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tui_latent.runtime.sanitize import printable
from tui_latent.sources.errors import DataError
from tui_latent.sources.files.array_holders import (
    Chunks,
    Holder,
    Keep,
    keep_in_memory,
    opened,
)
from tui_latent.sources.files.array_labels import class_labels
from tui_latent.sources.files.array_values import as_pixels, axis_of_channels
from tui_latent.sources.files.raw import UNLABELLED, RawImages, RawSplit
from tui_latent.sources.files.value_range import RangeSetting
from tui_latent.sources.naming import LONGEST_CLASS, look_alike

_WANTED = (
    "save one with numpy.savez(file, x_train=…) and, where you have them, y_train, x_test, "
    "y_test and class_names"
)
_TRAIN = (("x_train", "y_train"), ("train_images", "train_labels"), ("train_x", "train_y"))
_ALONE = (("images", "labels"), ("x", "y"))
_HELD_OUT = (
    ("x_test", "y_test"),
    ("test_images", "test_labels"),
    ("test_x", "test_y"),
    ("x_val", "y_val"),
    ("val_images", "val_labels"),
    ("val_x", "val_y"),
)
"""names of images and labels, in any case; the first pair found is used"""
_IMAGES = tuple(images for images, _ in (*_TRAIN, *_ALONE))
_NAMES = "class_names"


@dataclass(frozen=True)
class ArrayFacts:
    """Facts from the headers of an archive."""

    shape: tuple[int, int, int]
    """(C, H, W)"""
    train: int
    held_out: int | None
    """None without x_test"""
    unlabelled: str = ""
    """why the images have no classes, in words; empty if there are labels"""


class _Pair(NamedTuple):
    """The names of two arrays in an archive."""

    images: str
    labels: str | None
    """None if there is no such array"""
    wanted: str
    """the name under which labels are looked for"""


def load_arrays(
    path: Path,
    held_out: bool = True,
    labelled: bool = True,
    setting: RangeSetting = "dtype",
    plain: bool = False,
    keep: Keep = keep_in_memory,
    poll: Callable[[], None] = lambda: None,
) -> RawImages:
    """Read x_train, y_train and class_names and, if `held_out`, x_test and y_test.

    `path` is an archive, the file of an array of images beside which the others may lie, or a
    folder of such files. Images have the shape (N, H, W), (N, H, W, C) or (N, C, H, W) with 1 to
    16 channels; `as_pixels` describes their values. Labels are numbers or texts, in one column or
    one-hot; `class_labels` says which of them stand for no class. Only x_train is required; images
    without labels, and all of them if not `labelled`, have no class. Large arrays that do not lie
    in their file as pixels are handed to `keep`; `poll` is called while arrays are read, and may
    raise. DataError names file and array.
    """
    holder = opened(path, _WANTED, _IMAGES)
    pairs, files = _found(holder)
    pairs = pairs[: 2 if held_out else 1]
    _refuse_images_last(holder, pairs)
    given = [pair.labels for pair in pairs if pair.labels is not None and labelled]
    arrays = [(pair.images, holder.read(pair.images, keep)) for pair in pairs]

    def keep_of(
        name: str, of: str, shape: tuple[int, ...], dtype: np.dtype[Any], chunks: Chunks
    ) -> NDArray[Any]:
        return keep(holder.file_of(name), f"{name}: {of}", shape, dtype, chunks)

    images, notes, ends = as_pixels(holder.path, arrays, setting, plain, keep_of, poll)
    counts = {p.labels: len(part) for p, part in zip(pairs, images, strict=True)}
    parts = [(name, holder.read(name, keep), counts[name]) for name in given]
    named = labelled and _NAMES in files
    names = _class_names(path, holder.read(_NAMES, keep) if named else None)
    used = [*(pair.images for pair in pairs), *given, *([_NAMES] if named else [])]
    if len(images) > 1 and images[1].shape[1:] != images[0].shape[1:]:
        raise DataError(
            f"{path}: {pairs[1].images} has images of shape {images[1].shape[1:]}, "
            f"{pairs[0].images} of {images[0].shape[1:]}: they must be the same"
        )
    found, class_names = class_labels(holder.path, parts, names)
    if alike := look_alike(class_names):
        notes.append(f"classes whose names look alike: {', '.join(alike)}")
    labels = dict(zip(given, found, strict=True))
    splits = []
    for pair, part in zip(pairs, images, strict=True):
        none = np.full(len(part), UNLABELLED, dtype=np.int64)
        splits.append(RawSplit(part, labels.get(pair.labels or "", none)))
    held = pairs[1].images if len(pairs) > 1 else ""
    if holder.is_archive and (unused := [name for name in files if name not in used]):
        notes.insert(0, f"not used: {', '.join(map(printable, unused))}")
    if not holder.is_archive:
        notes.insert(0, f"read from {', '.join(f'{printable(name)}.npy' for name in used)}")
    return RawImages(
        holder.path.stem,
        class_names,
        splits[0],
        splits[1] if held else None,
        f"images in {held}" if held and held != "x_test" else "test images",
        notes=tuple(notes),
        value_range=ends,
    )


def look_at_arrays(path: Path) -> ArrayFacts:
    """Read only the headers; DataError as for `load_arrays`, for problems visible in them."""
    holder = opened(path, _WANTED, _IMAGES)
    pairs, _ = _found(holder)
    _refuse_images_last(holder, pairs)
    shapes = [holder.header(pair.images)[0] for pair in pairs]
    kind = holder.header(pairs[0].images)[1]
    train = shapes[0]
    axis = axis_of_channels(path, pairs[0].images, train)
    height, width = (n for i, n in enumerate(train) if i not in (0, axis))
    channels = 1 if axis is None else train[axis]
    if channels == 4 and kind.itemsize * (kind.kind != "f") < 2:  # bytes or floats: alpha
        channels = 3
    held_out = shapes[1][0] if shapes[1:] else None
    where = "it has no array" if holder.is_archive else "there is no file"
    missing = pairs[0].wanted if holder.is_archive else f"{pairs[0].wanted}.npy beside it"
    unlabelled = "" if pairs[0].labels else f"{where} {missing}"
    return ArrayFacts((channels, height, width), train[0], held_out, unlabelled)


def _found(holder: Holder) -> tuple[tuple[_Pair, ...], list[str]]:
    """Return the arrays to train on, then those held out, if there are any; and all names."""
    if not holder.is_archive:
        return _beside(holder)
    files = holder.names(())
    known = {name.casefold(): name for name in files} | {name: name for name in files}
    train = _pair(known, (*_TRAIN, *_ALONE))
    if train is None:
        there = f"; it contains {', '.join(map(printable, files))}" if files else ""
        if "arr_0" in known:
            there = "; arr_0 and the like are arrays saved without their names"
        raise DataError(f"{holder.path}: no array x_train{there}: {_WANTED}")
    held = _pair(known, _HELD_OUT)
    return ((train, held) if held else (train,)), files


def _refuse_images_last(holder: Holder, pairs: Sequence[_Pair]) -> None:
    """Raise DataError where the labels are as many as the last axis of the images, not the first.

    MATLAB stores images so: (H, W, N) and (H, W, C, N).
    """
    for pair in pairs:
        shape = holder.header(pair.images)[0]
        of_labels = holder.header(pair.labels)[0] if pair.labels else ()
        count = max(of_labels, default=0)
        if len(shape) > 2 and count == shape[-1] and count != shape[0]:
            raise DataError(
                f"{holder.path}: {pair.labels} has shape {of_labels}: {shape[0]:,} labels are "
                f"needed; or, if the last axis of {pair.images} {shape} counts the images, save "
                f"numpy.moveaxis({pair.images}, -1, 0)"
            )


def _beside(holder: Holder) -> tuple[tuple[_Pair, ...], list[str]]:
    """Return an array of images with the labels beside it, then held-out ones, as `_found`."""
    images = holder.path.stem
    known = [labels for name, labels in (*_TRAIN, *_ALONE) if name == images.casefold()]
    labels = holder.names((*known, f"{images}_labels", "labels"))
    pairs = [_Pair(images, labels[0] if labels else None, (*known, "labels")[0])]
    if images.casefold() in dict(_TRAIN):
        files = holder.names([name for pair in _HELD_OUT for name in pair])
        held = _pair({name.casefold(): name for name in files}, _HELD_OUT)
        pairs += [held] if held else []
    return tuple(pairs), holder.names([_NAMES])


def _pair(known: dict[str, str], pairs: Sequence[tuple[str, str]]) -> _Pair | None:
    """Return the first pair of which both arrays are there, else the first with images alone."""
    there = [pair for pair in pairs if pair[0] in known]
    if not there:
        return None
    images, labels = next((pair for pair in there if pair[1] in known), there[0])
    return _Pair(known[images], known.get(labels), labels)


def _class_names(path: Path, array: NDArray[np.generic] | None) -> tuple[str, ...]:
    """Return the class names in the archive; empty if there are none."""
    if array is None:
        return ()
    names = tuple(
        name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)
        for name in array.reshape(-1).tolist()
    )
    names = tuple(printable(name)[:LONGEST_CLASS].strip() for name in names)
    if len(set(names)) < len(names):
        raise DataError(f"{path}: two of class_names are the same: give each class its own")
    if "" in names:
        raise DataError(f"{path}: one of class_names is empty: give each class a name")
    return names
