"""Numbers and durations as the screens show them: short, three digits, `–` if unknown."""

from __future__ import annotations

import math
import re
from typing import Final

from rich.cells import cell_len, set_cell_size

from tui_latent import number_format
from tui_latent.tui.wrapping import first_cells

_STARTED: Final = re.compile(r"([0-9]{8}-)?([0-9]{6}-)(?=.)")
"""the time at the start of a name that a run was given automatically, with or without the date"""
_ROOM_FOR_TIME: Final = 14
"""fewest cells in which a part of the preset's name fits beside the time"""

UNKNOWN: Final = number_format.UNKNOWN
number = number_format.short_number

STATE_GLYPHS: Final[dict[str, str]] = {
    "starting": "○",
    "running": "●",
    "paused": "‖",
    "finished": "✓",
    "stopped": "■",
    "failed": "✗",
    "interrupted": "╳",
    "not started": "·",
}
"""by `Status.state_word`; one cell each, so that states differ even without colour"""


def cell_number(value: float) -> str:
    """Return a number of a table: a whole one in full, as it may be a year or an id."""
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else number(value)


def rate(value: float) -> str:
    """Return a learning rate with at most two digits: `3e-3`, `1.5e-3`."""
    digits, _, exponent = f"{value:.1e}".partition("e")
    return f"{digits.removesuffix('.0')}e{int(exponent)}"


def share(done: float, total: float) -> str:
    """Return the progress in percent, never 100 before the end."""
    return f"{math.floor(100 * done / total)} %" if total > 0 else UNKNOWN


def bar(done: float, total: float, width: int) -> str:
    """Return a progress bar of `width` cells, to half a cell."""
    halves = math.floor(2 * width * min(max(done / total, 0.0), 1.0)) if total > 0 else 0
    full, half = divmod(halves, 2)
    return "━" * full + "╸" * half + "─" * (width - full - half)


def age(seconds: float) -> str:
    """Return an age in its largest unit."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return "now"


def duration(seconds: float) -> str:
    """Return a duration, rounded: `40 s`, `5 min`, `1 h 20 min`."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def short_duration(seconds: float) -> str:
    """Return a duration in at most six cells: `1 h 20` for `1 h 20 min`."""
    text = duration(seconds)
    return text.removesuffix(" min") if " h " in text else text


def clock(seconds: float | None) -> str:
    """Return a duration as 3:12 or 1:04:05."""
    if seconds is None:
        return UNKNOWN
    minutes, second = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{second:02}" if hours else f"{minutes}:{second:02}"


def clip(text: str, width: int) -> str:
    """Shorten a name to `width` cells by cutting its middle: names differ at both ends.

    A run that is named after the moment of its start loses the date first: those of one day and
    preset differ only in their time.
    """
    if cell_len(text) <= width:
        return text
    if width < 2:
        return set_cell_size(text, width)
    started = _STARTED.match(text)
    if started and width >= _ROOM_FOR_TIME:
        time = f"{'…' if started[1] else ''}{started[2]}"
        return time + clip(text[started.end() :], width - len(time))
    end = first_cells(text[::-1], (width - 1) * 2 // 3)[::-1]
    return f"{first_cells(text, width - 1 - cell_len(end))}…{end}"


def clip_caption(text: str, width: int) -> str:
    """Shorten a caption to `width` cells: a number at its end stays whole."""
    name, _, last = text.rpartition(" ")
    if cell_len(text) <= width or not name or not any(map(str.isdigit, last)):
        return clip(text, width)
    room = width - cell_len(last) - 1
    if room >= 2:
        return f"{clip(name, room)} {last}"
    return last if cell_len(last) <= width else clip(name, width)


def column(text: str, width: int, right: bool = False) -> str:
    """Return text in exactly `width` cells."""
    text = clip(text, width)
    space = " " * (width - cell_len(text))
    return space + text if right else text + space
