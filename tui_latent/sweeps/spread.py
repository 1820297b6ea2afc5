"""Means over seeds, and which of several means differ beyond what the seeds explain."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tui_latent.sweeps.studentised_range import quantile

LEVEL: Final = 0.95
"""of intervals"""


@dataclass(frozen=True)
class Spread:
    """The values of one metric over the runs of a group."""

    values: tuple[float, ...]
    seeds: tuple[object, ...] = ()
    """the seed of each; empty if unknown"""

    @property
    def count(self) -> int:
        """How many runs have a value."""
        return len(self.values)

    @property
    def mean(self) -> float:
        """The mean; NaN without values."""
        return math.fsum(self.values) / self.count if self.values else math.nan

    @property
    def deviation(self) -> float | None:
        """The standard deviation, with n - 1; None below two values."""
        if self.count < 2:
            return None
        mean = self.mean
        return math.sqrt(math.fsum((v - mean) ** 2 for v in self.values) / (self.count - 1))


def difference_intervals(
    groups: Sequence[Spread], reference: int
) -> list[tuple[float, float] | None]:
    """Return the 95 % interval of each group's mean minus that of the reference.

    The intervals of all pairs hold at once, so that it does no harm that the reference was chosen
    because its mean is the best: Tukey's, with Kramer's extension to unequal counts (C. Y. Kramer,
    Biometrics 12, 1956), with one variance within all groups. Where all groups have the same
    seeds, these are blocks: a seed draws the same images and first weights for every group, and
    what it does to all of them is not noise between them. None without a repeated group, and for
    the reference itself.
    """
    known = sum(group.count > 0 for group in groups)
    variance, freedom = _noise([group for group in groups if group.count])
    if freedom < 1 or known < 2:
        return [None] * len(groups)
    range_ = quantile(LEVEL, known, freedom)
    best = groups[reference]
    found: list[tuple[float, float] | None] = []
    for place, group in enumerate(groups):
        if place == reference or not group.count or not best.count:
            found.append(None)
            continue
        half = range_ * math.sqrt(variance / 2 * (1 / group.count + 1 / best.count))
        difference = group.mean - best.mean
        found.append((difference - half, difference + half))
    return found


def _noise(groups: Sequence[Spread]) -> tuple[float, int]:
    """Return the variance within the groups, and its degrees of freedom; 0 if there are none."""
    within = math.fsum((g.deviation or 0.0) ** 2 * (g.count - 1) for g in groups)
    freedom = sum(g.count - 1 for g in groups)
    tables = [dict(zip(g.seeds, g.values, strict=False)) for g in groups]
    seeds = list(tables[0]) if tables else []
    same = len(seeds) > 1 and all(
        set(table) == set(seeds) and len(table) == g.count
        for table, g in zip(tables, groups, strict=True)
    )
    if same and len(groups) > 1:
        overall = math.fsum(g.mean for g in groups) / len(groups)
        of_seeds = [math.fsum(t[seed] for t in tables) / len(groups) for seed in seeds]
        within -= len(groups) * math.fsum((mean - overall) ** 2 for mean in of_seeds)
        freedom -= len(seeds) - 1
    return (max(within, 0.0) / freedom, freedom) if freedom > 0 else (0.0, 0)
