"""What people request of a run, checked between steps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tui_latent.runs.control import read_request, request
from tui_latent.runs.schema import Request, RunError
from tui_latent.runs.writer import RunWriter

POLL_EVERY = 0.1
"""seconds between two checks of the request, while training"""
POLL_EVERY_PAUSED = 0.05


class StopRequested(Exception):
    """Raised between steps when the run must stop and save."""


class Stopwatch:
    """Seconds spent training: starts at what an earlier process had counted, rests in pauses."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: float | None = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Seconds counted so far."""
        running = 0.0 if self._since is None else time.perf_counter() - self._since
        return self._seconds + running

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Count nothing inside; rests may be nested."""
        counted = self._since is not None
        self._seconds, self._since = self.seconds, None
        try:
            yield
        finally:
            if counted:
                self._since = time.perf_counter()


class RunControl:
    """Follows `control.json` between steps: waits out pauses, saves when asked, stops."""

    def __init__(self, writer: RunWriter, stopwatch: Stopwatch, save: Callable[[], None]) -> None:
        self._path = writer.path
        self._writer = writer
        self._stopwatch = stopwatch
        self._save = save
        self._looked = 0.0
        self._request = read_request(self._path)
        self._saved = writer.checkpoints_before
        self._pausing = False
        self._may_save = True

    @property
    def request(self) -> Request:
        """What was requested at the last check; a new object if something may have changed."""
        return self._request

    def poll(self) -> None:
        """Do what was requested, checking 10 times a second at most; waits while paused.

        StopRequested when the run must end.
        """
        now = time.monotonic()
        if now - self._looked < POLL_EVERY:
            return
        self._looked = now
        self._writer.check_still_mine()
        self._take(read_request(self._path, self._request))
        if self._pausing and self._request.state == "run":
            self.pause()
        if self._request.state == "pause":
            self._wait()
        if self._request.state == "stop":
            raise StopRequested

    def pause(self) -> None:
        """Request a pause as a person would, unless a stop is requested; the next poll finds it.

        While the disk accepts no writes, each poll tries again.
        """
        self._pausing = read_request(self._path, self._request).state == "run"
        if self._pausing:
            with suppress(RunError):
                request(self._path, state="pause")
                self._pausing = False
        self._looked = 0.0

    def poll_within_evaluation(self) -> None:
        """Poll, but leave a requested checkpoint to the first poll after the evaluation.

        During an evaluation, the random state is the evaluation's.
        """
        self._may_save = False
        try:
            self.poll()
        finally:
            self._may_save = True

    def _take(self, request: Request) -> None:
        self._request = request
        if request.checkpoints > self._saved and self._may_save:
            self._saved = request.checkpoints
            self._save()

    def _wait(self) -> None:
        self._writer.status(state="paused")
        self._writer.log("paused")
        with self._stopwatch.resting():
            while self._request.state == "pause":
                time.sleep(POLL_EVERY_PAUSED)
                self._writer.check_still_mine()
                self._take(read_request(self._path, self._request))
        if self._request.state == "run":
            self._writer.status(state="running")
            self._writer.log("resumed")
