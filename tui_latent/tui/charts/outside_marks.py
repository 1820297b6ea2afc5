"""What lies beyond the shown part of a map: how many points, and in which direction."""

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
    """Return how many of (N, 2) finite points lie beyond each side: left, right, above, below.

    A point beyond a corner counts at the side that it is further from.
    """
    columns = (points[:, 0] - window.frame.left) / (window.frame.right - window.frame.left)
    rows = (window.frame.top - points[:, 1]) / (window.frame.top - window.frame.bottom)
    beyond = np.stack([-columns, columns - 1, -rows, rows - 1])
    side = np.where(beyond.max(axis=0) > 0, beyond.argmax(axis=0), 4)
    left, right, above, below = np.bincount(side, minlength=5)[:4].tolist()
    return left, right, above, below


def lay_outside_marks(
    strips: Sequence[Strip], points: NDArray[Any], window: Window, start: int = 0
) -> list[Strip]:
    """Write "12 outside →" at the sides of a map beyond which points lie.

    The map's cells begin `start` cells into the strips, and fill as many rows as the window.
    """
    result = list(strips)
    if not len(points) or window.width < 2 or window.height < 2:
        return result
    left, right, above, below = outside_counts(np.asarray(points, np.float64), window)
    middle = window.height // 2
    for count, text, row, place in (
        (left, f"← {left:,} outside", middle, 0.0),
        (right, f"{right:,} outside →", middle, 1.0),
        (above, f"↑ {above:,} outside", 0, 0.5),
        (below, f"↓ {below:,} outside", window.height - 1, 0.5),
    ):
        room = window.width - cell_len(text)
        if count and room >= 0 and row < len(result):
            over = Strip([Segment(text, _STYLE)])
            result[row] = overlay(result[row], start + int(room * place), over)
    return result
