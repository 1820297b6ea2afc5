"""Curves in flat memory: a million records of a metric reduced to about a thousand bins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.runs.schema import Curve

if TYPE_CHECKING:
    from tui_latent.runs.schema import Float

CAPACITY: Final = 1024
"""bins of a curve at most"""

_STEP, _TIME, _VALUE = range(3)
_DRAWN: Final = ("steps", "times", "means", "lows", "highs")
BIN_FIELDS: Final = (*_DRAWN, "counts")
_BIN: Final = np.dtype([(name, np.float64) for name in BIN_FIELDS])


@dataclass(frozen=True, eq=False)
class BinState:
    """All that `CurveBins` knows of a metric, in plain arrays."""

    width: int
    bins: Float
    """(N, 6), columns as `BIN_FIELDS`"""
    newest: Float
    """(0 or 1, 3): step, time, value"""
    best: float
    non_finite: int


class CurveBins:
    """Collects one metric's records in order of their steps.

    Bins start at multiples of their width, a power of two that doubles when there are more
    than `capacity`: a new record changes the last bin only, or halves the number of all.
    The newest record is kept apart, so that one at the same step can still replace it.
    """

    def __init__(self, higher_is_better: bool, capacity: int = CAPACITY) -> None:
        self._better = np.fmax if higher_is_better else np.fmin
        self._capacity = capacity
        self.width = 1
        """steps per bin"""
        self._bins = _bins_of(np.empty((0, 3)))
        self._newest = np.empty((0, 3))
        self._best = np.nan
        self._non_finite = 0
        self._curve: Curve | None = None

    @classmethod
    def of(cls, state: BinState, higher_is_better: bool) -> CurveBins:
        """Return the bins that `state` was taken of."""
        made = cls(higher_is_better)
        made.width, made._newest = state.width, state.newest
        made._best, made._non_finite = state.best, state.non_finite
        rows = np.ascontiguousarray(state.bins)
        made._bins = rows.view(_BIN).reshape(-1)
        return made

    def state(self) -> BinState:
        """Return all that is known of the metric."""
        bins = np.ascontiguousarray(self._bins).view(np.float64).reshape(-1, len(BIN_FIELDS))
        return BinState(self.width, bins, self._newest, self._best, self._non_finite)

    @property
    def last_step(self) -> int:
        """Step of the newest record; -1 without records."""
        return int(self._newest[-1, _STEP]) if len(self._newest) else -1

    def extend(self, records: Sequence[tuple[int, float, float]]) -> None:
        """Take in (step, time, value) records, of steps that never fall, the newest one's included;
        if a step has several, the last is used."""
        rows = np.concatenate([self._newest, np.array(records, dtype=np.float64).reshape(-1, 3)])
        last_of_step = np.append(rows[1:, _STEP] != rows[:-1, _STEP], True)[: len(rows)]
        rows = rows[last_of_step]
        settled, self._newest = rows[:-1], rows[-1:]
        finite = settled[np.isfinite(settled[:, _VALUE])]
        self._non_finite += len(settled) - len(finite)
        self._best = self._best_with(finite)
        self._bins, self.width = _merged(self._bins, finite, self.width, self._capacity)
        self._curve = None

    def curve(self) -> Curve:
        """Return the curve so far: the same object until a record arrives."""
        if self._curve is None:
            self._curve = self._with_newest()
        return self._curve

    def _best_with(self, finite: Float) -> float:
        return float(self._better.reduce(finite[:, _VALUE], initial=self._best))

    def _with_newest(self) -> Curve:
        finite = self._newest[np.isfinite(self._newest[:, _VALUE])]
        bins, _ = _merged(self._bins, finite, self.width, len(self._bins) + 1)
        columns = {name: np.ascontiguousarray(bins[name]) for name in _DRAWN}
        for column in columns.values():
            column.setflags(write=False)
        return Curve(
            **columns,
            last=float(self._newest[-1, _VALUE]) if len(self._newest) else np.nan,
            best=self._best_with(finite),
            non_finite=self._non_finite + len(self._newest) - len(finite),
        )


def _bins_of(records: Float) -> NDArray[np.void]:
    """Return a bin for each (step, time, finite value) record."""
    bins = np.empty(len(records), dtype=_BIN)
    bins["steps"], bins["times"] = records[:, _STEP], records[:, _TIME]
    for name in ("means", "lows", "highs"):
        bins[name] = records[:, _VALUE]
    bins["counts"] = 1
    return bins


def _merged(
    bins: NDArray[np.void], records: Float, width: int, capacity: int
) -> tuple[NDArray[np.void], int]:
    """Add finite records to bins, doubling the width until there are at most `capacity`."""
    if not len(records):
        return bins, width
    bins = np.concatenate([bins, _bins_of(records)])
    steps = bins["steps"].astype(np.int64)
    while len(starts := _starts(steps // width)) > capacity:
        width *= 2
    ends = np.append(starts[1:], len(bins)) - 1
    merged = bins[ends]
    merged["lows"] = np.minimum.reduceat(bins["lows"], starts)
    merged["highs"] = np.maximum.reduceat(bins["highs"], starts)
    merged["counts"] = np.add.reduceat(bins["counts"], starts)
    shares = bins["counts"] / np.repeat(merged["counts"], ends - starts + 1)
    with np.errstate(over="ignore"):
        means = np.add.reduceat(bins["means"] * shares, starts)
    merged["means"] = np.clip(means, merged["lows"], merged["highs"])  # against rounding
    return merged, width


def _starts(indices: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return where each run of equal indices starts."""
    return np.flatnonzero(np.append(True, indices[1:] != indices[:-1]))
