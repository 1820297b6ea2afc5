"""Pure geometry and drawing of images in cells: arrays in, lines of cells out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.color import Color
from rich.segment import Segment
from rich.style import Style

Pixels = NDArray[np.uint8]
"""(H, W), (H, W, 1) or (H, W, 3), 0..255; (H, W, 4) is transparent where the fourth is 0"""
Framed = NDArray[np.uint8]
"""(H, W, 4): colours, transparent around the image (alpha 0)"""

HALF_BLOCK: Final = (1, 2)
"""(width, height) in pixels of a cell drawn with half-blocks"""
SHADES: Final = " ░▒▓█"
"""from black to white where the screen is dark"""

_GAP, _LEFT_GAP = 1, 3
"""cells between two tiles, and between the left one and the others"""
_BELOW = 2
"""lines below a tile: its caption and an empty one"""
_SMALLEST = 3
"""height in cells below which an image is unrecognisable"""


@dataclass(frozen=True)
class Layout:
    """The places of tiles in cells: one on the left, the others in a grid beside it."""

    tile_width: int
    tile_height: int
    columns: int
    """of the grid beside the left tile"""
    rows: int

    @property
    def capacity(self) -> int:
        """How many tiles the grid holds."""
        return self.columns * self.rows

    @property
    def width(self) -> int:
        """Cells from the left tile's left edge to the last tile's right one."""
        if not self.columns:
            return self.tile_width
        return self.tile_width + self.columns * (self.tile_width + _GAP) - _GAP + _LEFT_GAP

    def place(self, number: int) -> tuple[int, int]:
        """Return (x, y) of the grid's tile of this number, row by row; -1 is the left tile."""
        if number < 0:
            return 0, 0
        row, column = divmod(number, self.columns)
        x = self.tile_width + _LEFT_GAP + column * (self.tile_width + _GAP)
        return x, row * (self.tile_height + _BELOW)


def arrange(
    width: int,
    height: int,
    shape: tuple[int, int],
    at_least: int,
    cell: tuple[int, int] = HALF_BLOCK,
    rows_at_least: int = 1,
) -> Layout | None:
    """Return the layout with the largest tiles that shows a left tile and `at_least` others.

    `shape` is (H, W) of the images, `cell` (width, height) in pixels; `rows_at_least` so many
    rows of tiles. Where that many do not fit, as many as do; None where not even two tiles
    fit, or one if no others are requested.
    """
    best: Layout | None = None
    for tile_width, tile_height in tile_sizes(height, shape, cell):
        columns = max((width - tile_width - _LEFT_GAP + _GAP) // (tile_width + _GAP), 0)
        rows = (height + 1) // (tile_height + _BELOW)
        layout = Layout(tile_width, tile_height, columns, rows)
        if columns < min(at_least, 1) or tile_width > width or rows < 1:
            continue
        if layout.capacity >= at_least and rows >= rows_at_least:
            return layout
        if best is None or layout.capacity > best.capacity:
            best = layout
    return best


def tile_sizes(
    height: int, shape: tuple[int, int], cell: tuple[int, int]
) -> Iterator[tuple[int, int]]:
    """Yield (width, height) in cells, largest first: whole multiples of the image, then less."""
    image_height, image_width = shape
    cell_width, cell_height = cell
    for scale in range(max(1, height * cell_height // image_height), 0, -1):
        yield _cells(scale * image_width, cell_width), _cells(scale * image_height, cell_height)
    for tile_height in range(_cells(image_height, cell_height) - 1, _SMALLEST - 1, -1):
        across = tile_height * cell_height * image_width / image_height / cell_width
        yield max(1, round(across)), tile_height


def _cells(pixels: int, size: int) -> int:
    return -(-pixels // size)


def fit(image: Pixels, height: int, width: int) -> Pixels:
    """Scale to the largest (h, w, 3) within (height, width) that keeps the image's proportions.

    With a fourth channel where the image has one.

    Up by a whole factor, so that every pixel stays a square; down by the mean of the area.
    """
    colour = image[..., None] if image.ndim == 2 else image
    colour = np.repeat(colour, 3, axis=2) if colour.shape[2] == 1 else colour
    rows, columns = colour.shape[:2]
    scale = min(height // rows, width // columns)
    if scale >= 1:
        return colour.repeat(scale, axis=0).repeat(scale, axis=1)
    ratio = min(height / rows, width / columns)
    down = _area_weights(rows, max(1, round(rows * ratio)))
    across = _area_weights(columns, max(1, round(columns * ratio)))
    if colour.shape[2] == 4:
        return _scaled_seen(colour, down, across)
    mean = np.einsum("yr,rcx->ycx", down, np.einsum("xc,rcd->rxd", across, colour))
    return np.asarray(np.clip(np.rint(mean), 0, 255), dtype=np.uint8)


def _scaled_seen(colour: Pixels, down: NDArray[np.float64], across: NDArray[np.float64]) -> Pixels:
    """Scale down (H, W, 4); transparent pixels do not darken their neighbours."""
    seen = (colour[..., 3:] > 0).astype(np.float64)
    both = np.concatenate([colour[..., :3] * seen, seen], axis=2)
    mean = np.einsum("yr,rcx->ycx", down, np.einsum("xc,rcd->rxd", across, both))
    share = mean[..., 3:]
    colours = np.rint(mean[..., :3] / np.maximum(share, 1e-9))
    alpha = np.where(share < 0.5, 0, 255)
    return np.asarray(np.concatenate([np.clip(colours, 0, 255), alpha], axis=2), dtype=np.uint8)


def framed(image: Pixels, height: int, width: int) -> Framed:
    """Centre a fitted image in (height, width, 4), transparent around it."""
    fitted = fit(image, height, width)
    frame = np.zeros((height, width, 4), np.uint8)
    top, left = (height - fitted.shape[0]) // 2, (width - fitted.shape[1]) // 2
    inside = frame[top : top + fitted.shape[0], left : left + fitted.shape[1]]
    inside[..., 3] = 255
    inside[..., : fitted.shape[2]] = fitted
    return frame


def stacked(upper: Pixels, lower: Pixels) -> Pixels:
    """Return two images of one shape, (H, W, C), stacked with a transparent gap."""
    height, width, _ = upper.shape
    gap = max(height // 8, 1)
    pair = np.zeros((2 * height + gap, width, 4), np.uint8)
    for image, y in ((upper, 0), (lower, height + gap)):
        pair[y : y + height, :, :3] = image
        pair[y : y + height, :, 3] = 255
    return pair


def _area_weights(size: int, smaller: int) -> NDArray[np.float64]:
    """Return (smaller, size) weights: how much of each pixel lies in each larger one."""
    edges = np.linspace(0, size, smaller + 1)
    starts, ends = edges[:-1, None], edges[1:, None]
    pixels = np.arange(size)[None, :]
    overlap = np.minimum(ends, pixels + 1) - np.maximum(starts, pixels)
    return np.asarray(np.clip(overlap, 0, None) * (smaller / size))


def half_blocks(frame: Framed) -> list[list[Segment]]:
    """Draw (2h, w, 4) as h lines of w cells, two pixels per cell."""
    pairs = np.concatenate([frame[0::2], frame[1::2]], axis=2)  # (h, w, 8): upper, lower
    return [_coloured(row.tolist()) for row in pairs]


def shades(frame: Framed, dark: bool = True) -> list[list[Segment]]:
    """Draw (2h, w, 4) as h lines of w cells in five shades, for screens without colour."""
    light = frame[..., :3] @ np.array([0.299, 0.587, 0.114])  # luma of BT.601
    mean = (light[0::2] + light[1::2]) / 2
    levels = np.minimum(mean * len(SHADES) / 256, len(SHADES) - 1).astype(int)
    levels = levels if dark else len(SHADES) - 1 - levels
    seen = (frame[0::2, :, 3] | frame[1::2, :, 3]) > 0
    rows = np.where(seen, np.array(list(SHADES))[levels], " ")
    return [[Segment("".join(row))] for row in rows]


def _coloured(row: list[list[int]]) -> list[Segment]:
    segments = []
    for pair, run in groupby(row):
        text, style = _half_block(*pair)
        segments.append(Segment(text * sum(1 for _ in run), style))
    return segments


@lru_cache(maxsize=1 << 16)
def _half_block(*pair: int) -> tuple[str, Style]:
    *upper, upper_seen, lower_red, lower_green, lower_blue, lower_seen = pair
    top = Color.from_rgb(*upper) if upper_seen else None
    bottom = Color.from_rgb(lower_red, lower_green, lower_blue) if lower_seen else None
    if top is None:
        return ("▄", Style(color=bottom)) if bottom is not None else (" ", Style.null())
    if bottom is None:
        return "▀", Style(color=top)
    return ("▀", Style(color=top, bgcolor=bottom)) if top != bottom else (" ", Style(bgcolor=top))
