"""Colours and glyphs of the data: ten colours that every kind of colour vision can distinguish.

The class colours were searched in the 256-colour cube, so that terminals without true
colour show them exactly, for the largest smallest distance (OKLab) with normal,
protanopic, deuteranopic and tritanopic vision, at a luminance that keeps a contrast of at
least 2 to both white and near-black backgrounds.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Final

RGB = tuple[int, int, int]

CLASS_COLORS: Final[tuple[RGB, ...]] = (
    (95, 175, 255),
    (215, 95, 0),
    (0, 95, 95),
    (255, 135, 175),
    (95, 0, 255),
    (175, 175, 0),
    (175, 0, 175),
    (175, 95, 255),
    (175, 0, 0),
    (95, 135, 135),
)
"""one per class; more classes start over"""

CLASS_GLYPHS: Final = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""one per class, for screens without colour and for more classes than colours"""

SERIES_COLORS: Final[tuple[RGB, ...]] = (
    (135, 135, 135),
    (0, 175, 135),
    (215, 135, 0),
    (135, 95, 215),
    (0, 135, 175),
    (215, 95, 135),
)
"""one per curve of a chart; more curves start over"""

RUN_COLORS: Final[tuple[RGB, ...]] = (
    (215, 135, 0),
    (95, 0, 255),
    (0, 175, 175),
    (175, 0, 95),
    (95, 95, 0),
    (135, 135, 255),
    (175, 135, 95),
    (175, 0, 175),
)
"""one per run of a comparison, searched like the class colours, at a contrast of at least 2.6"""


def class_color(index: int) -> RGB:
    """Return the colour of the class at a position in `class_names`."""
    return CLASS_COLORS[index % len(CLASS_COLORS)]


def class_glyph(index: int) -> str:
    """Return the character of the class at a position in `class_names`."""
    return CLASS_GLYPHS[index % len(CLASS_GLYPHS)]


def css_color(color: RGB) -> str:
    """Return a colour as style sheets write it."""
    red, green, blue = color
    return f"rgb({red},{green},{blue})"


def series_color(index: int) -> RGB:
    """Return the colour of the curve at a position in its chart."""
    return SERIES_COLORS[index % len(SERIES_COLORS)]


def run_colors(names: Iterable[str]) -> dict[str, RGB]:
    """Return a colour for each of at most eight runs: the run's own, whatever their order.

    The name decides. Where two names want one colour, the one that sorts first has it: the
    names of runs begin with their time, so a later run does not take an earlier one's colour.
    """
    free = list(range(len(RUN_COLORS)))
    colors = {}
    for name in sorted(set(names)):
        wanted = zlib.crc32(name.encode("utf-8", "surrogateescape")) % len(RUN_COLORS)
        slot = next((i for i in free if i >= wanted), free[0] if free else wanted)
        free = [i for i in free if i != slot] or list(range(len(RUN_COLORS)))
        colors[name] = RUN_COLORS[slot]
    return colors
