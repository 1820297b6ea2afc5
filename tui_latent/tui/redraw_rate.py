"""How often curves are redrawn: less often if drawing slows the training down."""

from __future__ import annotations

from typing import Final

TOO_MUCH: Final = 0.05
"""share of the process's CPU time above which the screen redraws less often"""
LITTLE: Final = 0.02
_SLOWEST: Final = 8


class RedrawRate:
    """Passes every tick, or every 2nd, 4th or 8th while the screen's share is too large."""

    def __init__(self) -> None:
        self.every = 1
        """ticks from one redraw to the next"""
        self._ticks = 0

    def adjust(self, share: float | None) -> None:
        """Redraw less often if the screen takes too much time, more often if it takes little."""
        if share is None:
            self.every = 1
        elif share > TOO_MUCH:
            self.every = min(2 * self.every, _SLOWEST)
        elif share < LITTLE:
            self.every = max(self.every // 2, 1)

    def due(self) -> bool:
        """Count a tick; return whether to draw at it."""
        self._ticks += 1
        if self._ticks < self.every:
            return False
        self._ticks = 0
        return True
