"""Advisory locks between processes, where the file system has them."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EBADF}


class FileLock:
    """A lock on a file or folder, held from `take` to `release` or to the end of the process.

    A missing file is created; a folder must exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def take(self, wait: bool = False) -> bool:
        """Take the lock; False when the file system (some network ones) has none.

        BlockingIOError when another holds it and `wait` is off.
        """
        while True:
            ways = os.O_RDONLY if self._path.is_dir() else os.O_RDWR | os.O_CREAT
            descriptor = os.open(self._path, ways | os.O_NOFOLLOW, 0o666)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(descriptor)
                if error.errno in _NO_LOCKS:
                    return False
                raise
            self._descriptor = descriptor
            if self.stands():
                return True
            self.release()  # the file was deleted while its lock was waited for

    def stands(self) -> bool:
        """Return whether the lock is held, on the file that others would lock."""
        if self._descriptor is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._descriptor), self._path.stat())
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Let others take the lock; does nothing when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Let one process or thread at a time through, where the file system has locks."""
    lock = FileLock(path)
    lock.take(wait=True)
    try:
        yield
    finally:
        lock.release()
