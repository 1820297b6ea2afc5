"""Vectors in .npy, .npz and .safetensors, read in pieces and never unpickled."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.opening.errors import OpenError
from tui_latent.opening.vectors import (
    Column,
    VectorFile,
    chosen,
    require_vectors,
    rows_at_once,
)
from tui_latent.runtime.array_files import check_archive, checked_array
from tui_latent.runtime.regular_files import open_regular
from tui_latent.runtime.tensor_files import TensorPlace, tensor_places, widened

_BROKEN: Final = (ValueError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError)


def open_npy(path: Path, name: str | None) -> VectorFile:
    """Open an array (.npy); OpenError when it cannot be read as vectors."""
    if name is not None:
        raise OpenError(f"{path}: holds one array without a name: leave out ':{name}'")
    try:
        with open_regular(path) as file:
            shape, fortran, dtype = _header(file)
            start = file.tell()
    except _BROKEN as error:
        raise OpenError(f"{path}: cannot be read: {error}") from error
    rows, dimensions = require_vectors(str(path), shape, dtype)
    _checked(path)
    if not fortran:

        def read() -> Iterator[NDArray[Any]]:
            yield from _pieces(path, start, shape, dtype)
    else:

        def read() -> Iterator[NDArray[Any]]:
            columns = _checked(path)
            for first in range(0, rows, rows_at_once(dimensions)):
                yield np.array(columns[first : first + rows_at_once(dimensions)])

    return VectorFile(path, path.name, rows, dimensions, read)


def read_npy(path: Path) -> NDArray[Any]:
    """Read an array of labels or ids (.npy)."""
    return np.array(_checked(path, _require_values))


def open_npz(path: Path, name: str | None) -> VectorFile:
    """Open the array of an archive (.npz) that has the vectors; its others are columns.

    OpenError when the file cannot be read, or has no such array.
    """
    try:
        check_archive(path)
        with zipfile.ZipFile(path) as archive:
            kinds = {
                member.removesuffix(".npy"): _kind(archive, member)
                for member in archive.namelist()
                if member.endswith(".npy")
            }
    except _BROKEN as error:
        raise OpenError(f"{path}: cannot be read: {error}") from error
    name = _choose(path, name, {n: (shape, dtype) for n, (shape, _, dtype) in kinds.items()})
    shape, fortran, dtype = kinds[name]
    rows, dimensions = require_vectors(f"{path}:{name}", shape, dtype)

    def read() -> Iterator[NDArray[Any]]:
        if fortran:
            whole = _member(path, name)
            for first in range(0, rows, rows_at_once(dimensions)):
                yield whole[first : first + rows_at_once(dimensions)]
            return
        with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as file:
            _header(file)
            yield from _sequential(file, f"{path}:{name}", shape, dtype)

    columns: dict[str, Callable[[], Column]] = {
        other: _member_reader(path, other)
        for other, (of, _, _) in kinds.items()
        if other != name and of[:1] == shape[:1]
    }
    several = sum(len(of) == 2 for of, _, _ in kinds.values()) > 1
    title = f"{path.name}:{name}" if several else path.name
    return VectorFile(path, title, rows, dimensions, read, columns)


def open_tensors(path: Path, name: str | None) -> VectorFile:
    """Open the tensor of a safetensors file that has the vectors; its others are columns.

    OpenError when the file cannot be read, or has no such tensor.
    """
    try:
        places, header = tensor_places(path)
    except ValueError as error:
        raise OpenError(f"{path}: cannot be read: {error}") from error
    if unknown := sorted(set(header) - set(places) - {"__metadata__"}):
        kind = header[unknown[0]].get("dtype")
        if name in unknown or not places:
            raise OpenError(
                f"{path}: {name or unknown[0]} has the type {kind}, which cannot be opened: save "
                "it as float32, float16 or bfloat16"
            )
    kinds = {
        n: (p.shape, np.dtype(np.float32) if p.is_bf16 else p.dtype) for n, p in places.items()
    }
    name = _choose(path, name, kinds)
    place = places[name]
    rows, dimensions = require_vectors(f"{path}:{name}", place.shape, kinds[name][1])

    def read() -> Iterator[NDArray[Any]]:
        for piece in _pieces(path, place.start, place.shape, place.dtype):
            yield widened(piece) if place.is_bf16 else piece

    columns: dict[str, Callable[[], Column]] = {
        other: _tensor_reader(path, of)
        for other, of in places.items()
        if other != name and of.shape[:1] == place.shape[:1]
    }
    several = sum(len(of.shape) == 2 for of in places.values()) > 1
    title = f"{path.name}:{name}" if several else path.name
    return VectorFile(path, title, rows, dimensions, read, columns)


def _choose(
    path: Path, name: str | None, kinds: dict[str, tuple[tuple[int, ...], np.dtype[Any]]]
) -> str:
    described = {n: f"{_shape(shape)} of {dtype}" for n, (shape, dtype) in kinds.items()}
    if name is not None and name in kinds:
        return name  # what is wrong with it is said by `require_vectors`
    suited = {
        n: described[n]
        for n, (shape, dtype) in kinds.items()
        if len(shape) == 2 and shape[1] > 1 and dtype.kind in "uif" and not dtype.hasobject
    }
    floats = {n: words for n, words in suited.items() if kinds[n][1].kind == "f"}
    if not suited and len(kinds) == 1:
        return next(iter(kinds))
    others = ", ".join(f"{n} {words}" for n, words in described.items()) or "nothing"
    return chosen(path, name, floats or suited, others)


def _shape(shape: tuple[int, ...]) -> str:
    return "({})".format(", ".join(map(str, shape)))


def _checked(
    path: Path, require: Callable[[str, np.dtype[Any]], object] | None = None
) -> NDArray[Any]:
    """Map an array; `require` says what is wrong with Python objects where no vectors are read."""
    try:
        return checked_array(path)
    except _BROKEN as error:
        if "allow_pickle" in str(error) or "Python objects" in str(error):
            if require is not None:
                require(str(path), np.dtype(object))
            require_vectors(str(path), (0, 0), np.dtype(object))
        raise OpenError(f"{path}: cannot be read: {error}") from error


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read the header of an array: its shape, whether columns come first, and its type."""
    newer = np.lib.format.read_magic(file) > (1, 0)
    read = np.lib.format.read_array_header_2_0 if newer else np.lib.format.read_array_header_1_0
    shape, fortran, dtype = read(file)
    return shape, fortran and len(shape) > 1, dtype


def _kind(archive: zipfile.ZipFile, member: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    with archive.open(member) as file:
        return _header(file)


def _pieces(
    path: Path, start: int, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> Iterator[NDArray[Any]]:
    """Read an array in pieces: what is mapped instead would count as this process's memory."""
    with open_regular(path) as file:
        file.seek(start)
        yield from _sequential(file, str(path), shape, dtype)


def _sequential(
    file: IO[bytes], title: str, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> Iterator[NDArray[Any]]:
    rows, dimensions = shape
    at_once = rows_at_once(dimensions)
    for first in range(0, rows, at_once):
        count = min(at_once, rows - first)
        wanted = count * dimensions * dtype.itemsize
        try:
            content = file.read(wanted)
        except _BROKEN as error:
            raise OpenError(f"{title}: cannot be read: {error}") from error
        if len(content) != wanted:
            raise OpenError(f"{title}: ends within row {first:,}: copy or save it again")
        yield np.frombuffer(content, dtype).reshape(count, dimensions)


def _member(path: Path, name: str) -> NDArray[Any]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            array: NDArray[Any] = arrays[name]
            return array
    except _BROKEN as error:
        if "allow_pickle" in str(error):
            _require_values(f"{path}:{name}", np.dtype(object))
        raise OpenError(f"{path}:{name}: cannot be read: {error}") from error


def _member_reader(path: Path, name: str) -> Callable[[], Column]:
    return lambda: _member(path, name)


def _tensor_reader(path: Path, place: TensorPlace) -> Callable[[], Column]:
    def read() -> Column:
        with open_regular(path) as file:
            file.seek(place.start)
            content = file.read(math.prod(place.shape) * place.dtype.itemsize)
        array = np.frombuffer(content, place.dtype).reshape(place.shape)
        return widened(array) if place.is_bf16 else array

    return read


def _require_values(title: str, dtype: np.dtype[Any]) -> None:
    if dtype.hasobject:
        raise OpenError(
            f"{title}: holds Python objects. Only pickle can read them, and a pickle can run any "
            "program: save text with numpy.save(file, numpy.array(values, dtype=str))"
        )
