"""Images in the places of a map's points, as many as stand free of each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from textual.strip import Strip

from tui_latent.analysis.representatives import most_central
from tui_latent.tui.charts.image_cells import Pixels, framed, half_blocks, shades
from tui_latent.tui.charts.scatter import Scene, Window

WIDTH: Final = 10
HEIGHT: Final = 5
"""cells of a thumbnail: eight by eight pixels of half-blocks in a frame of its point's colour"""

Images = Callable[[Sequence[int]], Pixels]
"""gives (n, H, W, C) of n points"""


def thumbnail_places(scene: Scene, window: Window) -> list[tuple[int, int, int]]:
    """Return (point, column, row) of thumbnails: in each block of cells its middlemost point."""
    frame = window.frame
    inside = scene.visible.copy()
    x, y = scene.points[:, 0], scene.points[:, 1]
    inside &= (x >= frame.left) & (x <= frame.right) & (y >= frame.bottom) & (y <= frame.top)
    chosen = np.flatnonzero(inside)
    column = (x[chosen] - frame.left) / window.unit / 2
    row = (frame.top - y[chosen]) / window.unit / 4
    across, down = window.width // WIDTH, window.height // HEIGHT
    block_x = np.minimum((column // WIDTH).astype(int), across - 1)
    block_y = np.minimum((row // HEIGHT).astype(int), down - 1)
    off = np.hypot(column - (block_x + 0.5) * WIDTH, 2 * (row - (block_y + 0.5) * HEIGHT))
    blocks = block_y * max(across, 1) + block_x
    places = []
    for at in most_central(blocks, off).tolist():
        if block_x[at] >= 0 and block_y[at] >= 0:
            places.append((int(chosen[at]), int(block_x[at]) * WIDTH, int(block_y[at]) * HEIGHT))
    return places


def paste_thumbnails(
    strips: Sequence[Strip],
    scene: Scene,
    window: Window,
    images: Images,
    colored: bool,
    dark: bool,
) -> list[Strip]:
    """Lay thumbnails over the strips of a drawn scene."""
    places = thumbnail_places(scene, window)
    if not places:
        return list(strips)
    pictures = images([index for index, _, _ in places])
    result = list(strips)
    for picture, (index, column, row) in zip(pictures, places, strict=True):
        frame = np.empty((2 * HEIGHT, WIDTH, 4), np.uint8)
        frame[:] = (*scene.coloring.color(int(scene.coloring.values[index])), 255)
        inside = framed(picture, 2 * HEIGHT - 2, WIDTH - 2)
        frame[1:-1, 1:-1] = np.where(inside[..., 3:], inside, frame[1:-1, 1:-1])
        lines = half_blocks(frame) if colored else shades(frame, dark)
        for offset, line in enumerate(lines):
            strip = result[row + offset]
            parts = strip.crop(0, column), Strip(line), strip.crop(column + WIDTH)
            result[row + offset] = Strip.join(parts)
    return result
