"""Files that one process replaces whole while others read them."""

from __future__ import annotations

import errno
import os
import re
import time
import zlib
from contextlib import suppress
from pathlib import Path

from tui_latent.runs.process import HOST, number_in_use, process_place

_FULL = {errno.ENOSPC, errno.EDQUOT}
_TEMPORARY = re.compile(r"\..+\.(?P<place>[0-9a-f]{8})-(?P<pid>\d+)-[0-9a-f]+\.tmp")
_SURELY_LEFT = 3600.0
"""seconds"""
_NO_FILE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}

Signature = tuple[int, int, int]
"""inode, size, and time of the last change in nanoseconds"""


def signature(path: Path) -> Signature | None:
    """Return a value that differs once the file is changed or replaced.

    None when there is no file, or a link that leads to none.
    """
    try:
        stat = path.stat()
    except OSError as error:
        if error.errno not in _NO_FILE:
            raise
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def replace_file(path: Path, content: bytes | memoryview, durable: bool = False) -> None:
    """Put `content` at `path` so that a reader sees the old file or the new one, never a part.

    `durable` waits until it would survive a power failure.
    """
    temporary = temporary_beside(path)
    try:
        with temporary.open("xb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def replace_small_file(path: Path, content: bytes) -> None:
    """Replace a file; on a full disk, overwrite the old one, which has its block already.

    For content below a block (4 KiB) that may end in spaces, and whose readers recognise it as
    torn while it is overwritten.
    """
    try:
        replace_file(path, content)
    except OSError as error:
        if error.errno not in _FULL or not path.is_file():
            raise
        with path.open("r+b", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            file.write(content.ljust(size))


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder would survive a power failure, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def temporary_beside(path: Path) -> Path:
    """Return a hidden, unpredictable name in the same folder.

    It says which process writes the file. Open it with "x": another user who may write in the
    folder could have put a link there.
    """
    ids = f"{_place()}-{os.getpid()}-{os.urandom(8).hex()}"
    return path.with_name(f".{path.name}.{ids}.tmp")


def remove_left_behind(folder: Path, all_of_them: bool = False) -> None:
    """Remove the temporary files in a folder whose writers were killed, or `all_of_them`.

    Whether a writer in another container is gone cannot be known; after an hour it is assumed,
    because a file gets its final name within seconds.
    """
    with suppress(OSError):
        for file in list(folder.glob("*.tmp" if all_of_them else ".*.tmp")):
            with suppress(OSError):
                if all_of_them or _writer_is_gone(file):
                    file.unlink()


def _writer_is_gone(file: Path) -> bool:
    match = _TEMPORARY.fullmatch(file.name)
    if match and _place() and match["place"] == _place():
        return not number_in_use(int(match["pid"]))
    return time.time() - file.stat().st_mtime > _SURELY_LEFT


def _place() -> str:
    """Return a hash of the system within which a process number is unique; empty if unknown."""
    place = process_place()
    return f"{zlib.crc32(f'{HOST} {place}'.encode()):08x}" if place else ""
