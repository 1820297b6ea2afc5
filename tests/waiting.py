"""Waiting in tests for what another thread or process brings.

A wait ends when what it waits for has come. Its limit only ends a test that would never end, so
it is generous, and it grows with the number of processes that share a core: the tests pass on a
machine that is busy with other work.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

MARGIN = 4.0
"""How many times longer than on an idle machine a wait may take, before the load is counted."""

MOST_LOAD = 25.0
"""Beyond this many processes per core, a longer wait would only hide a test that hangs."""


def patience(seconds: float = 30.0) -> float:
    """Return the limit of a wait that takes at most `seconds` on an idle machine, in seconds."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = os.getloadavg()[0] / (cores or 1)
    return seconds * MARGIN * min(max(1.0, load), MOST_LOAD)


class Deadline:
    """The end of a wait. The load is read again as time passes, so a deadline can move."""

    def __init__(self, seconds: float = 30.0) -> None:
        self._seconds = seconds
        self._start = time.monotonic()

    def passed(self) -> bool:
        """Return whether the wait has taken too long."""
        waited = time.monotonic() - self._start
        return waited > self._seconds * MARGIN and waited > patience(self._seconds)


def until(
    condition: Callable[[], object], seconds: float = 30.0, awaited: str = "the condition"
) -> None:
    """Return once `condition` holds.

    `seconds` is what an idle machine keeps to; see `patience` for the limit.
    """
    deadline = Deadline(seconds)
    while not condition():
        assert not deadline.passed(), f"waited in vain for {awaited}"
        time.sleep(0.02)
