"""Modules set aside from garbage collection: going through them would hold up keys."""

from __future__ import annotations

import gc
import sys
from typing import Final

_MANY: Final = 30
"""modules more than at the last time that are worth setting aside"""


class FrozenModules:
    """Keeps what was imported out of full collections, .1 s and more each with torch loaded.

    Cycles among what exists at such a moment are never collected; later ones are.
    """

    def __init__(self) -> None:
        self._known = 0

    def set_aside(self) -> bool:
        """Set aside everything there is if much was imported since; say whether it was."""
        loaded = len(sys.modules)
        if loaded < self._known + _MANY:
            return False
        self._known = loaded
        gc.freeze()
        return True
