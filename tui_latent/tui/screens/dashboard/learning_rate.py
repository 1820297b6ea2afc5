"""The learning rate that results from a factor on the schedule."""

from __future__ import annotations

import math
from typing import Final

from tui_latent.runs.schema import Curve, RunSnapshot
from tui_latent.tui.format import rate

ASK_BEYOND: Final = 8.0
"""factor on the schedule's rate above which the screen asks first"""


class ScheduledRate:
    """The rate of the preset's schedule at the newest record: the recorded one without its factor.

    The status and the records are written one after the other, so a record may still contain the
    previous factor. The factor that changes the schedule's rate least is used.
    """

    def __init__(self) -> None:
        self._curve: Curve | None = None
        self._factor = 1.0
        self._rate: float | None = None

    def update(self, snapshot: RunSnapshot) -> None:
        """Take note of the newest record."""
        curve, factor = snapshot.curves.get("train/lr"), snapshot.status.lr_factor
        if (
            curve is not None
            and curve is not self._curve
            and math.isfinite(curve.last)
            and curve.last > 0
        ):
            rates = [curve.last / each for each in (factor, self._factor)]
            known = rates[0] if self._rate is None else self._rate
            self._rate = min(rates, key=lambda found: abs(math.log(found / known)))
            self._curve = curve
        self._factor = factor

    def words(self, old: float, new: float) -> str:
        """Say how the rate changes with its factor: `lr 3e-3 → 6e-3`."""
        times = "as scheduled" if new == 1 else f"{new:g} × the schedule"
        if self._rate is None:
            return f"lr {times}"
        return f"lr {rate(old * self._rate)} → {rate(new * self._rate)} ({times})"
