"""Tables and arrays through a pipe between two processes of ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

_LENGTH = 8
"""bytes of the number that says how long the header is"""


def send(pipe: IO[bytes], table: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write a table of JSON values, and arrays of numbers; BrokenPipeError without a reader."""
    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    shapes = {name: (array.dtype.str, array.shape) for name, array in whole.items()}
    header = json.dumps([dict(table), shapes]).encode()
    pipe.write(len(header).to_bytes(_LENGTH, "big") + header)
    for array in whole.values():
        pipe.write(array.reshape(-1).view(np.uint8).data)
    pipe.flush()


def receive(pipe: IO[bytes]) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read what `send` wrote; EOFError when there is nothing more."""
    size = int.from_bytes(_exactly(pipe, _LENGTH), "big")
    table, shapes = json.loads(_exactly(pipe, size))
    arrays = {}
    for name, (dtype, shape) in shapes.items():
        array = np.empty(shape, np.dtype(dtype))
        _fill(pipe, memoryview(array.reshape(-1).view(np.uint8)))  # type: ignore[arg-type]
        arrays[name] = array
    return table, arrays


def _exactly(pipe: IO[bytes], size: int) -> bytearray:
    data = bytearray(size)
    _fill(pipe, memoryview(data))
    return data


def _fill(pipe: IO[bytes], view: memoryview) -> None:
    while len(view):
        read = pipe.readinto(view)  # type: ignore[attr-defined]
        if not read:
            raise EOFError("the other side of the pipe is gone")
        view = view[read:]
