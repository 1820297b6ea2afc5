"""Files of tensors (.safetensors) mapped into memory, by numpy alone."""

from __future__ import annotations

import mmap
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.runtime.array_files import tensors_header
from tui_latent.runtime.regular_files import open_regular

DTYPES: Final = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1", "BOOL": "|b1",
    "BF16": "<u2",
}  # fmt: skip
"""numpy's name of each type that numpy has; of BF16, the upper half of a float32, its bits"""


def mapped_tensors(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the tensors of a safetensors file, mapped into memory, and its header.

    Only what is looked at is read. Arrays can be written to, as torch wants it, but that changes
    no file. Types that numpy does not have are left out, and BF16 comes as its bits. SizeError and
    ValueError as in `read_tensors`, also where a tensor's place does not match its shape.
    """
    with open_regular(path) as file:
        start, header = tensors_header(file)
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    arrays = {}
    for name, entry in header.items():
        if name != "__metadata__" and (dtype := DTYPES.get(str(entry.get("dtype")))):
            arrays[name] = _array(mapped, start, name, entry, np.dtype(dtype))
    return arrays, header


def _array(
    mapped: mmap.mmap, start: int, name: str, entry: dict[str, Any], dtype: np.dtype[Any]
) -> NDArray[Any]:
    try:
        shape = tuple(int(length) for length in entry["shape"])
        first, last = (int(offset) for offset in entry["data_offsets"])
        count = 1
        for length in shape:
            count *= length
        sound = min(shape, default=0) >= 0 and 0 <= first <= last <= len(mapped) - start
        if not sound or last - first != count * dtype.itemsize:
            raise ValueError("its shape and its place differ")
        array = np.frombuffer(mapped, dtype, count, start + first).reshape(shape)
    except (ValueError, LookupError, TypeError) as error:
        raise ValueError(f"the tensor {name} cannot be read: {error}") from error
    return array if sys.byteorder == "little" else array.astype(dtype.newbyteorder("="))
