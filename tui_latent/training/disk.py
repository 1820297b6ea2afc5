"""Writes that must not be lost: while the disk does not take them, training rests."""

from __future__ import annotations

import errno
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from tui_latent.records.control import read_request
from tui_latent.records.writer import RunWriter
from tui_latent.training.control import Stopwatch

T = TypeVar("T")

_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_CLOSED: Final = {errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ESTALE}

TRY_EVERY: Final = 1.0
"""seconds between two tries"""
_LOOK_EVERY: Final = 0.1


class NotSavedError(Exception):
    """A run was asked to stop while the disk took nothing."""


class PatientDisk:
    """Repeats a write until the disk takes it; the run is paused meanwhile and says why."""

    def __init__(self, path: Path, writer: RunWriter, stopwatch: Stopwatch) -> None:
        self._path = path
        self._writer = writer
        self._stopwatch = stopwatch

    def write(self, where: Path, needed: int, action: Callable[[], T]) -> T:
        """Return what `action` does, which takes about `needed` bytes at `where`.

        Errors of the disk that a person can mend are waited out; NotSavedError when the run is
        asked to stop in the meantime.
        """
        try:
            return action()
        except OSError as error:
            if error.errno not in _FULL | _CLOSED:
                raise
            with self._stopwatch.resting():
                return self._wait(where, needed, action, error)

    def _wait(self, where: Path, needed: int, action: Callable[[], T], error: OSError) -> T:
        before = self._writer.status()
        told: int | None = None
        while True:
            problem = _describe(where, needed, error)
            self._writer.status(state="paused", phase="waiting for the disk", error=problem)
            if error.errno != told:  # not each time that the room left changes
                self._writer.log(f"paused: {problem}")
                told = error.errno
            self._rest(problem)
            try:
                result = action()
            except OSError as again:
                if again.errno not in _FULL | _CLOSED:
                    raise
                error = again
                continue
            self._writer.status(state=before.state, phase=before.phase, error=before.error)
            self._writer.log("the disk takes it now: going on")
            return result

    def _rest(self, problem: str) -> None:
        until = time.monotonic() + TRY_EVERY
        while time.monotonic() < until:
            if read_request(self._path).state == "stop":
                raise NotSavedError(
                    f"stopped without a last checkpoint. {problem}\n"
                    "what came after the checkpoint before is trained again on resume"
                )
            time.sleep(_LOOK_EVERY)


def _describe(where: Path, needed: int, error: OSError) -> str:
    """Say which path takes nothing, what is needed, and what there is."""
    if error.errno in _CLOSED:
        return f"{where} cannot be written: {error.strerror}; {_size(needed)} are to be written"
    try:
        free = f", {_size(shutil.disk_usage(where.parent).free)} free"
    except OSError:
        free = ""
    return f"{where}: {error.strerror}: {_size(needed)} needed{free}"


def _size(count: int) -> str:
    """Return a number of bytes in words, exact below a megabyte."""
    return f"{count / 1e6:,.1f} MB" if count >= 1_000_000 else f"{count:,} bytes"
