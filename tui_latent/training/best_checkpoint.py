"""The evaluation with the best held-out loss, and when to stop waiting for a better one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


class BestLoss:
    """The lowest held-out loss of a run's last stage so far."""

    def __init__(self) -> None:
        self.loss = math.inf
        self.step = 0
        """step at which it was found; 0 for none yet"""
        self._judged = -1

    def judge(self, step: int, loss: float | None) -> None:
        """Compare the loss of an evaluation with the best; None and NaN are ignored."""
        if loss is None or not math.isfinite(loss):
            return
        self._judged = step
        if loss < self.loss:
            self.loss, self.step = loss, step

    def forget_until(self, step: int) -> None:
        """Forget a best loss up to this step, because later losses have other weights."""
        if self.step <= step:
            self.loss, self.step = math.inf, 0

    def exhausts(self, patience: int, step: int) -> bool:
        """Return whether the loss has not improved for `patience` steps at `step`; 0 waits forever.

        Only an evaluation at this very step can end a run: between two of them nothing is known.
        """
        if not patience or not self.step or self._judged != step:
            return False
        return step > self.step and step - self.step >= patience

    def state(self) -> dict[str, Any]:
        """Return it for a checkpoint."""
        return {"best_loss": self.loss, "best_step": self.step, "judged_step": self._judged}

    def load_state(self, saved: Mapping[str, Any]) -> None:
        """Continue from a checkpoint."""
        self.loss, self.step = saved["best_loss"], saved["best_step"]
        # Checkpoints of version 0.1 do not have it.
        self._judged = saved.get("judged_step", saved["evaluated_step"])
