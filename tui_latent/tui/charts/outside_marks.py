"""How many points are outside the shown part of a map, and in which direction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui_latent.tui.charts.canvas import overlay
from tui_latent.tui.charts.window import Window

_STYLE: Final = Style(bold=True, reverse=True)


def outside_counts(points: NDArray[Any], window: Window) -> tuple[int, int, int, int]:
    """Return how many of (N, 2) finite points are beyond each side: left, right, above, below.

    A point beyond a corner counts at the side that it is further from.
    """
    columns = (points[:, 0] - window.frame.left) / (window.frame.right - window.frame.left)
    rows = (window.frame.top - points[:, 1]) / (window.frame.top - window.frame.bottom)
    beyond = np.stack([-columns, columns - 1, -rows, rows - 1])
    side = np.where(beyond.max(axis=0) > 0, beyond.argmax(axis=0), 4)
    left, right, above, below = np.bincount(side, minlength=5)[:4].tolist()
    return left, right, above, below


def outside_marks(points: NDArray[Any], window: Window) -> list[tuple[int, int, str]]:
    """Return (row, column, text) of the counts at the sides beyond which (N, 2) points are."""
    if not len(points) or window.width < 2 or window.height < 2:
        return []
    left, right, above, below = outside_counts(np.asarray(points, np.float64), window)
    middle = window.height // 2
    sides = (
        (left, f"← {left:,} outside", middle, 0.0),
        (right, f"{right:,} outside →", middle, 1.0),
        (above, f"↑ {above:,} outside", 0, 0.5),
        (below, f"↓ {below:,} outside", window.height - 1, 0.5),
    )
    marks = []
    for count, text, row, place in sides:
        room = window.width - cell_len(text)
        if count and room >= 0:
            marks.append((row, int(room * place), text))
    return marks


def lay_outside_marks(
    strips: Sequence[Strip], points: NDArray[Any], window: Window, start: int = 0
) -> list[Strip]:
    """Write "12 outside →" at the sides of a map beyond which there are points.

    The map's cells begin `start` cells into the strips, and fill as many rows as the window.
    """
    result = list(strips)
    for row, column, text in outside_marks(points, window):
        over = Strip([Segment(text, _STYLE)])
        result[row] = overlay(result[row], start + column, over)
    return result
