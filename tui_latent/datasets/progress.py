"""Progress of long work, one line of log every few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable


class ProgressLog:
    """Passes a line on to a log unless the last one was written less than some seconds ago."""

    def __init__(self, log: Callable[[str], None], seconds: float = 2.0) -> None:
        self._log = log
        self._seconds = seconds
        self._last = time.monotonic()

    def __call__(self, line: str) -> None:
        """Log a line if enough time has passed since the last one or the last restart."""
        if time.monotonic() - self._last >= self._seconds:
            self.restart()
            self._log(line)

    def restart(self) -> None:
        """Count the seconds from now on."""
        self._last = time.monotonic()
