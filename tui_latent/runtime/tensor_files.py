"""Files of tensors (.safetensors), mapped into memory or read in pieces, by numpy alone."""

from __future__ import annotations

import math
import mmap
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.runtime.array_files import tensors_header
from tui_latent.runtime.regular_files import open_regular, size_of

DTYPES: Final = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1", "BOOL": "|b1",
    "BF16": "<u2",
}  # fmt: skip
"""numpy's name of each type that numpy has; of BF16, the upper half of a float32, its bits"""


@dataclass(frozen=True)
class TensorPlace:
    """Where in its file a tensor is, and of what kind."""

    dtype: np.dtype[Any]
    """little-endian; of BF16, the type of its bits"""
    is_bf16: bool
    shape: tuple[int, ...]
    start: int
    """byte of the file"""


def tensor_places(path: Path) -> tuple[dict[str, TensorPlace], dict[str, Any]]:
    """Return where the tensors of a safetensors file are, and its header.

    Types that numpy does not have are left out. SizeError and ValueError as in `read_tensors`,
    also where a tensor's place does not match its shape.
    """
    with open_regular(path) as file:
        start, header = tensors_header(file)
        room = size_of(file) - start
    places = {}
    for name, entry in header.items():
        kind = str(entry.get("dtype"))
        if name != "__metadata__" and kind in DTYPES:
            places[name] = _place(name, entry, kind, start, room)
    return places, header


def mapped_tensors(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the tensors of a safetensors file, mapped into memory, and its header.

    Only what is looked at is read. Arrays can be written to, as torch requires, but that changes no
    file. Errors as in `tensor_places`; BF16 comes as its bits.
    """
    places, header = tensor_places(path)
    with open_regular(path) as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    arrays: dict[str, NDArray[Any]] = {}
    for name, place in places.items():
        count = math.prod(place.shape)
        array = np.frombuffer(mapped, place.dtype, count, place.start).reshape(place.shape)
        native = sys.byteorder == "little"
        arrays[name] = array if native else array.astype(place.dtype.newbyteorder("="))
    return arrays, header


def widened(bits: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Return the float32 numbers of BF16's bits, their upper halves."""
    whole: NDArray[np.float32] = (bits.astype(np.uint32) << 16).view(np.float32)
    return whole


def _place(name: str, entry: dict[str, Any], kind: str, start: int, room: int) -> TensorPlace:
    dtype = np.dtype(DTYPES[kind])
    try:
        shape = tuple(int(length) for length in entry["shape"])
        first, last = (int(offset) for offset in entry["data_offsets"])
        sound = min(shape, default=0) >= 0 and 0 <= first <= last <= room
        if not sound or last - first != math.prod(shape) * dtype.itemsize:
            raise ValueError("its shape and its place differ")
    except (ValueError, LookupError, TypeError) as error:
        raise ValueError(f"the tensor {name} cannot be read: {error}") from error
    return TensorPlace(dtype, kind == "BF16", shape, start + first)
