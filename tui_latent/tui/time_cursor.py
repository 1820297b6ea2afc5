"""Which evaluation is shown: always the newest, or an earlier one."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence


class TimeCursor:
    """A position in a run's evaluations, shared by the screens of the run."""

    def __init__(self) -> None:
        self.step: int | None = None
        """None follows the newest"""

    def resolve(self, steps: Sequence[int]) -> int | None:
        """Return the step shown, of the steps of the evaluations; None if there are none."""
        if not steps:
            return None
        if self.step is None or self.step >= steps[-1]:
            return steps[-1]
        return steps[max(bisect_right(steps, self.step) - 1, 0)]

    def position(self, steps: Sequence[int]) -> int:
        """Return the position among the evaluations, counted from 0."""
        step = self.resolve(steps)
        return 0 if step is None else bisect_left(steps, step)

    def move(self, steps: Sequence[int], by: int) -> bool:
        """Move forward or back by some evaluations; return whether that changed anything.

        At the last one the cursor follows the newest again.
        """
        if not steps:
            return False
        before, at = self.step, self.position(steps)
        to = min(max(at + by, 0), len(steps) - 1)
        self.step = None if to == len(steps) - 1 else steps[to]
        return self.step != before

    def why_not(self, steps: Sequence[int], by: int) -> str:
        """Say why it cannot move forward or back; empty if it can."""
        if not steps:
            return "This run has no evaluation."
        if len(steps) == 1:
            return "There is only one evaluation."
        at = self.position(steps)
        if by < 0 and at == 0:
            return "This is the first evaluation."
        return "This is the newest evaluation." if by > 0 and at == len(steps) - 1 else ""

    def distance(self, steps: Sequence[int], step: int) -> int:
        """Return by how many evaluations to move to the one nearest to a step."""
        if not steps:
            return 0
        nearest = min(range(len(steps)), key=lambda index: abs(steps[index] - step))
        return nearest - self.position(steps)

    def track(self, steps: Sequence[int], width: int) -> str:
        """Draw the position among the evaluations as a bar of `width` cells."""
        if len(steps) < 2:
            return "━" * max(width - 1, 0) + "●"
        at = round(self.position(steps) / (len(steps) - 1) * (width - 1))
        return "━" * at + "●" + "─" * (width - 1 - at)
