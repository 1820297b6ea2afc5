"""Legends: what marks and colours stand for, in as few lines as possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui_latent.palettes import RGB

_PLAIN: Final = Style()
_DIM: Final = Style(dim=True)


@dataclass(frozen=True)
class Entry:
    """A mark and what it stands for."""

    mark: str
    text: str
    color: RGB | None = None
    """of the mark; None is the text's"""
    style: Style = _PLAIN
    """of the text"""
    curve: int | None = None
    """position of the curve that a click on it brings to the front"""


def legend_strips(entries: Sequence[Entry], width: int, lines: int, gap: int = 2) -> list[Strip]:
    """Write entries in at most `lines` lines, and how many are left out."""
    rows: list[list[Segment]] = [[]]
    used = 0
    for index, entry in enumerate(entries):
        size = cell_len(entry.mark) + cell_len(entry.text)
        rest = f"… {len(entries) - index} more"
        last_line = len(rows) == lines
        reserved = len(rest) + gap if last_line and index + 1 < len(entries) else 0
        if used + size + reserved > width and (rows[-1] or lines > 1):
            if last_line:
                rows[-1].append(Segment(rest, _DIM))
                break
            rows.append([])
            used = 0
        color = Style(color=Color.from_rgb(*entry.color)) if entry.color else _PLAIN
        meta = _PLAIN if entry.curve is None else Style.from_meta({"curve": entry.curve})
        rows[-1] += [Segment(entry.mark, color + meta), Segment(entry.text, entry.style + meta)]
        rows[-1].append(Segment(" " * gap))
        used += size + gap
    return [Strip(row).adjust_cell_length(width) for row in rows if row]
