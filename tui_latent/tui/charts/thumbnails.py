"""Images in place of a map's points, as many as fit without overlap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from rich.color import Color
from rich.style import Style
from textual.strip import Strip

from tui_latent.map_frame import central_points
from tui_latent.palettes import ink_on
from tui_latent.tui.charts.canvas import overlaid, overlay
from tui_latent.tui.charts.image_cells import framed, half_blocks, shades
from tui_latent.tui.charts.raster import DOTS_X, DOTS_Y
from tui_latent.tui.charts.scatter import Scene
from tui_latent.tui.charts.window import Window

WIDTH: Final = 10
HEIGHT: Final = 5
"""cells of a thumbnail: eight by eight pixels of half-blocks in a frame of its point's colour"""


def thumbnail_places(scene: Scene, window: Window) -> list[tuple[int, int, int]]:
    """Return (point, column, row) of thumbnails: the most central point of each block of cells."""
    shown, frame = np.flatnonzero(scene.visible), window.frame
    x, y = np.asarray(scene.points[shown], np.float64).T
    across = (x - frame.left) / (window.unit * DOTS_X * WIDTH)
    down = (frame.top - y) / (window.unit * DOTS_Y * HEIGHT)
    blocks = central_points(
        np.stack([across, down], axis=1), window.width // WIDTH, window.height // HEIGHT
    )
    return [
        (int(shown[at]), column * WIDTH, row * HEIGHT)
        for at, column, row in zip(*(part.tolist() for part in blocks), strict=True)
    ]


def paste_thumbnails(
    strips: Sequence[Strip], scene: Scene, window: Window, colored: bool, dark: bool
) -> list[Strip]:
    """Lay a scene's images over the strips of its points."""
    places = thumbnail_places(scene, window)
    if not places or scene.images is None:
        return list(strips)
    pictures = scene.images([index for index, _, _ in places])
    result = list(strips)
    for picture, (index, column, row) in zip(pictures, places, strict=True):
        frame = np.empty((2 * HEIGHT, WIDTH, 4), np.uint8)
        value = int(scene.coloring.values[index])
        color = scene.coloring.color(value, dark)
        frame[:] = (*color, 255)
        inside = framed(picture, 2 * HEIGHT - 2, WIDTH - 2)
        frame[1:-1, 1:-1] = np.where(inside[..., 3:], inside, frame[1:-1, 1:-1])
        lines = half_blocks(frame) if colored else shades(frame, dark)
        for offset, line in enumerate(lines):
            result[row + offset] = overlay(result[row + offset], column, Strip(line))
        if not colored or scene.coloring.needs_glyphs:
            ink = Color.from_rgb(*ink_on(color)) if colored else None
            look = Style(bold=True, color=ink, reverse=not colored)
            result[row] = overlaid(result[row], [(column, scene.coloring.glyph(value), look)])
    return result
