"""Curves in flat memory: a million records of a metric reduced to about a thousand bins."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Final

import numpy as np

from tui_latent.records.schema import Curve

CAPACITY: Final = 1024
"""bins of a curve at most"""

HIGHER_IS_BETTER: Final = ("val/knn_*", "val/linear_probe", "val/*accuracy*")
"""metrics whose best value is the largest, as shell patterns; for all others it is the smallest"""


def higher_is_better(metric: str) -> bool:
    """Say whether a larger value of the metric is a better one."""
    return any(fnmatchcase(metric, pattern) for pattern in HIGHER_IS_BETTER)


@dataclass(slots=True)
class _Bin:
    """The finite values of the steps `index * width` to `(index + 1) * width`."""

    index: int
    count: int
    mean: float
    low: float
    high: float
    step: int
    time: float

    def add(self, other: _Bin) -> None:
        """Take in a bin of later records."""
        share = other.count / (self.count + other.count)
        self.count += other.count
        self.low = min(self.low, other.low)
        self.high = max(self.high, other.high)
        mean = self.mean + (other.mean - self.mean) * share
        self.mean = min(max(mean, self.low), self.high)  # also where the difference overflowed
        self.step, self.time = other.step, other.time


class CurveBins:
    """Collects one metric's records in order of their steps.

    Bins start at multiples of their width, a power of two that doubles when there are more
    than `capacity`: a new record changes the last bin only, or halves the number of all.
    The newest record is kept apart, so that one at the same step can still replace it.
    """

    def __init__(self, higher_is_better: bool, capacity: int = CAPACITY) -> None:
        self._better = max if higher_is_better else min
        self._capacity = capacity
        self.width = 1
        """steps per bin"""
        self._bins: list[_Bin] = []
        self._best = math.nan
        self._non_finite = 0
        self._newest: tuple[int, float, float] | None = None
        self._curve: Curve | None = None

    def add(self, step: int, time: float, value: float) -> None:
        """Take in a record; its step is that of the last record, which it replaces, or later."""
        if self._newest is not None and step > self._newest[0]:
            self._settle(*self._newest)
        self._newest = (step, time, value)
        self._curve = None

    def curve(self) -> Curve:
        """Return the curve so far: the same object until a record arrives."""
        if self._curve is None:
            self._curve = self._reduced()
        return self._curve

    def _settle(self, step: int, time: float, value: float) -> None:
        if not math.isfinite(value):
            self._non_finite += 1
            return
        self._best = self._best_with(value)
        new = _Bin(step // self.width, 1, value, value, value, step, time)
        if self._bins and self._bins[-1].index == new.index:
            self._bins[-1].add(new)
            return
        self._bins.append(new)
        while len(self._bins) > self._capacity:
            self._double()

    def _double(self) -> None:
        self.width *= 2
        merged: list[_Bin] = []
        for bin_ in self._bins:
            bin_.index //= 2
            if merged and merged[-1].index == bin_.index:
                merged[-1].add(bin_)
            else:
                merged.append(bin_)
        self._bins = merged

    def _best_with(self, value: float) -> float:
        return value if math.isnan(self._best) else self._better(self._best, value)

    def _reduced(self) -> Curve:
        assert self._newest is not None, "a curve has at least one record"
        step, time, value = self._newest
        rows = [(b.step, b.time, b.mean, b.low, b.high) for b in self._bins]
        finite = math.isfinite(value)
        if finite:
            last = _Bin(step // self.width, 1, value, value, value, step, time)
            if self._bins and self._bins[-1].index == last.index:
                whole = replace(self._bins[-1])
                whole.add(last)
                last = whole
                rows.pop()
            rows.append((last.step, last.time, last.mean, last.low, last.high))
        columns = np.array(rows, dtype=np.float64).reshape(len(rows), 5).T.copy()
        columns.setflags(write=False)
        steps, times, means, lows, highs = columns
        return Curve(
            steps,
            times,
            means,
            lows,
            highs,
            last=value,
            best=self._best_with(value) if finite else self._best,
            non_finite=self._non_finite + (not finite),
        )
