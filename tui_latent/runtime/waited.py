"""How long this process has waited for the other processes of its run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Waited:
    """Adds up seconds."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def add(self, seconds: float) -> None:
        """Count seconds that were measured elsewhere."""
        self._seconds += seconds

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count the time inside."""
        since = time.perf_counter()
        try:
            yield
        finally:
            self.add(time.perf_counter() - since)

    def take(self) -> float:
        """Return the seconds since the last call."""
        seconds, self._seconds = self._seconds, 0.0
        return seconds


WAITED = Waited()
"""of this process"""
