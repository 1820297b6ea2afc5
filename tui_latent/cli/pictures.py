"""A test picture drawn by each method that this terminal supports, for `tui-latent doctor`."""

from __future__ import annotations

import colorsys
import secrets
from collections.abc import Iterator
from typing import Final

import numpy as np
from PIL import Image
from rich.console import Console
from rich.segment import Segment, Segments

from tui_latent.tui.charts.cell_pixels import cell_pixels
from tui_latent.tui.charts.image_cells import Framed, half_blocks, shades
from tui_latent.tui.charts.image_protocols import (
    iterm2_image,
    kitty_image,
    kitty_number,
    placeholders,
    sixel_image,
    through_tmux,
)
from tui_latent.tui.charts.terminal_images import NAMES, Way

_COLUMNS, _ROWS = 32, 6
_INDENT: Final = "  "


def picture(height: int, width: int) -> Framed:
    """Return (height, width, 4): every hue from bright to dark, and a chequered end.

    The hues show how many colours there are, the chequers how fine the pixels.
    """
    hues = np.linspace(0, 1, width, endpoint=False)
    light = np.linspace(1, 0.15, height)
    pixels = [[colorsys.hsv_to_rgb(hue, 0.8, value) for hue in hues] for value in light]
    shown = np.full((height, width, 4), 255, np.uint8)
    shown[..., :3] = np.rint(255 * np.array(pixels)).astype(np.uint8)
    end = width - width // 4
    rows, columns = np.indices((height, width - end))
    shown[:, end:, :3] = (255 * ((rows + columns) % 2)).astype(np.uint8)[..., None]
    return shown


def drawings(ways: list[Way], colored: bool, light: bool) -> Iterator[tuple[str, str]]:
    """Yield the name of each way to draw a picture, and what to print; the first way is used."""
    for number, way in enumerate(ways):
        name = NAMES[way] if colored or way != "cells" else "shades, because there is no colour"
        yield (
            f"{name}{' · used by the dashboard' if number == 0 else ''}",
            _drawing(way, colored, light),
        )


def _drawing(way: Way, colored: bool, light: bool) -> str:
    if way == "cells":
        frame = picture(2 * _ROWS, _COLUMNS)
        lines = half_blocks(frame) if colored else shades(frame, dark=not light)
        return "".join(_printed([Segment(_INDENT), *line]) for line in lines)
    across, down = cell_pixels()
    image = Image.fromarray(picture(_ROWS * down, _COLUMNS * across), "RGBA")
    if way == "iterm2":
        return _at_cursor(iterm2_image(image, _COLUMNS, _ROWS))
    if way == "sixel":
        return _at_cursor(sixel_image(image, (0, 0, 0)))
    number = kitty_number(secrets.randbelow(256), secrets.randbelow(240))
    messages = kitty_image(image, number, _COLUMNS, _ROWS)
    sent = "".join(through_tmux(part) if way == "tmux" else part for part in messages)
    color = f"\x1b[38;5;{number & 255}m"
    rows = placeholders(number, _COLUMNS, _ROWS)
    return sent + "".join(f"{_INDENT}{color}{row}\x1b[39m\n" for row in rows)


def _at_cursor(message: str) -> str:
    """Make room first: a picture at the bottom of the screen would scroll it."""
    return f"{chr(10) * _ROWS}\x1b7\x1b[{_ROWS}A\r{_INDENT}{message}\x1b8"


def _printed(line: list[Segment]) -> str:
    console = Console(force_terminal=True, width=200)
    with console.capture() as capture:
        console.print(Segments([*line, Segment.line()]), end="")
    return capture.get()
