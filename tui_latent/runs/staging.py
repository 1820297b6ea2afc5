"""Hidden folders beside the runs, in which a run is made before it appears, and deleted after."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from tui_latent.runs.file_lock import FileLock

_PREFIX: Final = ".tui-latent-"
_LOCK: Final = "lock"
_OLD: Final = 24 * 3600.0
"""seconds after which a folder counts as left behind where the file system has no locks"""


@contextmanager
def staging_folder(runs: Path) -> Iterator[Path]:
    """Provide a new hidden folder in `runs`; afterwards it is removed with all that is left in it.

    Folders that killed processes left behind are removed first. OSError when it cannot be made.
    """
    for left_behind in runs.glob(f"{_PREFIX}*"):
        _remove_if_left(left_behind)
    folder, lock = _locked_folder(runs)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()
        shutil.rmtree(folder, ignore_errors=True)  # network disks keep what was open until now


def _locked_folder(runs: Path) -> tuple[Path, FileLock]:
    while True:
        folder = runs / f"{_PREFIX}{os.urandom(8).hex()}"
        folder.mkdir()
        lock = FileLock(folder / _LOCK)
        try:
            lock.take()
        except (BlockingIOError, FileNotFoundError):
            continue  # another process removed it as left behind before it was locked
        return folder, lock


def _remove_if_left(folder: Path) -> None:
    """Remove what another process made here, if that process is gone.

    The lock is held until all is removed, so that no other process takes the folder into use.
    """
    lock = FileLock(folder / _LOCK)
    with suppress(OSError):
        locked = (folder / _LOCK).exists() and lock.take()
        if locked or time.time() - folder.stat().st_mtime > _OLD:
            shutil.rmtree(folder, ignore_errors=True)
    lock.release()


def remove_whole(path: Path, staging: Path, last: tuple[str, ...]) -> None:
    """Remove a whole folder by way of a staging folder beside it, or leave it as it was.

    What forbids removing a file forbids moving it too, and moves can be undone. An error after
    all files have been moved brings back those that are not removed yet; files named in `last`
    are removed last. OSError names the file.
    """
    hidden, moved = staging / "run", staging / "removed"
    path.rename(hidden)
    done: list[tuple[Path, Path]] = []
    try:
        for file in _deepest_first(hidden):
            target = moved / file.relative_to(hidden)
            if not file.is_symlink() and file.is_dir():
                target.mkdir(parents=True, exist_ok=True)  # the old one may be read-only
                shutil.copymode(file, target)
                file.rmdir()
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                file.rename(target)
            done.append((file, target))
        kept_to_the_end = [moved / name for name in last]
        for _, target in done:
            if target not in kept_to_the_end and not (target.is_dir() and not target.is_symlink()):
                target.unlink()
    except OSError as error:
        _bring_back(done)
        hidden.rename(path)
        where = Path(error.filename or path)
        for folder in (hidden, moved):
            if where.is_relative_to(folder):
                where = path / where.relative_to(folder)
        raise OSError(error.errno, error.strerror, str(where)) from error


def _deepest_first(folder: Path) -> list[Path]:
    """Return all that is in a folder, the contents of each folder before itself."""

    def refuse(error: OSError) -> None:
        raise error

    return [
        Path(root) / name
        for root, folders, files in os.walk(folder, topdown=False, onerror=refuse)
        for name in (*files, *folders)
    ]


def _bring_back(done: list[tuple[Path, Path]]) -> None:
    for file, target in reversed(done):
        if not target.is_symlink() and target.is_dir():
            file.mkdir(exist_ok=True)
            shutil.copymode(target, file)
        elif os.path.lexists(target):
            target.rename(file)
