"""Where named arrays lie: in one archive (.npz), or in files of one array each (.npy)."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tui_latent.runtime.array_files import (
    array_header,
    check_archive,
    large_array,
    mapped_member,
    stays_on_disk,
    unpacked_rows,
)
from tui_latent.runtime.regular_files import SizeError, open_regular
from tui_latent.sources.errors import DataError

_BROKEN = (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error)
"""what numpy raises if a file is damaged or holds no arrays"""

Array = NDArray[np.generic]
Header = tuple[tuple[int, ...], np.dtype[np.generic]]
Chunks = Callable[[], Iterator[NDArray[Any]]]
"""returns the parts of an array, rows in order"""


class Keep(Protocol):
    """Puts an array together from its parts, in memory or in a file."""

    def __call__(
        self, file: Path, of: str, shape: tuple[int, ...], dtype: np.dtype[Any], chunks: Chunks
    ) -> NDArray[Any]:
        """Return what `chunks` yields. `of` says what is made of `file`, and is unique to it."""


def keep_in_memory(
    file: Path, of: str, shape: tuple[int, ...], dtype: np.dtype[Any], chunks: Chunks
) -> NDArray[Any]:
    """Return an array in memory, made of its parts."""
    whole, done = np.empty(shape, dtype), 0
    for part in chunks():
        whole[done : done + len(part)] = part
        done += len(part)
    return whole


class Holder(Protocol):
    """Named arrays."""

    @property
    def path(self) -> Path:
        """The file, for messages."""

    @property
    def is_archive(self) -> bool:
        """Whether the arrays lie in one file."""

    def names(self, wanted: Sequence[str]) -> list[str]:
        """Return the names of the arrays that there are: of an archive all, else those wanted."""

    def file_of(self, name: str) -> Path:
        """Return the file that an array lies in."""

    def header(self, name: str) -> Header:
        """Return shape and type of an array without reading its content; DataError if damaged."""

    def read(self, name: str, keep: Keep) -> Array:
        """Return an array: a large one mapped, where it lies or unpacked; DataError if damaged."""


@dataclass(frozen=True)
class Archive:
    """The arrays of an archive."""

    path: Path
    zip: zipfile.ZipFile
    is_archive: bool = True

    def names(self, wanted: Sequence[str]) -> list[str]:
        """Return the names of all arrays."""
        return [name.removesuffix(".npy") for name in self.zip.namelist()]

    def file_of(self, name: str) -> Path:
        """Return the archive."""
        return self.path

    def _member(self, name: str) -> zipfile.ZipInfo:
        there = self.zip.namelist()
        return self.zip.getinfo(f"{name}.npy" if f"{name}.npy" in there else name)

    def header(self, name: str) -> Header:
        """Return shape and type of an array."""
        try:
            with self.zip.open(self._member(name)) as file:
                return array_header(file)[:2]
        except (*_BROKEN, KeyError) as error:
            raise _unreadable(self.path, name, error) from error

    def read(self, name: str, keep: Keep) -> Array:
        """Return an array; a large one is mapped, once it is unpacked."""
        shape, dtype = self.header(name)
        _refuse_objects(self.path, name, dtype)
        member = self._member(name)
        try:
            if stays_on_disk(self.zip, member):
                if member.compress_type == zipfile.ZIP_STORED:
                    return mapped_member(self.path, self.zip, member)
                rows = max((1 << 24) // max(math.prod(shape[1:]) * dtype.itemsize, 1), 1)
                made_of = f"{name} at {member.header_offset}, unpacked"
                return keep(
                    self.path, made_of, shape, dtype, lambda: unpacked_rows(self.zip, member, rows)
                )
            with self.zip.open(member) as file:
                array: Array = np.lib.format.read_array(file, allow_pickle=False)
                return array
        except _BROKEN as error:
            raise _unreadable(self.path, name, error) from error


@dataclass(frozen=True)
class LooseArrays:
    """Arrays in files of their own, in one folder."""

    folder: Path
    path: Path
    """file of the images"""
    is_archive: bool = False
    _files: dict[str, Path] = field(default_factory=dict)

    def names(self, wanted: Sequence[str]) -> list[str]:
        """Return those of the wanted arrays that there are, as their files are called."""
        found = []
        for name in wanted:
            # The cases in which people write them; a folder may have too many files to list.
            for written in dict.fromkeys((name, name.casefold(), name.capitalize(), name.upper())):
                if (self.folder / f"{written}.npy").is_file():
                    found.append(written)
                    break
        return list(dict.fromkeys(found))

    def file_of(self, name: str) -> Path:
        """Return the file of an array."""
        return self.folder / f"{name}.npy"

    def header(self, name: str) -> Header:
        """Return shape and type of an array."""
        try:
            with open_regular(self.file_of(name)) as file:
                return array_header(file)[:2]
        except _BROKEN as error:
            raise _unreadable(self.file_of(name), "it", error) from error

    def read(self, name: str, keep: Keep) -> Array:
        """Return an array; a large one is mapped."""
        path = self.file_of(name)
        _refuse_objects(path, "it", self.header(name)[1])
        try:
            return large_array(path)
        except SizeError as error:
            raise DataError(f"{path}: {error}: save it again") from error
        except _BROKEN as error:
            raise _unreadable(path, "it", error) from error


def opened(path: Path, wanted: str, first: Sequence[str]) -> Holder:
    """Open an archive, an array, or a folder of arrays.

    `wanted` says in messages what a file should hold, and `first` what the images of a folder may
    be called. DataError if there is none of them.
    """
    if path.is_dir():
        known = LooseArrays(path, path).names(first)
        if not known:
            raise DataError(f"{path}: a folder without x_train.npy: {wanted}, or name the array of "
                            "images: data.path=FOLDER/IMAGES.npy")  # fmt: skip
        path = path / f"{known[0]}.npy"
    try:
        with open_regular(path) as file:
            alone = file.read(6) == b"\x93NUMPY"
        if alone and path.suffix == ".npy":
            return LooseArrays(path.parent, path)
        if alone:
            raise DataError(f"{path}: one array, not an archive of several: call it {path.stem}.npy"
                            f", or {wanted}")  # fmt: skip
        check_archive(path)
        return Archive(path, zipfile.ZipFile(path))
    except FileNotFoundError as error:
        raise DataError(f"data.path: no file {path.absolute()}") from error
    except SizeError as error:
        raise DataError(
            f"{path}: {error}: save it again, with fewer or smaller images, or as uint8"
        ) from error
    except _BROKEN as error:
        raise DataError(f"{path}: not a NumPy archive ({error}): {wanted}") from error


def _refuse_objects(path: Path, name: str, dtype: np.dtype[np.generic]) -> None:
    if dtype.hasobject:
        raise DataError(
            f"{path}: {name} cannot be read: it holds Python objects, which could run any code: "
            "save images of one shape as numpy.stack(x), and text as y.astype(str)"
        )


def _unreadable(path: Path, name: str, error: Exception) -> DataError:
    return DataError(f"{path}: {name} cannot be read ({error}): save the file again")
