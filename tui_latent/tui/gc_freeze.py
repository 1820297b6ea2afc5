"""Freeze imported modules out of garbage collection, which would delay keys."""

from __future__ import annotations

import gc
import sys
from typing import Final

_MANY: Final = 30
"""new modules since the last freeze that make another one worthwhile"""


class FrozenModules:
    """Keeps imported modules out of full collections: 0.1 s and more each with torch loaded.

    Cycles among objects that exist at a freeze are never collected; later ones are.
    """

    def __init__(self) -> None:
        self._known = 0

    def set_aside(self) -> bool:
        """Freeze all objects if many modules were imported since the last freeze; True if so.

        The first call ends the pause of the collector with which the dashboard starts.
        """
        gc.enable()
        loaded = len(sys.modules)
        if loaded < self._known + _MANY:
            return False
        self._known = loaded
        gc.freeze()
        return True
