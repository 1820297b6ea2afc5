"""Recognise the folder of a run in training, and notice when it was deleted or replaced."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

from tui_latent.runs.schema import FolderLostError

_NOTHING_THERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}

_Key = tuple[int, int]
"""device and inode"""


class OwnFolder:
    """Keeps the folder open, so that no other can get its inode during training."""

    def __init__(self, path: Path, is_mine: Callable[[], bool]) -> None:
        """`is_mine` returns whether this trainer wrote the status at `path`."""
        self.path = path
        self._is_mine = is_mine
        self._descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        self._key, self._above = self._look()

    def check(self) -> bool:
        """Make sure that the folder at the path is the one that was taken.

        Returns whether it came back on another mount, so that open files must be opened anew.
        FolderLostError when it was deleted, moved or replaced; OSError while its disk is away.
        """
        try:
            now = _key(self.path.stat())
        except OSError as error:
            if error.errno not in _NOTHING_THERE:
                raise
            now = None
        if now == self._key:
            return False
        if now is not None and self._is_mine():
            self._come_back()
            return True
        if self._disk_is_away():
            raise OSError(errno.ENODEV, "its disk is not mounted", str(self.path))
        what = "was deleted or moved" if now is None else "was replaced by another"
        raise FolderLostError(
            f"{self.path}: this folder {what} during training",
            "training has stopped and writes nothing more to it; if it was moved, resume it from "
            "its new path",
        )

    def close(self) -> None:
        """Let the folder's inode go."""
        os.close(self._descriptor)

    def _look(self) -> tuple[_Key, list[tuple[Path, _Key]]]:
        key = _key(os.fstat(self._descriptor))
        real = Path(os.path.realpath(self.path))
        return key, [(folder, _key(folder.stat())) for folder in real.parents]

    def _come_back(self) -> None:
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        os.close(self._descriptor)
        self._descriptor = descriptor
        self._key, self._above = self._look()

    def _disk_is_away(self) -> bool:
        """Return whether a mount is missing, rather than a folder that somebody removed.

        The nearest folder above that is still the same shows which: what lay in it on the same
        device was removed by hand, what lay in it on another was mounted there.
        """
        below = self._key
        for folder, key in self._above:
            try:
                if _key(folder.stat()) == key:
                    return below[0] != key[0]
            except OSError as error:
                if error.errno not in _NOTHING_THERE:
                    raise
            below = key
        return True


def _key(stat: os.stat_result) -> _Key:
    return stat.st_dev, stat.st_ino
