"""Files opened and read within bounds, by the standard library alone.

Every reader opens files here. Anything but a regular file is refused (opening a pipe would wait
for ever), and so is a file larger than its kind can be, before it is read.
"""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Final

SMALL: Final = 1 << 22
"""most bytes of a preset, a status, a request or an index"""


class SizeError(ValueError):
    """A file that is larger than its kind can be, or claims to be; the message says how large."""


def leads_nowhere(error: OSError) -> bool:
    """Return whether a path has nothing at its end: no file, or links that lead in a circle."""
    return isinstance(error, FileNotFoundError) or error.errno == errno.ELOOP


def open_regular(path: Path) -> BufferedReader:
    """Open a file for reading; OSError if it is missing, a folder, a pipe or a device."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        raise OSError(errno.EINVAL, "Not a regular file", str(path))
    return os.fdopen(descriptor, "rb")


def read_small(path: Path, most: int = SMALL) -> bytes:
    """Read a whole file; SizeError when it has more than `most` bytes, OSError as in
    `open_regular`."""
    with open_regular(path) as file:
        content = file.read(most + 1) if size_of(file) <= most else b""
        size = max(size_of(file), len(content))
    if size > most:
        raise SizeError(f"it has {amount(size)}, but at most {amount(most)} is allowed")
    return content


def read_regular(path: str | Path, most: int) -> tuple[bytes, os.stat_result]:
    """Return the bytes of a file and its state after they were read; errors as in `read_small`.

    It makes as few calls as it can: of a small file nothing else takes so long.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            code = errno.EISDIR if stat.S_ISDIR(before.st_mode) else errno.EINVAL
            raise OSError(code, "Not a regular file", str(path))
        if before.st_size > most:
            raise SizeError(f"it has {amount(before.st_size)}")
        content, left = b"", before.st_size
        while left and (part := os.read(descriptor, left)):  # at most 2 GB come at a time
            content, left = content + part if content else part, left - len(part)
        return content, os.fstat(descriptor)
    finally:
        os.close(descriptor)


def size_of(file: BinaryIO) -> int:
    """Return the bytes of an open file."""
    return os.fstat(file.fileno()).st_size


def amount(size: float) -> str:
    """Write a number of bytes for people, as `2.5 GB`."""
    for unit in ("bytes", "KB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            break
        size /= 1000
    return f"{size:,.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.1f} {unit}"
