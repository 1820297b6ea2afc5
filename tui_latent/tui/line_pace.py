"""How far a terminal is behind what was sent to it, so that a slow line is not sent more.

After a frame the terminal is asked for its status. It answers once it has shown the frame: how many
answers are missing says how much is still on its way. How many may be missing is found as TCP finds
its window: one more for each answer in time, a single one after a late answer.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

QUESTION: Final = "\x1b[5n"
"""device status report (ECMA-48); the reply `ANSWER` means that all is well"""
ANSWER: Final = "\x1b[0n"
LOST: Final = 60.0
"""seconds after which answers are not expected any more; on a slow line a large frame takes 20"""
_MOST: Final = 32
_LATE: Final = 0.1
"""seconds that an answer may take beyond one and a half times the quickest"""


class LinePace:
    """Counts frames and answers; the terminal's input thread and the event loop use it.

    A terminal that does not answer the first question is not asked again, and is never behind.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._sent: deque[float] = deque()
        self._quickest: float | None = None
        self._most = 1

    def ask(self) -> bool:
        """Count a frame that was sent; return whether to ask about it."""
        with self._lock:
            if self._quickest is None and self._sent:
                return False
            self._sent.append(self._clock())
            return True

    def answered(self) -> None:
        """Count an answer: the terminal has shown the oldest frame without one."""
        with self._lock:
            if not self._sent:
                return
            full = len(self._sent) >= self._most
            took = self._clock() - self._sent.popleft()
            self._quickest = min(took, self._quickest or took)
            if took > 1.5 * self._quickest + _LATE:
                self._most = 1
            elif full:
                self._most = min(self._most + 1, _MOST)

    def behind(self) -> bool:
        """Return whether the next frame should wait: the terminal is still busy with others."""
        with self._lock:
            if self._quickest is None:
                return False
            if self._sent and self._clock() - self._sent[0] >= LOST:
                self._sent.clear()
            return len(self._sent) >= self._most

    @property
    def unanswered(self) -> int:
        """How many answers are still missing; 0 for a terminal that has never answered."""
        with self._lock:
            return 0 if self._quickest is None else len(self._sent)
