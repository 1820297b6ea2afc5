"""Images from a NumPy archive (.npz), without torch."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tui_latent.array_files import check_archive
from tui_latent.data.errors import DataError, shown
from tui_latent.data.raw import RawImages, RawSplit
from tui_latent.regular_files import SizeError, open_regular

_WANTED = (
    "save one with numpy.savez(file, x_train=…, y_train=…) and, where you have them, x_test, "
    "y_test and class_names"
)

_LONGEST_NAME = 200
"""characters kept of a class's name"""


@dataclass(frozen=True)
class ArrayFacts:
    """What the headers of an archive tell."""

    shape: tuple[int, int, int]
    """(C, H, W)"""
    train: int
    held_out: int | None
    """None without x_test"""


def load_arrays(path: Path) -> RawImages:
    """Read x_train, y_train and, where given, x_test, y_test and class_names.

    Images are uint8, or floats in 0..1, of shape (N, H, W), (N, H, W, C) or (N, C, H, W) with
    one channel or three; labels are whole numbers from 0. DataError names file and array.
    """
    with _opened(path) as archive:
        arrays = {name: _read(path, archive, name) for name in archive.files}
    for name in ("x_train", "y_train"):
        if name not in arrays:
            raise DataError(f"{path}: no array {name}: {_WANTED}")
    images = _images(path, "x_train", arrays["x_train"])
    train = RawSplit(images, _labels(path, "y_train", arrays["y_train"], len(images)))
    test = None
    if "x_test" in arrays:
        if "y_test" not in arrays:
            raise DataError(f"{path}: x_test without y_test: save both")
        images = _images(path, "x_test", arrays["x_test"])
        test = RawSplit(images, _labels(path, "y_test", arrays["y_test"], len(images)))
        if test.images.shape[1:] != train.images.shape[1:]:
            raise DataError(
                f"{path}: x_test has images of shape {test.images.shape[1:]}, "
                f"x_train of {train.images.shape[1:]}: they must be the same"
            )
    return _named(path, train, test, arrays.get("class_names"))


def look_at_arrays(path: Path) -> ArrayFacts:
    """Read the headers only; DataError as `load_arrays`, as far as they tell."""
    with _opened(path) as archive:
        shapes = {name: _header_shape(path, archive, name) for name in ("x_train", "x_test")}
    train, test = shapes["x_train"], shapes["x_test"]
    if train is None:
        raise DataError(f"{path}: no array x_train: {_WANTED}")
    channels_last = _channels_last(path, "x_train", train)
    if len(train) == 3:
        shape = (1, train[1], train[2])
    elif channels_last:
        shape = (train[3], train[1], train[2])
    else:
        shape = (train[1], train[2], train[3])
    return ArrayFacts(shape, train[0], test[0] if test else None)


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
            f"{path}: {error}: save it anew, with fewer or smaller images, or as uint8"
        ) from error
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: not a NumPy archive ({error}): {_WANTED}") from error
    assert isinstance(archive, np.lib.npyio.NpzFile)
    return archive


def _read(path: Path, archive: np.lib.npyio.NpzFile, name: str) -> NDArray[np.generic]:
    try:
        array: NDArray[np.generic] = archive[name]
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path}: {name} cannot be read ({error}): save the file anew") from error
    return array


def _header_shape(path: Path, archive: np.lib.npyio.NpzFile, name: str) -> tuple[int, ...] | None:
    if name not in archive.files:
        return None
    assert archive.zip is not None
    try:
        with archive.zip.open(f"{name}.npy") as file:
            newer = np.lib.format.read_magic(file) > (1, 0)
            read = (
                np.lib.format.read_array_header_2_0
                if newer
                else np.lib.format.read_array_header_1_0
            )
            return tuple(read(file)[0])
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path}: {name} cannot be read ({error}): save the file anew") from error


def _channels_last(path: Path, name: str, shape: tuple[int, ...]) -> bool:
    """Whether the channels are the last axis; DataError when these are no images."""
    if len(shape) == 4 and shape[3] in (1, 3) and min(shape) > 0:
        return True
    if min(shape, default=0) > 0 and (len(shape) == 3 or (len(shape) == 4 and shape[1] in (1, 3))):
        return False
    raise DataError(
        f"{path}: {name} has shape {shape}: it must be (N, H, W), (N, H, W, C) or (N, C, H, W), "
        "with 1 or 3 channels"
    )


def _images(path: Path, name: str, array: NDArray[np.generic]) -> NDArray[np.uint8]:
    if _channels_last(path, name, array.shape):
        array = array.transpose(0, 3, 1, 2)
    elif array.ndim == 3:
        array = array[:, None]
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array, dtype=np.uint8)
    if not np.issubdtype(array.dtype, np.floating):
        raise DataError(
            f"{path}: {name} has type {array.dtype}: save it as uint8, or float in 0..1"
        )
    low, high = array.min(), array.max()
    if not (low >= 0 and high <= 1):  # also where one is NaN
        raise DataError(
            f"{path}: {name} lies between {low:.4g} and {high:.4g}: "
            "floats must be in 0..1; or save it as uint8"
        )
    return np.ascontiguousarray(np.rint(array * 255).astype(np.uint8))


def _labels(path: Path, name: str, array: NDArray[np.generic], images: int) -> NDArray[np.int64]:
    if array.shape != (images,):
        raise DataError(f"{path}: {name} has shape {array.shape}: {images:,} labels are needed")
    if not np.issubdtype(array.dtype, np.integer):
        raise DataError(f"{path}: {name} has type {array.dtype}: labels are whole numbers from 0")
    labels = array.astype(np.int64)
    if labels.min() < 0:
        raise DataError(
            f"{path}: {name} has a label {labels.min()}: labels are whole numbers from 0"
        )
    return labels


def _named(
    path: Path, train: RawSplit, test: RawSplit | None, names: NDArray[np.generic] | None
) -> RawImages:
    """Name the classes: as the archive says, else by the labels that occur."""
    splits = [train] if test is None else [train, test]
    found = np.unique(np.concatenate([split.labels for split in splits]))
    if names is not None:
        class_names = tuple(shown(str(name))[:_LONGEST_NAME] for name in names.reshape(-1))
        if found[-1] >= len(class_names):
            raise DataError(f"{path}: label {found[-1]}, but {len(class_names)} class_names")
        if len(set(class_names)) < len(class_names):
            raise DataError(f"{path}: two of class_names are the same: give each class its own")
        return RawImages(path.stem, class_names, train, test)
    train, *rest = (
        RawSplit(split.images, np.searchsorted(found, split.labels)) for split in splits
    )
    return RawImages(path.stem, tuple(map(str, found)), train, rest[0] if rest else None)
