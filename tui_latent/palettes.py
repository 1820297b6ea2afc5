"""Colours and glyphs of the data: ten classes that stay apart for every kind of eye.

The class colours were searched in the 256-colour cube, so that terminals without true
colour show them exactly, for the largest smallest distance (OKLab) with normal,
protanope, deuteranope and tritanope sight, at a luminance that keeps a contrast of at
least 2 to both white and near-black backgrounds.
"""

from __future__ import annotations

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
"""one per class; more classes begin again"""

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
"""one per curve of a chart; more curves begin again"""


def class_color(index: int) -> RGB:
    """Return the colour of the class at a position in `class_names`."""
    return CLASS_COLORS[index % len(CLASS_COLORS)]


def class_glyph(index: int) -> str:
    """Return the character of the class at a position in `class_names`."""
    return CLASS_GLYPHS[index % len(CLASS_GLYPHS)]


def series_color(index: int) -> RGB:
    """Return the colour of the curve at a position in its chart."""
    return SERIES_COLORS[index % len(SERIES_COLORS)]
