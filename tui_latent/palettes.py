"""Colours and glyphs of the data, for dark and for light backgrounds.

All colours are of the 256-colour cube, so that terminals without true colour show them
exactly. They were chosen to maximise the smallest distance (CIEDE2000) that normal,
protanopic, deuteranopic and tritanopic eyes see between any two, among colours with a
contrast of at least 3 to the backgrounds of all of Textual's dark or light themes. Each
palette begins with the colours that are farthest apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

RGB = tuple[int, int, int]


@dataclass(frozen=True)
class Palette:
    """The colours of the data on one kind of background."""

    classes: tuple[RGB, ...]
    """ten, one per class; more classes start over, and differ in their glyphs"""
    series: tuple[RGB, ...]
    """one per curve of a chart, the first of them grey; more curves start over"""
    runs: tuple[RGB, ...]
    """eight, one per run of a comparison"""
    ramp: tuple[RGB, ...]
    """five levels of an ordered quantity: the higher, the farther from the background"""
    muted: RGB
    """for what is as expected, behind what is not"""


DARK: Final = Palette(
    classes=(
        (0, 175, 175),
        (255, 255, 0),
        (135, 135, 0),
        (255, 0, 135),
        (135, 255, 255),
        (215, 0, 255),
        (215, 255, 175),
        (255, 135, 135),
        (215, 175, 255),
        (175, 175, 0),
    ),
    series=(
        (148, 148, 148),
        (0, 135, 215),
        (215, 175, 0),
        (215, 255, 175),
        (215, 95, 95),
        (0, 215, 255),
    ),
    runs=(
        (215, 95, 255),
        (215, 255, 0),
        (0, 175, 135),
        (135, 135, 0),
        (0, 255, 215),
        (255, 175, 255),
        (255, 0, 175),
        (215, 215, 135),
    ),
    ramp=((255, 0, 135), (255, 135, 135), (255, 175, 95), (255, 215, 0), (255, 255, 135)),
    muted=(138, 138, 138),
)

LIGHT: Final = Palette(
    classes=(
        (0, 0, 255),
        (255, 0, 0),
        (95, 0, 0),
        (0, 135, 135),
        (0, 0, 95),
        (175, 95, 95),
        (135, 95, 255),
        (0, 95, 95),
        (135, 0, 135),
        (175, 0, 0),
    ),
    series=(
        (88, 88, 88),
        (135, 0, 0),
        (0, 0, 95),
        (135, 95, 255),
        (175, 95, 0),
        (95, 0, 215),
    ),
    runs=(
        (95, 0, 255),
        (255, 0, 0),
        (95, 0, 0),
        (0, 0, 95),
        (0, 135, 95),
        (215, 0, 135),
        (135, 95, 255),
        (175, 0, 0),
    ),
    ramp=((175, 95, 175), (175, 0, 215), (135, 0, 175), (95, 0, 135), (0, 0, 95)),
    muted=(108, 108, 108),
)

CLASS_GLYPHS: Final = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""one per class, for screens without colour and for more classes than colours"""

RAMP_GLYPHS: Final = ".:+*#"
"""one per level of an ordered quantity, for screens without colour"""

MUTED_GLYPH: Final = "·"
"""for what is as expected, on screens without colour"""


_used: Final = {True: DARK, False: LIGHT}
_terminal: Final = {"sixteen": False}


def palette(dark: bool) -> Palette:
    """Return the colours for a dark or for a light background."""
    return _used[dark]


def use_class_colors(colors: Iterable[str]) -> None:
    """Use a person's own colours of classes, each `#rrggbb`, on both backgrounds; none: ours."""
    own = tuple(rgb_color(color) for color in colors)
    for dark, usual in ((True, DARK), (False, LIGHT)):
        _used[dark] = replace(usual, classes=own) if own else usual


def use_sixteen_colors(sixteen: bool) -> None:
    """Draw for a terminal of 16 colours, where several classes would have the same one."""
    _terminal["sixteen"] = sixteen


def colors_suffice(values: int, colors: int) -> bool:
    """Return whether values can be told apart by their colours alone on this terminal."""
    return values <= (1 if _terminal["sixteen"] else colors)


def rgb_color(text: str) -> RGB:
    """Return a colour written as `#rrggbb`; ValueError if it is not."""
    if len(text) != 7 or text[0] != "#":
        raise ValueError(f"{text!r} is not a colour such as #0072b2")
    red, green, blue = bytes.fromhex(text[1:])
    return red, green, blue


def class_color(index: int, dark: bool = True) -> RGB:
    """Return the colour of the class at a position in `class_names`."""
    colors = palette(dark).classes
    return colors[index % len(colors)]


def class_glyph(index: int) -> str:
    """Return the character of the class at a position in `class_names`."""
    return CLASS_GLYPHS[index % len(CLASS_GLYPHS)]


def class_mark(index: int, classes: int, colored: bool) -> str:
    """Return the mark of a class beside its name: a dot if its colour is enough."""
    enough = colored and colors_suffice(classes, len(palette(True).classes))
    return "●" if enough else class_glyph(index)


def css_color(color: RGB) -> str:
    """Return a colour as style sheets write it."""
    red, green, blue = color
    return f"rgb({red},{green},{blue})"


def ink_on(color: RGB) -> RGB:
    """Return black or white, whichever is more readable on a colour."""
    light = 0.2126 * color[0] + 0.7152 * color[1] + 0.0722 * color[2] > 110
    return (0, 0, 0) if light else (255, 255, 255)


def class_variable(index: int) -> str:
    """Return the variable of style sheets with the colour of the class at a position."""
    return f"$class-{index % len(palette(True).classes)}"


def css_variables(dark: bool) -> dict[str, str]:
    """Return the variables of style sheets that hold the colours of the classes."""
    colors = enumerate(palette(dark).classes)
    return {f"class-{index}": css_color(color) for index, color in colors}


def series_color(index: int, dark: bool = True) -> RGB:
    """Return the colour of the curve at a position in its chart."""
    colors = palette(dark).series
    return colors[index % len(colors)]


def run_colors(names: Iterable[str], dark: bool = True) -> dict[str, RGB]:
    """Return a colour for each of at most eight runs, whatever their order.

    Two runs have the two colours that are farthest apart. The names of runs begin with their
    time, so a later run does not take an earlier one's colour.
    """
    colors = palette(dark).runs
    return {name: colors[at % len(colors)] for at, name in enumerate(sorted(set(names)))}
