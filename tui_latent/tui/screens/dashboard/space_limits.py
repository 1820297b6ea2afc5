"""Which direction is better for each metric of the latent space, and which values are a warning.

The limits are those of the collapse detection. A value beyond one of them is a sign of a collapse,
which shows several.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tui_latent.collapse_limits import ONE_WAY, POINT, fewest_dimensions
from tui_latent.runs.metric_specs import Direction
from tui_latent.tui.format import number

_UNRELATED: Final = 2.0
"""alignment of views that share nothing"""


@dataclass(frozen=True)
class Limit:
    """The better direction of a metric, and the limits beyond which its value is a warning."""

    better: Direction = ""
    least: float | None = None
    most: float | None = None

    def is_passed(self, value: float | None) -> bool:
        """Return whether a value is beyond a limit."""
        if value is None or not math.isfinite(value):
            return False
        below = self.least is not None and value < self.least
        return below or (self.most is not None and value > self.most)

    @property
    def words(self) -> str:
        """The limit as it is written beside a value: `> 1.02`; empty if there is none."""
        if self.least is not None:
            return f"> {number(self.least)}"
        return f"< {number(self.most)}" if self.most is not None else ""

    @property
    def line(self) -> float | None:
        """The limit as a number, to be drawn among the values."""
        return self.least if self.least is not None else self.most


def limits(dimensions: int | None) -> Mapping[str, Limit]:
    """Return the limits by metric; fewer for one dimension or an unknown number of them."""
    several = dimensions is not None and dimensions > 1
    rank = fewest_dimensions(dimensions) if dimensions is not None and several else None
    return {
        "latent/effective_rank": Limit("higher", least=rank),
        "latent/std_min": Limit("higher"),
        "latent/std_mean": Limit(least=POINT),
        "latent/alignment": Limit("lower", most=_UNRELATED),
        "latent/uniformity": Limit("lower", most=ONE_WAY if several else None),
    }
