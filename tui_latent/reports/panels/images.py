"""Single images on a page."""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from tui_latent.reports.style import AXIS, FAILURE, SMALLEST
from tui_latent.reports.text import name_to_fit

IMAGE_ROW: Final = 0.94
"""inches of a row of images, with the room for a caption"""


def draw_image(axes: Axes, image: NDArray[np.uint8], x: float, y: float, side: float) -> None:
    """Draw an image (H, W, C) into a square, whole and undistorted."""
    height, width, channels = image.shape
    tall, wide = side * min(1, height / width), side * min(1, width / height)
    left, top = x + (side - wide) / 2, y + (side - tall) / 2
    colours = image if channels == 3 else np.repeat(image, 3, axis=2)
    extent = (left, left + wide, top + tall, top)
    axes.imshow(colours, extent=extent, interpolation="nearest", aspect="auto")
    axes.add_patch(Rectangle((left, top), wide, tall, fill=False, edgecolor=AXIS, linewidth=0.6))


def mark_wrong(
    axes: Axes, x: float, y: float, side: float, caption: str, room: float, size: float = SMALLEST
) -> None:
    """Frame an image in red, with a red caption of at most `room` inches below it."""
    frame = Rectangle((x, y), side, side, fill=False, edgecolor=FAILURE, linewidth=2.2)
    axes.add_patch(frame)
    text = name_to_fit(caption, room, size)
    axes.text(x + side / 2, y + side + 0.15, text, fontsize=size, color=FAILURE, ha="center")
