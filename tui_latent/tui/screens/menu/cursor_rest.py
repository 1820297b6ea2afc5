"""When a list's cursor has come to rest, so that what is under it may be described."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from textual.widget import Widget

_REST: Final = 0.15
"""seconds for which the cursor must rest while a key is held down"""


class CursorRest:
    """Calls `tell` after one key at once, and while a key is held down when the cursor rests.

    The cursor does not wait for what `tell` does, which may lay out the screen again.
    """

    def __init__(self, widget: Widget, tell: Callable[[], None]) -> None:
        self._widget, self._tell = widget, tell
        self._moved_at, self._due = 0.0, False

    def moved(self) -> None:
        """Note that the cursor has moved."""
        before, self._moved_at = self._moved_at, time.monotonic()
        if self._due:
            return
        self._due = True
        if self._moved_at - before >= _REST:
            self._widget.call_after_refresh(self._tell_now)
        else:
            self._widget.set_timer(_REST, self._tell_at_rest)

    def _tell_at_rest(self) -> None:
        left = self._moved_at + _REST - time.monotonic()
        if left > 0:
            # Textual drops a timer that is late when it starts, as one of a microsecond may be.
            self._widget.set_timer(max(left, 0.02), self._tell_at_rest)
        else:
            self._tell_now()

    def _tell_now(self) -> None:
        self._due = False
        self._tell()
