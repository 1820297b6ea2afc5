"""Files of lines that one process appends to while others read them as they grow."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tui_latent.runs.atomic_files import Signature, signature
from tui_latent.runtime.regular_files import open_regular

_CHUNK = 1 << 20
_ANCHOR = 64
_LONGEST_LINE = 1 << 24
_LEFT_OUT = "…".encode()


class AppendedLines:
    """Appends whole lines to a file, which is opened for the first one."""

    def __init__(self, path: Path, durable: bool = False) -> None:
        """If `durable`, the lines since the last `sync` are kept in case the disk loses them."""
        self._path = path
        self._durable = durable
        self._mutex = threading.Lock()
        self._descriptor: int | None = None
        self._since_sync: list[bytes] = []
        self._size: int | None = None
        """of the file, as this process left it"""

    def append(self, line: bytes) -> None:
        """Add one line (without its newline) in a single write; OSError when the disk is full.

        After an error the file is opened anew, as its disk may be back on another mount.
        """
        data = line + b"\n"
        with self._mutex:
            if self._descriptor is None:
                self._descriptor = self._open()
            try:
                written = os.write(self._descriptor, data)
            except OSError:
                self._close()
                raise
            if written != len(data):
                self._take_back(written)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
            if self._durable:
                self._since_sync.append(data)
                self._size = os.fstat(self._descriptor).st_size

    def sync(self) -> None:
        """Wait until all lines so far would survive a power failure."""
        with self._mutex:
            if self._descriptor is None:
                if not self._since_sync:
                    return
                self._descriptor = self._open()
            try:
                os.fsync(self._descriptor)
            except OSError:
                self._close()
                raise
            self._since_sync.clear()

    def close(self) -> None:
        """Close the file; a later line opens it again."""
        with self._mutex:
            self._close()

    def _take_back(self, written: int) -> None:
        """Leave no part of a line; where that fails, the next line does not continue it."""
        assert self._descriptor is not None
        with suppress(OSError):
            os.ftruncate(self._descriptor, os.fstat(self._descriptor).st_size - written)
        self._close()

    def _close(self) -> None:
        if self._descriptor is not None:
            with suppress(OSError):  # an error that a network disk has reported before
                os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> int:
        """Open for appending; a line torn by a killed writer is ended first."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            size = os.fstat(descriptor).st_size
            if self._size is not None and size < self._size:
                self._write_again(descriptor)
            elif size and os.pread(descriptor, 1, size - 1) != b"\n":
                os.write(descriptor, b"\n")
        except OSError:
            os.close(descriptor)
            raise
        return descriptor

    def _write_again(self, descriptor: int) -> None:
        """Write the lines since `sync` again, which a disk lost when it went away."""
        assert self._size is not None
        lost = b"".join(self._since_sync)
        os.ftruncate(descriptor, min(os.fstat(descriptor).st_size, self._size - len(lost)))
        if os.write(descriptor, lost) != len(lost):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))


class GrowingLines:
    """Reads complete lines as they arrive, each once, at the cost of the new bytes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0
        """bytes read so far, up to and with the last complete line"""
        self._anchor = b""
        self._signature: Signature | None = None

    def replaced(self) -> bool:
        """Return whether the file is no longer the one that was read; if so, start over."""
        now = signature(self.path)
        if now == self._signature or self.offset == 0:
            return False
        if now is not None and self._anchor_stands():
            return False
        self.offset, self._anchor, self._signature = 0, b"", None
        return True

    @property
    def anchor(self) -> bytes:
        """The last bytes before the offset, by which `start_at` knows the file again."""
        return self._anchor

    def start_at(self, offset: int, anchor: bytes) -> bool:
        """Skip what was read before, if this is still the file that it was read from."""
        now = signature(self.path)
        if now is None or now[1] < offset or not offset or not anchor.endswith(b"\n"):
            return False
        before = self.offset, self._anchor
        self.offset, self._anchor = offset, anchor
        if len(anchor) <= offset and self._anchor_stands():
            return True
        self.offset, self._anchor = before
        return False

    def start_near_end(self, lines: int, most_bytes: int) -> None:
        """Skip to the last `lines` lines, or to fewer where they take more than `most_bytes`."""
        if signature(self.path) is None:
            return
        with open_regular(self.path) as file:
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
        for start, line, end in _spans(self.path, self.offset):
            self.offset = end
            self._anchor = (self._anchor + line[-_ANCHOR:] + b"\n")[-_ANCHOR:]
            yield start, line
        self._signature = now

    def _anchor_stands(self) -> bool:
        with open_regular(self.path) as file:
            file.seek(self.offset - len(self._anchor))
            return file.read(len(self._anchor)) == self._anchor


def read_lines(path: Path, start: int, stop: int | None = None) -> Iterator[tuple[int, bytes]]:
    """Yield the complete lines between two offsets, each with the offset at which it starts.

    Only the end of a line longer than 16 MiB, which no trainer writes, is kept, after an ellipsis.
    """
    for offset, line, _ in _spans(path, start):
        if stop is not None and offset >= stop:
            return
        yield offset, line


def _spans(path: Path, start: int) -> Iterator[tuple[int, bytes, int]]:
    """Yield the complete lines from an offset on, with the offsets of their start and behind it."""
    offset, carry, left_out = start, b"", 0
    with open_regular(path) as file:
        file.seek(start)
        while chunk := file.read(_CHUNK):
            *lines, carry = (carry + chunk).split(b"\n")
            for line in lines:
                end = offset + left_out + len(line) + 1
                yield offset, _LEFT_OUT + line if left_out else line, end
                offset, left_out = end, 0
            if len(carry) > (_ANCHOR if left_out else _LONGEST_LINE):
                left_out += len(carry) - _ANCHOR
                carry = carry[-_ANCHOR:]
