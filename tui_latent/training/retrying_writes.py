"""Writes that must not be lost: while the disk refuses them, training pauses."""

from __future__ import annotations

import errno
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from tui_latent.runs.control import read_request
from tui_latent.runs.events import new_event
from tui_latent.runs.schema import FolderLostError, Request
from tui_latent.runs.writer import RunWriter
from tui_latent.training.run_control import Stopwatch

T = TypeVar("T")

_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_IN_THE_WAY: Final = {
    errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENOTEMPTY, errno.ENAMETOOLONG, errno.ELOOP,
}  # fmt: skip
"""something else is in the place of a file: waiting does not help"""

TRY_EVERY: Final = 1.0
"""seconds between two tries"""
_LOOK_EVERY: Final = 0.1

STOP_WAITS: Final = 2.0
"""seconds for which a run that was asked to stop keeps trying to save"""
END_WAITS: Final = 60.0
"""seconds for which a run that has ended tries to write how it ended"""


class NotSavedError(Exception):
    """A run was asked to stop while the disk accepted no writes."""


class RetryingWriter:
    """Repeats a write until it succeeds; meanwhile the run is paused and says why."""

    def __init__(self, writer: RunWriter, stopwatch: Stopwatch) -> None:
        self._writer = writer
        self._stopwatch = stopwatch
        self._stop_asked: float | None = None

    def write(self, where: Path, needed: int, action: Callable[[], T]) -> T:
        """Return the result of `action`, which writes `needed` bytes or so at `where`; 0 to read.

        While the disk refuses it, whatever the error, the action is repeated; NotSavedError when
        the run is asked to stop meanwhile. FolderLostError when the run's folder is gone for good,
        OSError when something else is in the place of a file.
        """

        def tried() -> T:
            self._writer.check()
            return action()

        try:
            return tried()
        except OSError as error:
            if not _may_pass(error):
                raise
            with self._stopwatch.resting():
                return self._wait(where, needed, tried, error)

    def _wait(self, where: Path, needed: int, action: Callable[[], T], error: OSError) -> T:
        before, since = self._writer.status(), time.monotonic()
        asked = read_request(self._writer.path)
        logged: int | None = None
        while True:
            problem = _describe(where, needed, error)
            self._writer.status(state="paused", phase="waiting for the disk", error=problem)
            if error.errno != logged:  # not each time that the free space changes
                self._writer.log(f"paused: {problem}")
                logged = error.errno
            asked = self._rest(problem, asked)
            try:
                result = action()
            except OSError as again:
                if not _may_pass(again):
                    raise
                error = again
                continue
            self._writer.status(state=before.state, phase=before.phase, error=before.error)
            self._writer.log("the disk accepts writes again: training continues")
            waited = max(round(time.monotonic() - since), 1)
            text = f"Waited {waited:,} s for the disk: {error.strerror or error}."
            with suppress(OSError):  # the event is not worth another wait
                self._writer.event(new_event("disk", before.step, text))
            return result

    def _rest(self, problem: str, asked: Request) -> Request:
        """Wait until the next try; return what is requested of the run by then."""
        until = time.monotonic() + TRY_EVERY
        while time.monotonic() < until:
            self._writer.check_still_mine()
            asked = read_request(self._writer.path, asked)
            if asked.state != "stop":
                self._stop_asked = None
            elif self._stop_asked is None:
                self._stop_asked = time.monotonic()
            elif time.monotonic() - self._stop_asked > STOP_WAITS:
                raise NotSavedError(
                    f"stopped without a last checkpoint. {problem}\n"
                    "the steps since the previous checkpoint will be trained again on resume"
                )
            time.sleep(_LOOK_EVERY)
        return asked


def wait_to_end(writer: RunWriter) -> None:
    """Wait until the end of a run is on disk, for a minute at most; then OSError."""
    until = time.monotonic() + END_WAITS
    while True:
        try:
            writer.flush()
        except FolderLostError:
            return
        except OSError as error:
            if not _may_pass(error) or time.monotonic() >= until:
                raise
            time.sleep(TRY_EVERY)
        else:
            return


def _may_pass(error: OSError) -> bool:
    return error.errno is not None and error.errno not in _IN_THE_WAY


def _describe(where: Path, needed: int, error: OSError) -> str:
    """Return which path cannot be written, what it needs, and what is free."""
    if error.errno not in _FULL:
        needs = f"; {_size(needed)} to write" if needed else ""
        return f"{where} cannot be {'written' if needed else 'used'}: {error.strerror}{needs}"
    try:
        free = f", {_size(shutil.disk_usage(where.parent).free)} free"
    except OSError:
        free = ""
    return f"{where}: {error.strerror}: {_size(needed)} needed{free}"


def _size(count: int) -> str:
    """Return a number of bytes in words, exact below a megabyte."""
    return f"{count / 1e6:,.1f} MB" if count >= 1_000_000 else f"{count:,} bytes"
