"""The share of this process's CPU time that its screen takes, measured by thread."""

from __future__ import annotations

import threading
import time
from typing import Final

SECONDS_BETWEEN: Final = 2.0
"""seconds: over a shorter time, a share says more about one redraw than about the screen"""

_clocks: dict[int, float] = {}
"""CPU clock of each thread of the screen, and what it last showed"""
_mutex = threading.Lock()


def count_this_thread() -> None:
    """Count the CPU time of the calling thread, from its start, as the screen's."""
    if hasattr(time, "pthread_getcpuclockid"):  # not on macOS
        clock = time.pthread_getcpuclockid(threading.get_ident())
        with _mutex:
            _clocks[clock] = 0.0


def screen_seconds() -> float | None:
    """Return the CPU seconds of the screen's threads so far, ended ones included.

    None where the process has no screen, or the system does not measure threads.
    """
    with _mutex:
        for clock in _clocks:
            try:
                _clocks[clock] = time.clock_gettime(clock)
            except OSError:  # the thread has ended
                continue
        return sum(_clocks.values()) if _clocks else None


class ScreenShare:
    """The screen's share of the process's CPU time since the last reading."""

    def __init__(self) -> None:
        self._screen, self._process = screen_seconds() or 0.0, time.process_time()
        self._asked = time.monotonic()

    def read(self) -> float | None:
        """Return the share, 0..1; None without a screen, or within 2 s of the last reading."""
        if time.monotonic() - self._asked < SECONDS_BETWEEN:
            return None
        screen, process = screen_seconds(), time.process_time()
        before = self._screen, self._process
        self._screen, self._process = screen or 0.0, process
        self._asked = time.monotonic()
        if screen is None or process <= before[1]:
            return None
        return min(max(screen - before[0], 0.0) / (process - before[1]), 1.0)
