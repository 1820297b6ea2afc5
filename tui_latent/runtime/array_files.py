"""Archives of arrays, arrays and tensors, read once their headers have been checked.

The sizes that a header claims are compared with the file's own before memory is allocated.
"""

from __future__ import annotations

import json
import math
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, Literal

import numpy as np
from numpy.typing import NDArray

from tui_latent.runtime.limits import memory
from tui_latent.runtime.regular_files import SizeError, amount, open_regular, size_of

_DEFLATE: Final = 1032
"""largest factor by which deflate can shrink data"""
_PACKINGS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_MOST_MEMBERS: Final = 10_000
MAPPED_FROM: Final = 1 << 28
"""bytes of an array from which on it is mapped: reading fewer takes less than a second"""
_NAME_LENGTHS: Final = 26
"""where the header before a member has the lengths of its name and of its extra field"""
_LOCAL_HEADER: Final = 30
"""bytes of that header before the name (APPNOTE.TXT, 4.3.7)"""
_LONGEST_HEADER: Final = 1 << 20
"""bytes of the JSON before the tensors"""


@contextmanager
def opened_archive(path: Path, most: int | None = None) -> Iterator[np.lib.npyio.NpzFile]:
    """Open an archive of arrays (.npz) for reading, once its headers have been checked.

    The unpacked bytes are limited to `most`, or else to the memory that this process can get.
    SizeError names the array that claims or takes too much; zipfile.BadZipFile or ValueError when
    the file is not such an archive.
    """
    with open_regular(path) as file:
        _check_archive(file, most)
        file.seek(0)
        with np.load(file, allow_pickle=False) as arrays:
            yield arrays


def check_archive(path: Path) -> None:
    """Check an archive of arrays (.npz) as `opened_archive` does.

    Arrays that are mapped or unpacked into a file take no memory, so these are not limited.
    """
    with open_regular(path) as file:
        _check_archive(file, None, mapped=True)


def stays_on_disk(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bool:
    """Return whether an array of a checked archive is so large that it is mapped or unpacked.

    One that is stored by columns has to be read; SizeError if there is no memory for that.
    """
    if not _is_large(member):
        return False
    with archive.open(member) as file:
        _, dtype, by_columns = array_header(file)
    if by_columns or dtype.hasobject:
        _check_room(member.file_size, _room(None), member.filename.removesuffix(".npy"))
        return False
    return True


def mapped_member(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    """Map an uncompressed array of a checked archive; changes of it stay in memory."""
    with archive.open(member) as file:
        shape, dtype, _ = array_header(file)
        header = file.tell()
    with open_regular(path) as whole:
        whole.seek(member.header_offset + _NAME_LENGTHS)
        name, extra = struct.unpack("<HH", whole.read(4))
    start = member.header_offset + _LOCAL_HEADER + name + extra + header
    return np.memmap(path, dtype, "c", start, shape)


def unpacked_rows(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, rows: int
) -> Iterator[NDArray[Any]]:
    """Yield an array of an archive, `rows` at a time; zipfile.BadZipFile if it is damaged."""
    with archive.open(member) as file:
        shape, dtype, _ = array_header(file)
        each = math.prod(shape[1:]) * dtype.itemsize
        for first in range(0, shape[0], rows):
            count = min(rows, shape[0] - first)
            content = file.read(count * each)
            if len(content) < count * each:
                raise EOFError("it ends early")
            yield np.frombuffer(content, dtype).reshape(count, *shape[1:])
        file.read(1)  # compares the checksum


def array_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any], bool]:
    """Return shape and type of an array that starts here, and whether it is stored by columns."""
    newer = np.lib.format.read_magic(file) > (1, 0)
    read = np.lib.format.read_array_header_2_0 if newer else np.lib.format.read_array_header_1_0
    shape, by_columns, dtype = read(file)
    return tuple(shape), dtype, bool(by_columns)


def _is_large(member: zipfile.ZipInfo) -> bool:
    return member.file_size >= MAPPED_FROM and member.filename.endswith(".npy")


def large_array(path: Path) -> NDArray[Any]:
    """Read an array (.npy), or map a large one; errors as in `read_array`, and changes stay in
    memory."""
    with open_regular(path) as file:
        large, by_columns = size_of(file) >= MAPPED_FROM, array_header(file)[2]
    return checked_array(path, "c") if large and not by_columns else read_array(path)


def read_array(path: Path) -> NDArray[Any]:
    """Read an array (.npy); SizeError when its header does not match the file's size."""
    with open_regular(path) as file:
        _check_header(file, size_of(file), path.stem)
        _check_room(size_of(file), _room(None), "it")
        file.seek(0)
        array: NDArray[Any] = np.load(file, allow_pickle=False)
        return array


def checked_array(path: Path, mode: Literal["r", "c"] = "r") -> NDArray[Any]:
    """Map an array (.npy) into memory; SizeError and ValueError as in `read_array`.

    It is read-only; with "c" it can be changed, but the changes stay in memory.
    """
    with open_regular(path) as file:
        _check_header(file, size_of(file), path.stem)
    array: NDArray[Any] = np.load(path, mmap_mode=mode, allow_pickle=False)
    return array


def read_tensors(path: Path) -> tuple[bytes, dict[str, Any]]:
    """Return the bytes of a safetensors file and its header.

    SizeError when the header does not match the file's size, ValueError when it is not such a file.
    """
    with open_regular(path) as file:
        _, header = tensors_header(file)
        size = size_of(file)
        _check_room(size, _room(None), "it")
        file.seek(0)
        return file.read(size), header


def tensors_header(file: BinaryIO) -> tuple[int, dict[str, Any]]:
    """Return where the tensors of a safetensors file start, and its header; errors as above."""
    size = size_of(file)
    length = int.from_bytes(file.read(8), "little")
    if not 2 <= length <= min(_LONGEST_HEADER, size - 8):
        raise SizeError(
            f"its header claims to take {amount(length)}, but the file has {amount(size)}"
        )
    try:
        header = json.loads(file.read(length))
        ends = [
            entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"
        ]
        said = 8 + length + max(ends, default=0)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"its header cannot be read: {error}") from error
    if said != size:
        raise SizeError(f"its header claims {amount(said)}, but the file has {amount(size)}")
    return 8 + length, header


def check_stored(path: Path) -> None:
    """Check an archive that stores its members uncompressed, as torch's do.

    SizeError when they would be larger than the file, zipfile.BadZipFile when it is not an archive.
    """
    with open_regular(path) as file:
        _check_room(size_of(file), _room(None), "it")
        with zipfile.ZipFile(file) as archive:
            _check_members(archive, size_of(file), (zipfile.ZIP_STORED,))


def _check_archive(file: BinaryIO, most: int | None, mapped: bool = False) -> None:
    size, room = size_of(file), _room(most)
    if not mapped:
        _check_room(size, room, "it")
    with zipfile.ZipFile(file) as archive:
        members = _check_members(archive, size, _PACKINGS)
        total = 0
        for member in members:
            name = member.filename.removesuffix(".npy")
            total += 0 if mapped and _is_large(member) else member.file_size
            _check_room(total, room, name)
            if member.filename.endswith(".npy"):
                with archive.open(member) as array:
                    _check_header(array, member.file_size, name)


def _check_members(
    archive: zipfile.ZipFile, size: int, packings: tuple[int, ...]
) -> list[zipfile.ZipInfo]:
    """Compare what an archive's directory says with the size of the file it is in."""
    members = archive.infolist()
    if len(members) > _MOST_MEMBERS:
        raise SizeError(f"it has {len(members):,} members")
    for member in members:
        if member.compress_type not in packings or member.flag_bits & 1:
            raise ValueError(f"{member.filename} is compressed in an unknown way")
        packed, unpacked = member.compress_size, member.file_size
        times = 1 if member.compress_type == zipfile.ZIP_STORED else _DEFLATE
        if packed > size or unpacked > packed * times:
            raise SizeError(
                f"{member.filename} claims {amount(max(packed, unpacked))}, "
                f"but the file has {amount(size)}"
            )
    if sum(member.compress_size for member in members) > size:
        raise SizeError(f"its members overlap: the file has {amount(size)}")
    return members


def _check_header(array: IO[bytes], size: int, name: str) -> None:
    """Compare the shape in an array's header with the bytes that there are."""
    shape, dtype, _ = array_header(array)
    said = array.tell() + math.prod(shape) * dtype.itemsize
    if dtype.hasobject:
        return  # numpy refuses to read it
    if said != size or min(shape, default=0) < 0:
        raise SizeError(
            f"{name} claims the shape {_shape(shape)} of {dtype}, which takes "
            f"{amount(said)}, but there are {amount(size)}"
        )


def _shape(shape: tuple[int, ...]) -> str:
    return "({})".format(", ".join(f"{length:.6g}" for length in shape[:8]))


def _room(most: int | None) -> tuple[int, str]:
    """Return how many bytes may be read, and how a message goes on when there are more."""
    if most is not None:
        return most, f", but at most {amount(most)} is allowed"
    free = memory().available
    return free, f" of memory, but only {amount(free)} is free"


def _check_room(size: int, room: tuple[int, str], name: str) -> None:
    most, told = room
    if size > most:
        raise SizeError(f"{name} takes {amount(size)}{told}")
