"""Legends that flow like text: as many entries in a line as fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tui_latent.reports.page import LINE_HEIGHT, Box, Page
from tui_latent.reports.style import BODY
from tui_latent.reports.text import fit, text_width

_MARK, _GAP = 0.28, 0.22


@dataclass(frozen=True)
class Entry:
    """A mark and its meaning."""

    text: str
    mark: dict[str, Any]
    """how matplotlib draws the line or the marker"""


def legend_lines(entries: list[Entry], width: float) -> list[list[tuple[float, Entry]]]:
    """Return the entries of each line, each with its distance from the left."""
    lines: list[list[tuple[float, Entry]]] = []
    x = width
    for entry in entries:
        text = fit(entry.text, width - _MARK, BODY)
        needed = _MARK + text_width(text, BODY)
        if x + needed > width:
            lines.append([])
            x = 0.0
        lines[-1].append((x, Entry(text, entry.mark)))
        x += needed + _GAP
    return lines


def legend_height(entries: list[Entry], width: float) -> float:
    """Return the inches that a legend takes."""
    return len(legend_lines(entries, width)) * LINE_HEIGHT


def draw_legend(page: Page, box: Box, entries: list[Entry]) -> Box:
    """Draw a legend at the top of a box; return the box below."""
    lines = legend_lines(entries, box.width)
    if not lines:
        return box
    height = len(lines) * LINE_HEIGHT
    axes = page.canvas(Box(box.left, box.top, box.width, height))
    for row, line in enumerate(lines):
        y = (row + 0.5) * LINE_HEIGHT
        for x, entry in line:
            if "marker" in entry.mark:
                axes.plot(x + 0.1, y, linestyle="none", **entry.mark)
            else:
                axes.plot([x, x + 0.2], [y, y], **entry.mark)
            axes.text(x + _MARK, y, entry.text, fontsize=BODY, va="center_baseline")
    return box.below(height)
