"""From where a 3-D cloud is seen."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Final

from numpy.typing import NDArray

_TURN: Final = math.pi / 24


@dataclass(frozen=True)
class Camera:
    """Two angles, in radians."""

    yaw: float = 0.6
    pitch: float = 0.35

    def turned(self, across: int, down: int) -> Camera:
        """Return the camera after some steps to the side and down."""
        return replace(self, yaw=self.yaw + across * _TURN, pitch=self.pitch + down * _TURN)

    def seen(self, points: NDArray[Any]) -> NDArray[Any]:
        """Return (N, 3) points as (N, 2) places of the plane."""
        from tui_latent.analysis.projections import turned

        return turned(points, self.yaw, self.pitch)
