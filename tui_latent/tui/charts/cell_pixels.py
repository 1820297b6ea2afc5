"""How many pixels a cell of this terminal has."""

from __future__ import annotations

import fcntl
import struct
import sys
import termios
from typing import Final

_USUAL_CELL: Final = (10, 20)
"""(width, height) in pixels if the terminal does not report it (a VT340's)"""


def cell_pixels() -> tuple[int, int]:
    """Return a cell's (width, height) in pixels, as the terminal reports it, or a usual one."""
    if sys.__stdout__ is None or not sys.__stdout__.isatty():
        return _USUAL_CELL
    told = fcntl.ioctl(sys.__stdout__.fileno(), termios.TIOCGWINSZ, bytes(8))
    rows, columns, width, height = struct.unpack("HHHH", told)
    if not (rows and columns and width // columns and height // rows):
        return _USUAL_CELL
    return width // columns, height // rows
