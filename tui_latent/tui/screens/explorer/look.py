"""How the explorer draws a map: which classes, what below and in place of points, from where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui_latent.tui.charts.scatter import Images, Scene, visible_points
from tui_latent.tui.screens.explorer.camera import Camera
from tui_latent.tui.screens.explorer.class_filter import ClassFilter
from tui_latent.tui.screens.explorer.views import MapResult, map_titles


@dataclass(frozen=True)
class Look:
    """What the person at the screen has chosen to see of a map."""

    filter: ClassFilter = field(default_factory=ClassFilter)
    regions: bool = False
    """whether the Voronoi cells are shaded"""
    thumbnails: bool = False
    camera: Camera = field(default_factory=Camera)


def is_cloud(result: MapResult | None) -> bool:
    """Return whether the shown projection is a 3-D cloud."""
    projection = result.projection if result else None
    return projection is not None and projection.points.shape[1] == 3


def make_scene(result: MapResult, look: Look, images: Images) -> Scene:
    """Return the scene of a map as it was chosen to look."""
    points = _points(result, look.camera)
    chosen = look.filter
    labels = np.asarray(result.space.map.labels)
    visible = visible_points(points, labels, chosen.hidden, chosen.per_class)
    titles: Callable[[int], Any] = partial(map_titles, result, int(visible.sum()))
    return Scene(
        points,
        result.coloring,
        visible,
        regions=look.regions,
        images=images if look.thumbnails else None,
        legend=True,
        struck=chosen.hidden if result.coloring.name == "class" else frozenset(),
        titles=titles,
    )


def _points(result: MapResult, camera: Camera) -> NDArray[Any]:
    if result.projection is None:
        return result.space.map.points
    points = result.projection.points
    return points if points.shape[1] == 2 else camera.seen(points)
