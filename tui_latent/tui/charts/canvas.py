"""Cells with a character, a colour and a background each, and their conversion to strips."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui_latent.palettes import RGB

NO_COLOR: Final = -1


def packed(color: RGB) -> int:
    """Return a colour as one integer."""
    red, green, blue = color
    return red << 16 | green << 8 | blue


class Canvas:
    """`height` x `width` cells, rows counted from the top; blank at first."""

    def __init__(self, width: int, height: int) -> None:
        self.marks: NDArray[np.int32] = np.full((height, width), ord(" "), np.int32)
        self.colors: NDArray[np.int32] = np.full((height, width), NO_COLOR, np.int32)
        """packed, or NO_COLOR for the text's"""
        self.backgrounds: NDArray[np.int32] = np.full((height, width), NO_COLOR, np.int32)
        self.bold: NDArray[np.bool_] = np.zeros((height, width), np.bool_)
        self.dim: NDArray[np.bool_] = np.zeros((height, width), np.bool_)

    def put(self, rows: Any, columns: Any, marks: Any, colors: Any) -> None:
        """Put characters (as code points) and colours at cells; scalars or arrays alike."""
        self.marks[rows, columns] = marks
        self.colors[rows, columns] = colors

    def write(self, row: int, column: int, text: str, color: int = NO_COLOR) -> None:
        """Write narrow characters from a cell on, up to the end of the row."""
        end = min(column + len(text), self.marks.shape[1])
        codes = [ord(character) for character in text[: end - column]]
        self.marks[row, column:end] = codes
        self.colors[row, column:end] = color

    def strips(self) -> list[Strip]:
        """Return the rows as strips, with one segment per run of equal style."""
        styles = self.colors.astype(np.int64) + 1 << 26 | self.backgrounds.astype(np.int64) + 1
        styles |= np.where(self.bold, 1 << 60, 0) | np.where(self.dim, 1 << 61, 0)
        text = self.marks.astype("<u4").view("<U1")
        return [_strip(row, codes) for row, codes in zip(styles, text, strict=True)]


def overlay(strip: Strip, column: int, over: Strip) -> Strip:
    """Lay one strip over another, starting at a cell."""
    return Strip.join([strip.crop(0, column), over, strip.crop(column + over.cell_length)])


def overlaid(strip: Strip, cells: Iterable[tuple[int, str, Style]]) -> Strip:
    """Lay (column, character, style) over a strip, each on the background below it."""
    for column, mark, style in cells:
        under = next(iter(strip.crop(column, column + 1)), Segment(" "))
        ground = Style(bgcolor=under.style.bgcolor if under.style else None)
        strip = overlay(strip, column, Strip([Segment(mark, ground + style)], 1))
    return strip


def _strip(styles: NDArray[np.int64], characters: NDArray[np.str_]) -> Strip:
    starts = np.concatenate([[0], np.flatnonzero(np.diff(styles)) + 1])
    line = "".join(characters.tolist())
    ends = [*starts[1:].tolist(), len(line)]
    segments = [
        Segment(line[start:end], _style(int(styles[start])))
        for start, end in zip(starts.tolist(), ends, strict=True)
    ]
    return Strip(segments, len(line))


@lru_cache(maxsize=1 << 14)
def _style(key: int) -> Style:
    color = (key >> 26 & (1 << 25) - 1) - 1
    background = (key & (1 << 26) - 1) - 1
    return Style(
        color=_color(color),
        bgcolor=_color(background),
        bold=bool(key >> 60 & 1) or None,
        dim=bool(key >> 61 & 1) or None,
    )


def _color(number: int) -> Color | None:
    if number == NO_COLOR:
        return None
    return Color.from_rgb(number >> 16, number >> 8 & 255, number & 255)
