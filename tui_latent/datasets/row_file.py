"""Rows of an array in a file, read by position: memory stays flat, and a failed read is an error.

A memory map would do only in a program that may die: a disk that fails, or a file that was
cut short, ends a process that looks at the map (SIGBUS), and every page that was looked at counts
as its memory. So a map gives shape, type and place here, and `read` the rows.
"""

from __future__ import annotations

import hashlib
import math
import mmap
import os
import weakref
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_PARTS: Final = 512
"""rows read by one call of the system, which takes at most 1,024 buffers (IOV_MAX)"""
_WIDEST: Final = 4
"""a row's values may be spread over this many times its bytes; an array that lies column by column
is not an array of rows"""


@dataclass(frozen=True, eq=False)
class RowFile:
    """Rows (N, ...) of a file, each in one stretch of it. Thread-safe."""

    path: str
    row_shape: tuple[int, ...]
    dtype: np.dtype[Any]
    count: int
    start: int
    """bytes before the first value of row 0"""
    stride: int
    """bytes from a row to the next"""
    strides: tuple[int, ...]
    """bytes between the values of a row, by axis"""
    span: int
    """bytes from the first value of a row to the end of its last"""
    _file: int = field(init=False)
    _written: tuple[int, int] = field(init=False)
    """size of the file, and when it was written last, as it was opened"""

    def __post_init__(self) -> None:
        """Open the file; OSError if that fails, or if the file is too short for the rows."""
        file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        object.__setattr__(self, "_file", file)
        weakref.finalize(self, os.close, file)
        object.__setattr__(self, "_written", self._last_written())
        if os.fstat(file).st_size < self.start + (self.count - 1) * self.stride + self.span:
            raise OSError(None, "the file is too short for its images", self.path)

    def __len__(self) -> int:
        return self.count

    @property
    def row_bytes(self) -> int:
        """Bytes of the values of a row."""
        return math.prod(self.row_shape) * self.dtype.itemsize

    def key(self, of: str) -> str:
        """Return a name for what is made `of` the rows: another one once the file has changed."""
        now = os.fstat(self._file)
        state = (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns)
        where = (os.path.realpath(self.path), self.start, self.stride, self.strides)
        rows = (len(self), self.row_shape, self.dtype.str)
        return hashlib.blake2b(repr((of, state, where, rows)).encode(), digest_size=16).hexdigest()

    def read(self, rows: NDArray[np.int64], out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Return some rows, (B, ...) in the order given, into `out` if there is one.

        They are read in the order of the file. OSError names the file when it cannot be read, or
        has been written since it was opened: its rows may be others than those that are known.
        """
        if out is None:
            out = np.empty((len(rows), *self.row_shape), self.dtype)
        whole = self.span == self.row_bytes and self._in_order()
        into = out if whole else np.empty((len(rows), self.span // self.dtype.itemsize), self.dtype)
        raw = memoryview(into.reshape(-1).view(np.uint8))  # type: ignore[arg-type]
        order = np.argsort(rows, kind="stable")
        ascending = rows[order]
        joined = np.diff(ascending) == 1 if self.stride == self.span else np.zeros(0, bool)
        breaks = np.flatnonzero(~joined) + 1 if len(joined) else np.arange(1, len(rows))
        for first, end in pairwise([0, *breaks.tolist(), len(rows)]):
            for at in range(first, end, _PARTS):
                taken = order[at : min(at + _PARTS, end)]
                places = (taken * self.span).tolist()
                parts = [raw[place : place + self.span] for place in places]
                self._fill(parts, self.start + int(ascending[at]) * self.stride)
        if not whole:
            shape, strides = (len(rows), *self.row_shape), (self.span, *self.strides)
            values = np.lib.stride_tricks.as_strided(into, shape, strides)
            out[...] = values
        if self._last_written() != self._written:
            raise OSError(None, "the file has changed while it was used", self.path)
        return out

    def _last_written(self) -> tuple[int, int]:
        now = os.fstat(self._file)
        return now.st_size, now.st_mtime_ns

    def _in_order(self) -> bool:
        """Return whether the values of a row lie in the order of its axes, without gaps."""
        wanted, step = [], self.dtype.itemsize
        for length in reversed(self.row_shape):
            wanted.append(step)
            step *= length
        found = zip(self.row_shape, self.strides, reversed(wanted), strict=True)
        return all(stride == step or length == 1 for length, stride, step in found)

    def _fill(self, parts: list[memoryview], offset: int) -> None:
        """Read rows that follow each other into buffers of a row each."""
        wanted = len(parts) * self.span
        got = os.preadv(self._file, parts, offset)
        while got < wanted:  # a signal, or a file system that answers in pieces
            part, inside = divmod(got, self.span)
            more = os.preadv(self._file, [parts[part][inside:]], offset + got)
            if not more:
                raise OSError(None, "the file has become shorter while it was used", self.path)
            got += more


def row_file(array: NDArray[Any]) -> RowFile | None:
    """Return how to read the rows of an array in a mapped file; None for others.

    Views are understood: some channels, the channels at another axis, a part of the rows. Nobody
    may have changed values in the map.
    """
    root: Any = array
    while isinstance(root, np.ndarray) and not isinstance(root.base, mmap.mmap):
        root = root.base
    if not isinstance(root, np.memmap) or not root.filename:
        return None
    if not array.size or array.dtype.hasobject or min(array.strides) < 0:
        return None
    lengths = zip(array.shape[1:], array.strides[1:], strict=True)
    span = sum((length - 1) * stride for length, stride in lengths) + array.itemsize
    row_bytes = math.prod(array.shape[1:]) * array.itemsize
    if span > _WIDEST * row_bytes:
        return None
    return RowFile(
        os.fspath(root.filename),
        array.shape[1:],
        array.dtype,
        len(array),
        root.offset + _address(array) - _address(root),
        array.strides[0],
        array.strides[1:],
        span,
    )


def _address(array: NDArray[Any]) -> int:
    address: int = array.__array_interface__["data"][0]
    return address
