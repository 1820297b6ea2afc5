"""What the terminal can do, by the name that TERM gives it."""

from __future__ import annotations

import os
from typing import Final

_PLAIN: Final = ("", "dumb", "unknown")


def moves_cursor() -> bool:
    """Return whether the terminal can draw over what it shows: a dumb one only appends."""
    return os.environ.get("TERM", "") not in _PLAIN
