"""The plane of the map, every spot in the colour of the nearest image's class."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.reports.map_frame import MapFrame
from tui_latent.reports.numbers import ReportNumbers
from tui_latent.reports.page import Box, Page
from tui_latent.reports.panels.flat import BOTTOM, LEFT
from tui_latent.reports.panels.scatter import draw_scatter
from tui_latent.reports.style import class_paints
from tui_latent.runs.latents_file import UNLABELLED
from tui_latent.runs.schema import LatentMap

_SPOTS: Final = 500
"""spots across and up"""
_PALE: Final = 0.62
"""share of white in a region's colour, so that the points stand out"""


def draw_voronoi(page: Page, box: Box, latent_map: LatentMap, numbers: ReportNumbers) -> None:
    """Draw the regions of the map, with its points and names upon them."""
    note = f"each spot has the {numbers.colors} of the nearest held-out image"
    if latent_map.projection != "native":
        note += f" in this plane, of {numbers.about.latent_dim or 'more'} dimensions"
    inner = page.title(box, "Voronoi", note)
    frame = numbers.map
    assert frame is not None, "a map has a frame"
    side = min(inner.width - LEFT, inner.height - BOTTOM)
    axes = draw_scatter(page, Box(inner.left + LEFT, inner.top, side, side), latent_map, frame)
    (x, y), half = frame.centre, frame.half_width
    axes.imshow(
        region_colors(latent_map, frame),
        extent=(x - half, x + half, y - half, y + half),
        origin="lower",
        interpolation="nearest",
        aspect="auto",
        zorder=0,
    )
    axes.grid(visible=False)


def region_colors(latent_map: LatentMap, frame: MapFrame) -> NDArray[np.float64]:
    """Return a pale colour for each spot of the frame, from the bottom: (spots, spots, 3)."""
    import torch

    from tui_latent.metrics.nearest_neighbours import nearest

    finite = np.isfinite(latent_map.points).all(axis=1) & (latent_map.labels != UNLABELLED)
    points = torch.from_numpy(np.array(latent_map.points[finite], np.float32))
    along = (np.arange(_SPOTS) + 0.5) / _SPOTS * 2 * frame.half_width - frame.half_width
    across, up = np.meshgrid(frame.centre[0] + along, frame.centre[1] + along)
    spots = torch.from_numpy(np.stack([across.ravel(), up.ravel()], axis=1)).float()
    _, rows = nearest(points, spots, 1)
    labels = latent_map.labels[finite]
    paint = class_paints(labels)
    pale: NDArray[np.float64] = (
        _PALE + (1 - _PALE) * paint[labels[rows.numpy().reshape(across.shape)]]
    )
    return pale
