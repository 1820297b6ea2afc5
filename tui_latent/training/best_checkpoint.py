"""Which evaluation had the best held-out loss, and when to wait no longer for a better one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


class BestLoss:
    """The lowest held-out loss of a run's last stage, as far as evaluations have looked."""

    def __init__(self) -> None:
        self.loss = math.inf
        self.step = 0
        """step at which it was found; 0 for none yet"""
        self._judged = -1

    def judge(self, step: int, loss: float | None) -> None:
        """Take in what the evaluation at a step found; None is no finding at all."""
        if loss is None or not math.isfinite(loss):
            return
        self._judged = step
        if loss < self.loss:
            self.loss, self.step = loss, step

    def exhausts(self, patience: int, step: int) -> bool:
        """Say whether a run at `step` has had no better loss for `patience` steps; 0 waits forever.

        Only an evaluation at this very step can end a run: since the last one nothing is known.
        """
        if not patience or not self.step or self._judged != step:
            return False
        return step > self.step and step - self.step >= patience

    def state(self) -> dict[str, Any]:
        """Return it for a checkpoint."""
        return {"best_loss": self.loss, "best_step": self.step, "judged_step": self._judged}

    def load_state(self, saved: Mapping[str, Any]) -> None:
        """Go on with what a checkpoint kept."""
        self.loss, self.step = saved["best_loss"], saved["best_step"]
        # Checkpoints of version 0.1 do not have it.
        self._judged = saved.get("judged_step", saved["evaluated_step"])
