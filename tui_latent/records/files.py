"""Files that one process writes while others read them: replaced whole, or grown line by line."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path

_CHUNK = 1 << 20
_ANCHOR = 64

Signature = tuple[int, int, int]
"""inode, size, and time of the last change in nanoseconds"""


def signature(path: Path) -> Signature | None:
    """Return what differs once a file was changed or replaced; None when there is no file."""
    try:
        stat = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def replace_file(path: Path, content: bytes) -> None:
    """Put `content` at `path` so that a reader sees the old file or the new one, never a part."""
    temporary = temporary_beside(path)
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def temporary_beside(path: Path) -> Path:
    """Return a hidden name in the same folder that no other thread or process uses."""
    return path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")


class AppendedLines:
    """The writing end of a file that grows by whole lines; opened at the first one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mutex = threading.Lock()
        self._descriptor: int | None = None

    def append(self, line: bytes) -> None:
        """Add one line (without its newline) in a single write; OSError when the disk is full."""
        data = line + b"\n"
        with self._mutex:
            if self._descriptor is None:
                self._descriptor = self._open()
            if os.write(self._descriptor, data) != len(data):
                self._close()  # the next line must not continue the torn one
                raise OSError(errno.ENOSPC, "written in part only", str(self._path))

    def close(self) -> None:
        """Close the file; a later line opens it again."""
        with self._mutex:
            self._close()

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> int:
        """Open for appending; a line torn by a killed writer is ended first."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            os.write(descriptor, b"\n")
        return descriptor


class GrowingLines:
    """The reading end: complete lines as they arrive, each once, at a cost of the new bytes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0
        """bytes read so far, up to and with the last complete line"""
        self._anchor = b""
        self._signature: Signature | None = None

    def replaced(self) -> bool:
        """Say whether the file is no longer the one that was read; if so, start over."""
        now = signature(self.path)
        if now == self._signature or self.offset == 0:
            return False
        if now is not None and self._anchor_stands():
            return False
        self.offset, self._anchor, self._signature = 0, b"", None
        return True

    def start_near_end(self, lines: int, most_bytes: int) -> None:
        """Skip to the last `lines` lines, or to fewer where they take more than `most_bytes`."""
        if signature(self.path) is None:
            return
        with self.path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            start = max(0, end - most_bytes)
            file.seek(start)
            block = file.read(end - start)
        position = len(block)
        for _ in range(lines + 1):
            position = block.rfind(b"\n", 0, position)
            if position < 0:
                break
        if position < 0 and start:
            position = block.find(b"\n")
        self.offset = start + position + 1
        self._anchor = block[: position + 1][-_ANCHOR:]

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield the new complete lines with the offset at which each starts."""
        now = signature(self.path)
        if now is None or now == self._signature:
            return
        for start, line in read_lines(self.path, self.offset):
            self.offset = start + len(line) + 1
            self._anchor = (self._anchor + line[-_ANCHOR:] + b"\n")[-_ANCHOR:]
            yield start, line
        self._signature = now

    def _anchor_stands(self) -> bool:
        with self.path.open("rb") as file:
            file.seek(self.offset - len(self._anchor))
            return file.read(len(self._anchor)) == self._anchor


def read_lines(path: Path, start: int, stop: int | None = None) -> Iterator[tuple[int, bytes]]:
    """Yield the complete lines between two offsets, each with the offset at which it starts."""
    offset, carry = start, b""
    with path.open("rb") as file:
        file.seek(start)
        while chunk := file.read(_CHUNK):
            *lines, carry = (carry + chunk).split(b"\n")
            for line in lines:
                if stop is not None and offset >= stop:
                    return
                yield offset, line
                offset += len(line) + 1
