"""One image on a page."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from tui_latent.reports.style import AXIS


def draw_image(axes: Axes, image: NDArray[np.uint8], x: float, y: float, side: float) -> None:
    """Draw an image (H, W, C) into a square, whole and undistorted."""
    height, width, channels = image.shape
    tall, wide = side * min(1, height / width), side * min(1, width / height)
    left, top = x + (side - wide) / 2, y + (side - tall) / 2
    colours = image if channels == 3 else np.repeat(image, 3, axis=2)
    extent = (left, left + wide, top + tall, top)
    axes.imshow(colours, extent=extent, interpolation="nearest", aspect="auto")
    axes.add_patch(Rectangle((left, top), wide, tall, fill=False, edgecolor=AXIS, linewidth=0.6))
