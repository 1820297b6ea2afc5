"""The paths on the map of the images that have moved farthest lately."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.map_frame import finite_points
from tui_latent.runs.schema import LatentMap
from tui_latent.tui.charts.scatter import Rod

BEFORE: Final = 3
"""evaluations that a path leads through before the one shown"""
_MOVERS: Final = 12


def movers_paths(
    before: Sequence[LatentMap | None], shown: LatentMap
) -> dict[int, NDArray[np.float32]]:
    """Return the paths (T, 2) of the points that moved farthest to the map shown, by point.

    `before` are the maps before it, the oldest first; those of other images are left out. The
    distance is measured from the map just before.
    """
    comparable = [m for m in before if m is not None and np.array_equal(m.indices, shown.indices)]
    if not comparable:
        return {}
    places = np.stack([*(m.points for m in comparable), shown.points])
    finite = np.all([finite_points(points) for points in places], axis=0)
    moved = np.where(finite, np.linalg.norm(places[-1] - places[-2], axis=1), 0.0)
    order = np.argsort(-moved, kind="stable")[:_MOVERS].tolist()
    return {index: places[:, index] for index in order if moved[index] > 0}


def trail_rods(
    paths: dict[int, NDArray[np.float32]], values: NDArray[np.int64], visible: NDArray[Any]
) -> tuple[Rod, ...]:
    """Return the paths of visible points as lines in their colours."""
    return tuple(
        Rod("", (start[0], start[1]), (end[0], end[1]), int(values[index]))
        for index, path in paths.items()
        if visible[index]
        for start, end in pairwise(path.tolist())
    )
