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
from tui_latent.tui.screens.explorer.trails import trail_rods
from tui_latent.tui.screens.explorer.views import MapResult, map_titles


@dataclass(frozen=True)
class Look:
    """What the person at the screen has chosen to see of a map."""

    filter: ClassFilter = field(default_factory=ClassFilter)
    regions: bool = False
    """whether the Voronoi cells are shaded"""
    thumbnails: bool = False
    trails: bool = True
    """whether the paths of the images that moved farthest are drawn"""
    camera: Camera = field(default_factory=Camera)
    condition: str = ""
    """conditions on the columns that shown points match: `age>60`"""
    kind: str = "held-out images"
    """what the points stand for"""


def is_cloud(result: MapResult | None) -> bool:
    """Return whether the shown projection is a 3-D cloud."""
    projection = result.projection if result else None
    return projection is not None and projection.points.shape[1] == 3


def is_other_projection(before: MapResult, after: MapResult) -> bool:
    """Return whether two maps show different planes, so that a zoomed window has no meaning."""
    names = [result.projection.name if result.projection else "map" for result in (before, after)]
    return names[0] != names[1]


def make_scene(result: MapResult, look: Look, images: Images) -> Scene:
    """Return the scene of a map as it was chosen to look."""
    points, space = _points(result, look.camera)
    chosen = look.filter
    parts = result.parts
    visible = visible_points(points, parts.values, chosen.hidden, chosen.per_class)
    if look.condition and (matched := matched_points(result, look.condition)) is not None:
        visible = visible & matched
    if look.trails and result.projection is None:
        space["rods"] = trail_rods(dict(result.paths), result.coloring.values, visible)
    shown = int(visible.sum())
    titles: Callable[[int], Any] = partial(
        map_titles, result, shown, kind=look.kind, condition=look.condition
    )
    return Scene(
        points,
        result.coloring,
        visible,
        regions=look.regions,
        images=images if look.thumbnails else None,
        legend=True,
        struck=chosen.hidden if result.coloring.name == parts.name else frozenset(),
        titles=titles,
        **space,
    )


def matched_points(result: MapResult, condition: str) -> NDArray[np.bool_] | None:
    """Return which points match conditions; None if these say nothing of this map's columns."""
    from tui_latent.analysis.point_filter import ConditionError, matching

    try:
        return matching(condition, result.columns)
    except ConditionError:
        return None


def _points(result: MapResult, camera: Camera) -> tuple[NDArray[Any], dict[str, Any]]:
    """Return the points in the plane, and of a 3-D cloud what gives it depth."""
    if result.projection is None:
        return result.space.map.points, {}
    points = result.projection.points
    if points.shape[1] == 2:
        return points, {}
    return camera.seen(points), {
        "nearness": camera.nearness(points),
        "rods": camera.axes(points),
        "frame": camera.frame(points),
    }
