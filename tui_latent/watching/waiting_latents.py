"""Latents that wait to be measured, and the results."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class WaitingLatents(NamedTuple):
    """A copy of the latents and labels that a loop recorded at a step."""

    step: int
    seconds: float
    epoch: float
    timeline: int
    """how often the loop had gone back to an earlier step before"""
    queries: NDArray[np.float32]
    """(N, D)"""
    labels: NDArray[np.int64] | None
    """(N,)"""
    bank: NDArray[np.float32] | None
    """(M, D)"""
    bank_labels: NDArray[np.int64] | None
    """(M,)"""

    @property
    def nbytes(self) -> int:
        """Memory that the arrays take."""
        arrays = (self.queries, self.labels, self.bank, self.bank_labels)
        return sum(array.nbytes for array in arrays if array is not None)


class Measured(NamedTuple):
    """The results for the latents of one step."""

    of: WaitingLatents
    metrics: dict[str, float]
    missing: dict[str, str]
    """metric -> why it is not among the metrics"""
    points: NDArray[Any] | None
    """(N, 2) float32, aligned to the map before; None if the latents cannot be drawn"""
    confusion: NDArray[np.int64] | None
    problem: str
    """why the latents are not kept; empty if they are"""
    collapse: str
    """what says that the latents have collapsed; empty if nothing does"""
    latents_file: str
    """a temporary file with the latents, which is to become `last.safetensors`"""
