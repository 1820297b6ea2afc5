"""The map with the images themselves, framed in the colours of their classes."""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from tui_latent.reports.inputs import Thumbnails
from tui_latent.reports.numbers import ReportNumbers
from tui_latent.reports.page import Box, Page
from tui_latent.reports.panels.flat import BOTTOM, LEFT
from tui_latent.reports.style import class_paints

_PIXELS: Final = 34
"""pixels across a thumbnail with its frame"""
_FRAME: Final = 2


def draw_thumbnails(
    page: Page, box: Box, title: str, shown: Thumbnails, numbers: ReportNumbers
) -> None:
    """Draw each image in its cell of the map."""
    note = "the held-out image nearest to each cell's centre"
    inner = page.title(box, title, note)
    frame = numbers.map
    assert frame is not None, "there are thumbnails of a map only"
    side = min(inner.width - LEFT, inner.height - BOTTOM)
    axes = page.axes(Box(inner.left + LEFT, inner.top, side, side))
    (x, y), half = frame.centre, frame.half_width
    extent = (x - half, x + half, y - half, y + half)
    axes.imshow(sheet(shown), extent=extent, interpolation="antialiased", aspect="auto")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(6))
    axes.grid(visible=False)


def sheet(shown: Thumbnails) -> NDArray[np.float64]:
    """Return the thumbnails in their places on white, from the top: (side, side, 3) in 0..1."""
    side = shown.cells * _PIXELS
    paper = np.ones((side, side, 3))
    paints = class_paints(shown.labels)
    places = zip(shown.columns, shown.rows, shown.labels, shown.images, strict=True)
    for column, row, label, image in places:
        top, left = (shown.cells - 1 - row) * _PIXELS, column * _PIXELS
        cell = paper[top + 1 : top + _PIXELS - 1, left + 1 : left + _PIXELS - 1]
        cell[:] = paints[int(label)]
        inside = cell[_FRAME:-_FRAME, _FRAME:-_FRAME]
        inside[:] = _fitted(image, len(inside))
    return paper


def _fitted(image: NDArray[np.uint8], side: int) -> NDArray[np.float64]:
    """Return an image (H, W, C) as a square of colours, undistorted, with white beside it."""
    height, width, channels = image.shape
    longest = max(height, width)
    at = np.floor((np.arange(side) + 0.5) / side * longest)
    rows, columns = (at - (longest - size) // 2 for size in (height, width))
    colours = image if channels == 3 else np.repeat(image, 3, axis=2)
    square = np.ones((side, side, 3))
    down = np.flatnonzero((rows >= 0) & (rows < height))
    across = np.flatnonzero((columns >= 0) & (columns < width))
    taken = colours[rows[down].astype(int)][:, columns[across].astype(int)]
    square[np.ix_(down, across)] = taken / 255
    return square
