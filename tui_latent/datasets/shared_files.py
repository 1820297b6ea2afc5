"""Files that several processes, and several users of a group, write into one folder.

A new file or folder gets its folder's group rights as well as what the umask leaves, because a
folder that a group may write is meant to be extended by all of it.
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
"""what says that a folder is for others to write, and not that something is wrong with it"""
_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}
_SECONDS_BETWEEN_TRIES = 0.1
_SECONDS_BETWEEN_LINES = 2.0


def make_folder(path: Path) -> None:
    """Make a folder and those above it, as far as they are missing; OSError as `mkdir`."""
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
    """Open a file to read and write anywhere in it, made where it is missing.

    With `new` it must be missing. Never through a link, which somebody else may have put there.
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
    """Give a new file to fill; it gets the name `path` when it is on disk whole, or is removed."""
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
    """Remove what killed processes left of `whole_file(path)`; only for who is `alone` with it."""
    theirs = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{12}}\.part")
    for part in path.parent.iterdir():
        if theirs.fullmatch(part.name):
            with suppress(OSError):
                part.unlink()


@contextmanager
def alone(path: Path, waiting: Callable[[], None]) -> Iterator[bool]:
    """Let one process or thread at a time work on the file or folder `path`, which need not exist.

    Gives False where the file system has no locks: others may be at work too. `waiting` is called
    every other second while another has it. OSError when the folder cannot be written.
    """
    lock = path.with_name(f".{path.name}.lock")
    told = time.monotonic()
    while (descriptor := _locked(lock)) is None:
        if time.monotonic() - told >= _SECONDS_BETWEEN_LINES:
            told = time.monotonic()
            waiting()
        time.sleep(_SECONDS_BETWEEN_TRIES)
    try:
        yield descriptor >= 0
    finally:
        if descriptor >= 0:
            with suppress(OSError):
                lock.unlink(missing_ok=True)
            os.close(descriptor)


def _locked(lock: Path) -> int | None:
    """Return the descriptor of a lock that was free; None when it was not, -1 without locks."""
    descriptor = _open_lock(lock)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Who had it before has removed the file: the lock of a removed file is no lock.
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
    except PermissionError:  # another user's: reading is enough to lock it
        return os.open(lock, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:  # removed just now
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
    """Give a new file or folder to the group that may write `folder`, if there is one."""
    above, own = folder.stat(), os.fstat(descriptor)
    if not above.st_mode & stat.S_IWGRP:
        return
    with suppress(OSError):  # of a group that this user is not in, or on a disk without rights
        if own.st_gid != above.st_gid:
            os.fchown(descriptor, -1, above.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(own.st_mode) | (above.st_mode & bits))
