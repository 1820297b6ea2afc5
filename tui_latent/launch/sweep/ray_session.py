"""The files of a Ray cluster that is started here, and what a killed sweep left of them."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any, Final

import psutil

from tui_latent.runs.file_lock import FileLock

_PREFIX: Final = "ray-"
_FOLDER: Final[dict[str, Any]] = {"prefix": _PREFIX, "ignore_cleanup_errors": True}
"""a short name: Ray's sockets lie in the folder, and allow no long path"""
_MARK: Final = ".tui-latent"
"""file in a folder that is ours, made once the folder is locked"""
_LOCK: Final = ".lock"


class RaySession:
    """A folder for one cluster; its lock tells that the sweep lives."""

    def __init__(self) -> None:
        """Make the folder, and remove those of sweeps that were killed."""
        _remove_abandoned()
        self._folder = TemporaryDirectory(**_FOLDER)
        self.path = Path(self._folder.name)
        self._lock = FileLock(self.path / _LOCK)
        if self._lock.take():
            (self.path / _MARK).touch()

    def close(self) -> None:
        """Remove the folder, once the cluster has ended."""
        self._folder.cleanup()
        self._lock.release()


def _remove_abandoned() -> None:
    """Remove our folders that no sweep holds and no process of Ray's uses any more."""
    found = [mark.parent for mark in Path(gettempdir()).glob(f"{_PREFIX}*/{_MARK}")]
    for folder in found:
        lock = FileLock(folder / _LOCK)
        with suppress(OSError):  # its sweep lives, or it is another user's
            if lock.take() and not _in_use(folder):
                shutil.rmtree(folder, ignore_errors=True)
        lock.release()


def _in_use(folder: Path) -> bool:
    """Return whether a process was started with this folder: Ray's outlive a killed sweep."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if any(str(folder) in word for word in process.cmdline()):
                return True
    return False
