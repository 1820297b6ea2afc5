"""Means over seeds and paired differences, as the tables show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan, nan, sqrt
from statistics import fmean, stdev


@dataclass(frozen=True)
class Spread:
    """Values of several seeds."""

    mean: float
    deviation: float
    """sample standard deviation; NaN of one value"""
    seeds: int


@dataclass(frozen=True)
class Difference:
    """Differences between two variants, seed by seed."""

    mean: float
    low: float
    """of the 95 % interval of the mean, by Student's t; NaN of one seed"""
    high: float
    p: float
    """of a paired t-test, two-sided; NaN of one seed"""
    seeds: int

    def shows(self, larger: bool | None) -> str:
        """Say in a word what the interval shows of a finding that the first is larger, or smaller;
        None if nothing was published of it."""
        if isnan(self.low):
            return "one seed"
        if self.low <= 0 <= self.high:
            return "not shown"
        found = self.low > 0
        if larger is None:
            return "larger" if found else "smaller"
        return "shown" if found == larger else "the opposite"


def spread(values: Sequence[float]) -> Spread:
    """Return mean and deviation; ValueError without values."""
    if not values:
        raise ValueError("there is no value")
    return Spread(fmean(values), stdev(values) if len(values) > 1 else nan, len(values))


def difference(first: Sequence[float], second: Sequence[float]) -> Difference:
    """Return what two variants differ by; values at the same position are of the same seed."""
    gains = [one - other for one, other in zip(first, second, strict=True)]
    found = spread(gains)
    if found.seeds < 2:
        return Difference(found.mean, nan, nan, nan, found.seeds)
    from scipy.stats import t

    error = found.deviation / sqrt(found.seeds)
    half = float(t.ppf(0.975, found.seeds - 1)) * error
    if error == 0:
        p = 1.0 if found.mean == 0 else 0.0
    else:
        p = float(2 * t.sf(abs(found.mean) / error, found.seeds - 1))
    return Difference(found.mean, found.mean - half, found.mean + half, p, found.seeds)
