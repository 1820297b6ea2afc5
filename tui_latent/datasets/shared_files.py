"""Files that several processes, and several users of a group, write into one folder.

In a folder that is writable by its group, new files and folders are made writable by the group
too, whatever the umask, so that every member can add to them.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

NOT_WRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS}
"""error codes that mean a lack of permission rather than a fault"""
_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}
_SECONDS_BETWEEN_TRIES = 0.1
_SECONDS_BETWEEN_LINES = 2.0


def make_folder(path: Path) -> None:
    """Create a folder and its missing parents; OSError as for `mkdir`."""
    if path.is_dir():
        return
    make_folder(path.parent)
    try:
        path.mkdir()
    except FileExistsError:
        if not path.is_dir():
            raise
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        _share(descriptor, path.parent, 0o070)
    finally:
        os.close(descriptor)


def open_shared(path: Path, new: bool = False) -> BinaryIO:
    """Open a file for reading and writing at any position; create it if it is missing.

    With `new` it must be missing. Links are refused, because another user may have put them there.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags | os.O_EXCL, 0o666)
    except FileExistsError:
        if new:
            raise
        return os.fdopen(os.open(path, flags & ~os.O_CREAT), "r+b")
    _share(descriptor, path.parent, 0o060)
    return os.fdopen(descriptor, "w+b")


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Yield a new file that is renamed to `path` once it is completely on disk, else removed."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    file = open_shared(part, new=True)
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def remove_parts(path: Path) -> None:
    """Remove the parts of `whole_file(path)` that killed processes left; only while `alone`."""
    names = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{12}}\.part")
    for part in path.parent.iterdir():
        if names.fullmatch(part.name):
            with suppress(OSError):
                part.unlink()


@contextmanager
def alone(path: Path, waiting: Callable[[], None]) -> Iterator[bool]:
    """Let one process or thread at a time work on the file or folder `path`, which may be missing.

    Yields False if the file system has no locks, so that others may be working on it too.
    `waiting` is called every two seconds while another process has the lock. OSError if the
    folder is not writable.
    """
    lock = path.with_name(f".{path.name}.lock")
    last = time.monotonic()
    while (descriptor := _locked(lock)) is None:
        if time.monotonic() - last >= _SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            waiting()
        time.sleep(_SECONDS_BETWEEN_TRIES)
    try:
        yield descriptor >= 0
    finally:
        _release(lock, descriptor)


@contextmanager
def unless_taken(path: Path) -> Iterator[bool]:
    """Yield whether nobody else works on the file or folder `path`; do not wait for them.

    True on a file system without locks. OSError if the folder is not writable.
    """
    lock = path.with_name(f".{path.name}.lock")
    descriptor = _locked(lock)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            _release(lock, descriptor)


def _release(lock: Path, descriptor: int) -> None:
    if descriptor >= 0:
        with suppress(OSError):
            lock.unlink(missing_ok=True)
        os.close(descriptor)


def _locked(lock: Path) -> int | None:
    """Return the descriptor of the acquired lock; None if it is taken, -1 without locks."""
    descriptor = _open_lock(lock)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Its last owner removed the file; a lock on a removed file excludes nobody.
        if _is_at(descriptor, lock):
            return descriptor
    except BlockingIOError:
        pass
    except OSError as error:
        os.close(descriptor)
        if error.errno not in _NO_LOCKS:
            raise
        with suppress(OSError):
            lock.unlink(missing_ok=True)
        return -1
    os.close(descriptor)
    return None


def _open_lock(lock: Path) -> int:
    try:
        file = open_shared(lock)
    except PermissionError:  # it belongs to another user; read access is enough to lock it
        return os.open(lock, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:  # it was just removed
        file = open_shared(lock)
    with file:
        return os.dup(file.fileno())


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        there, here = path.lstat(), os.fstat(descriptor)
    except FileNotFoundError:
        return False
    return (there.st_ino, there.st_dev) == (here.st_ino, here.st_dev)


def _share(descriptor: int, folder: Path, bits: int) -> None:
    """Make a new file or folder writable by the group of `folder`, if `folder` is."""
    above, own = folder.stat(), os.fstat(descriptor)
    if not above.st_mode & stat.S_IWGRP:
        return
    with suppress(OSError):  # the user is not in the group, or the disk has no permissions
        if own.st_gid != above.st_gid:
            os.fchown(descriptor, -1, above.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(own.st_mode) | (above.st_mode & bits))
