"""From where a 3-D cloud is seen, and what is drawn of its space."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.map_frame import Frame
from tui_latent.tui.charts.scatter import Rod

_TURN: Final = math.pi / 24
_SPIN: Final = math.pi / 90
_MOST: Final = 0.99
"""share of the points that the frame of a cloud shows from every side"""
_ROOM: Final = 1.15
_AXES: Final = ("x", "y", "z")


@dataclass(frozen=True)
class Camera:
    """Two angles, in radians."""

    yaw: float = 0.6
    pitch: float = 0.35

    def turned(self, across: float, down: float) -> Camera:
        """Return the camera after some steps to the side and down."""
        return replace(self, yaw=self.yaw + across * _TURN, pitch=self.pitch + down * _TURN)

    def spun(self) -> Camera:
        """Return the camera a little further round the vertical axis."""
        return replace(self, yaw=self.yaw + _SPIN)

    def seen(self, points: NDArray[Any]) -> NDArray[Any]:
        """Return (N, 3) points as (N, 2) places of the plane."""
        from tui_latent.analysis.projections import turned

        return turned(points, self.yaw, self.pitch)

    def nearness(self, points: NDArray[Any]) -> NDArray[Any]:
        """Return how near (N, 3) points are, (N,): 0 is the farthest of them, 1 the nearest."""
        from tui_latent.analysis.projections import nearness

        depth = nearness(points, self.yaw, self.pitch)
        known = depth[np.isfinite(depth)]
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
        return np.asarray(np.nan_to_num((depth - low) / max(high - low, 1e-9)))

    def axes(self, points: NDArray[Any]) -> tuple[Rod, ...]:
        """Return the three axes, from the middle of (N, 3) points outwards."""
        middle, radius = _ball(points)
        ends = middle + radius * np.eye(3)
        places = self.seen(np.concatenate([middle[None], ends])).tolist()
        start = (places[0][0], places[0][1])
        rows = zip(_AXES, places[1:], strict=True)
        return tuple(Rod(name, start, (place[0], place[1])) for name, place in rows)

    def frame(self, points: NDArray[Any]) -> Frame:
        """Return a frame that contains nearly all of (N, 3) points from every side.

        Its size is always the same, so that a turning cloud does not seem to grow and shrink.
        """
        middle, radius = _ball(points)
        x, y = self.seen(middle[None])[0].tolist()
        return Frame(x - radius, x + radius, y - radius, y + radius)


def _ball(points: NDArray[Any]) -> tuple[NDArray[np.float64], float]:
    """Return middle and radius of a ball around most of the points."""
    finite = np.asarray(points[np.isfinite(points).all(axis=1)], np.float64)
    if not len(finite):
        return np.zeros(3), 1.0
    middle = np.median(finite, axis=0)
    distances = np.linalg.norm(finite - middle, axis=1)
    return middle, max(float(np.quantile(distances, _MOST)) * _ROOM, 1e-9)
