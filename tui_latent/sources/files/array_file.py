"""Images from a NumPy archive (.npz), without torch."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tui_latent.runtime.array_files import check_archive, mapped_member
from tui_latent.runtime.regular_files import SizeError, open_regular
from tui_latent.runtime.sanitize import printable
from tui_latent.sources.errors import DataError
from tui_latent.sources.files.array_values import as_pixels, axis_of_channels, class_labels
from tui_latent.sources.files.raw import UNLABELLED, RawImages, RawSplit
from tui_latent.sources.files.value_range import RangeSetting

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
_NAMES = "class_names"
_BROKEN = (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error)
"""what numpy raises if a file is damaged or holds no arrays"""
_LONGEST_NAME = 200
"""maximum length of a class name"""


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
) -> RawImages:
    """Read x_train, y_train and class_names and, if `held_out`, x_test and y_test.

    Images have the shape (N, H, W), (N, H, W, C) or (N, C, H, W) with 1 to 16 channels;
    `as_pixels` describes their values. Labels are numbers or texts, in one
    column or one-hot; `class_labels` says which of them stand for no class. Only x_train is
    required; images without labels, and all of them if not `labelled`, have no class. DataError
    names file and array.
    """
    with _opened(path) as archive:
        pairs = _found(path, archive.files)[: 2 if held_out else 1]
        given = [pair.labels for pair in pairs if pair.labels is not None and labelled]
        arrays = [(pair.images, _read(path, archive, pair.images)) for pair in pairs]
        images, notes, ends = as_pixels(path, arrays, setting, plain)
        counts = {p.labels: len(part) for p, part in zip(pairs, images, strict=True)}
        parts = [(name, _read(path, archive, name), counts[name]) for name in given]
        named = labelled and _NAMES in archive.files
        names = _class_names(path, _read(path, archive, _NAMES) if named else None)
        used = {*(pair.images for pair in pairs), *given, *([_NAMES] if named else [])}
        unused = [name for name in archive.files if name not in used]
    if len(images) > 1 and images[1].shape[1:] != images[0].shape[1:]:
        raise DataError(
            f"{path}: {pairs[1].images} has images of shape {images[1].shape[1:]}, "
            f"{pairs[0].images} of {images[0].shape[1:]}: they must be the same"
        )
    found, class_names = class_labels(path, parts, names)
    labels = dict(zip(given, found, strict=True))
    splits = []
    for pair, part in zip(pairs, images, strict=True):
        none = np.full(len(part), UNLABELLED, dtype=np.int64)
        splits.append(RawSplit(part, labels.get(pair.labels or "", none)))
    held = pairs[1].images if len(pairs) > 1 else ""
    if unused:
        notes.insert(0, f"not used: {', '.join(map(printable, unused))}")
    return RawImages(
        path.stem,
        class_names,
        splits[0],
        splits[1] if held else None,
        f"images in {held}" if held and held != "x_test" else "test images",
        notes=tuple(notes),
        value_range=ends,
    )


def look_at_arrays(path: Path) -> ArrayFacts:
    """Read only the headers; DataError as for `load_arrays`, for problems visible in them."""
    with _opened(path) as archive:
        pairs = _found(path, archive.files)
        shapes = [_header(path, archive, pair.images)[0] for pair in pairs]
        kind = _header(path, archive, pairs[0].images)[1]
    train = shapes[0]
    axis = axis_of_channels(path, pairs[0].images, train)
    height, width = (n for i, n in enumerate(train) if i not in (0, axis))
    channels = 1 if axis is None else train[axis]
    if channels == 4 and kind.itemsize * (kind.kind != "f") < 2:  # bytes or floats: alpha
        channels = 3
    held_out = shapes[1][0] if shapes[1:] else None
    unlabelled = "" if pairs[0].labels else f"it has no array {pairs[0].wanted}"
    return ArrayFacts((channels, height, width), train[0], held_out, unlabelled)


def _found(path: Path, files: Sequence[str]) -> tuple[_Pair, ...]:
    """Return the arrays to train on, then those held out, if there are any."""
    known = {name.casefold(): name for name in files} | {name: name for name in files}
    train = _pair(known, (*_TRAIN, *_ALONE))
    if train is None:
        there = f"; it contains {', '.join(map(printable, files))}" if files else ""
        if "arr_0" in known:
            there = "; arr_0 and the like are arrays saved without their names"
        raise DataError(f"{path}: no array x_train{there}: {_WANTED}")
    held = _pair(known, _HELD_OUT)
    return (train, held) if held else (train,)


def _pair(known: dict[str, str], pairs: Sequence[tuple[str, str]]) -> _Pair | None:
    """Return the first pair of which both arrays are there, else the first with images alone."""
    there = [pair for pair in pairs if pair[0] in known]
    if not there:
        return None
    images, labels = next((pair for pair in there if pair[1] in known), there[0])
    return _Pair(known[images], known.get(labels), labels)


def _opened(path: Path) -> np.lib.npyio.NpzFile:
    try:
        with open_regular(path) as file:
            alone = file.read(6) == b"\x93NUMPY"
        if alone:
            raise DataError(f"{path}: one array, not an archive of several: {_WANTED}")
        check_archive(path)
        archive = np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise DataError(f"data.path: no file {path}") from error
    except SizeError as error:
        raise DataError(
            f"{path}: {error}: save it again, with fewer or smaller images, or as uint8"
        ) from error
    except _BROKEN as error:
        raise DataError(f"{path}: not a NumPy archive ({error}): {_WANTED}") from error
    assert isinstance(archive, np.lib.npyio.NpzFile)
    return archive


def _read(path: Path, archive: np.lib.npyio.NpzFile, name: str) -> NDArray[np.generic]:
    if _header(path, archive, name)[1].hasobject:
        raise DataError(
            f"{path}: {name} cannot be read: it holds Python objects, which could run any code: "
            "save images of one shape as numpy.stack(x), and texts as y.astype(str)"
        )
    assert archive.zip is not None
    try:
        mapped = mapped_member(path, archive.zip.getinfo(_member(archive, name)))
        array: NDArray[np.generic] = archive[name] if mapped is None else mapped
    except _BROKEN as error:
        raise DataError(f"{path}: {name} cannot be read ({error}): save the file again") from error
    return array


def _member(archive: np.lib.npyio.NpzFile, name: str) -> str:
    """Return the name that an array has in the archive."""
    assert archive.zip is not None
    return f"{name}.npy" if f"{name}.npy" in archive.zip.namelist() else name


def _header(
    path: Path, archive: np.lib.npyio.NpzFile, name: str
) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    """Return shape and type of an array without reading its content."""
    assert archive.zip is not None
    try:
        with archive.zip.open(_member(archive, name)) as file:
            newer = np.lib.format.read_magic(file) > (1, 0)
            read = (
                np.lib.format.read_array_header_2_0
                if newer
                else np.lib.format.read_array_header_1_0
            )
            shape, _, kind = read(file)
            return tuple(shape), kind
    except (*_BROKEN, KeyError) as error:
        raise DataError(f"{path}: {name} cannot be read ({error}): save the file again") from error


def _class_names(path: Path, array: NDArray[np.generic] | None) -> tuple[str, ...]:
    """Return the class names in the archive; empty if there are none."""
    if array is None:
        return ()
    names = tuple(
        name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)
        for name in array.reshape(-1).tolist()
    )
    names = tuple(printable(name)[:_LONGEST_NAME] for name in names)
    if len(set(names)) < len(names):
        raise DataError(f"{path}: two of class_names are the same: give each class its own")
    return names
