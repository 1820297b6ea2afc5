"""Which evaluation is looked at: the newest as it comes, or one that a person went back to."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence


class TimeCursor:
    """One place in a run's evaluations, shared by the screens that look at the run."""

    def __init__(self) -> None:
        self.step: int | None = None
        """None follows the newest"""

    def resolve(self, steps: Sequence[int]) -> int | None:
        """Return the step looked at among the steps of the evaluations; None without any."""
        if not steps:
            return None
        if self.step is None or self.step >= steps[-1]:
            return steps[-1]
        return steps[max(bisect_right(steps, self.step) - 1, 0)]

    def position(self, steps: Sequence[int]) -> int:
        """Return the place among the evaluations, counted from 0."""
        step = self.resolve(steps)
        return 0 if step is None else bisect_left(steps, step)

    def move(self, steps: Sequence[int], by: int) -> bool:
        """Go on or back by evaluations, as far as they go; say whether that changed anything.

        At the last one the cursor follows the newest again.
        """
        if not steps:
            return False
        before, at = self.step, self.position(steps)
        to = min(max(at + by, 0), len(steps) - 1)
        self.step = None if to == len(steps) - 1 else steps[to]
        return self.step != before

    def track(self, steps: Sequence[int], width: int) -> str:
        """Draw the place as a bar of `width` cells: where it stands among the evaluations."""
        if len(steps) < 2:
            return "━" * max(width - 1, 0) + "●"
        at = round(self.position(steps) / (len(steps) - 1) * (width - 1))
        return "━" * at + "●" + "─" * (width - 1 - at)
