"""The runs of a sweep that differ only in their seed, ranked by a metric, and what may be said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tui_latent.differing_settings import setting_text
from tui_latent.number_format import number
from tui_latent.runs.metric_specs import spec_of
from tui_latent.runs.sweep_folder import SEED
from tui_latent.sweeps.reading import SweepRow, SweepSnapshot
from tui_latent.sweeps.spread import Spread, difference_intervals

_NAMED = 3
"""groups that a sentence names"""


@dataclass(frozen=True, eq=False)
class Group:
    """Runs with the same settings but for the seed."""

    values: dict[str, Any]
    """what is set in them, without the seed"""
    rows: tuple[SweepRow, ...]
    spread: Spread
    """of the metric, over the runs that have finished"""
    difference: tuple[float, float] | None = None
    """interval of its mean minus the best one's; None for the best, and where it is unknown"""

    @property
    def label(self) -> str:
        """What is set, by the last parts of the keys."""
        return label_of(self.values)

    @property
    def short_keys(self) -> list[str]:
        """The settings of `short_label`, in its order."""
        return [key.rpartition(".")[2] for key in self.values]

    @property
    def short_label(self) -> str:
        """The values alone, where the settings are named elsewhere: `0.5 · 3`."""
        return " · ".join(setting_text(value) for value in self.values.values())

    @property
    def value(self) -> float | None:
        """The mean of the metric; None without a value."""
        return self.spread.mean if self.spread.count else None

    @property
    def failed(self) -> bool:
        """Whether one of its runs needs a person."""
        return self.count("failed", "unreadable", "interrupted") > 0

    def count(self, *states: str) -> int:
        """Return how many of its runs are in one of these states."""
        return sum(row.state in states for row in self.rows)

    @property
    def over(self) -> bool:
        """Whether all its runs have ended for good."""
        return all(row.over for row in self.rows)

    def mean_of(self, metric: str) -> float | None:
        """Return the mean of another metric over its runs; None where none has it."""
        known = [row.metrics[metric] for row in self.rows if metric in row.metrics]
        return sum(known) / len(known) if known else None

    def best_row(self, metric: str) -> SweepRow | None:
        """Return its best finished run, else the first that has been evaluated."""
        known = [row for row in self.rows if metric in row.metrics]
        done = [row for row in known if row.state == "finished"]
        sign = 1 if is_higher_better(metric) else -1
        return max(done or known, key=lambda row: sign * row.metrics[metric], default=None)

    def worse(self, higher: bool) -> bool:
        """Return whether it is worse than the best beyond the noise of the seeds."""
        if self.difference is None:
            return False
        return self.difference[1] < 0 if higher else self.difference[0] > 0


def label_of(values: dict[str, Any]) -> str:
    """Return settings in a few words: `latent_dim 3, lr 0.01`."""
    parts = [f"{key.rpartition('.')[2]} {setting_text(value)}" for key, value in values.items()]
    return ", ".join(parts) or "the preset"


def is_higher_better(metric: str) -> bool:
    """Return whether the best value is the largest; losses and unknown ones are best small."""
    return spec_of(metric).direction == "higher"


def grouped(snapshot: SweepSnapshot, metric: str) -> list[Group]:
    """Return the groups, the best mean first; those without a value come last.

    Only runs that have finished count: a metric of a run that still trains will change.
    """
    found: dict[str, list[SweepRow]] = {}
    for row in snapshot.rows:
        values = {key: value for key, value in row.run.values.items() if key != SEED}
        found.setdefault(repr(sorted(values.items())), []).append(row)
    groups = []
    for rows in found.values():
        done = [row for row in rows if row.state == "finished" and metric in row.metrics]
        spread = Spread(
            tuple(row.metrics[metric] for row in done),
            tuple(row.run.values.get(SEED) for row in done),
        )
        values = {key: value for key, value in rows[0].run.values.items() if key != SEED}
        groups.append(Group(values, tuple(rows), spread))
    higher = is_higher_better(metric)
    known = [group for group in groups if group.spread.count]
    known.sort(key=lambda group: -group.spread.mean if higher else group.spread.mean)
    others = [group for group in groups if not group.spread.count]
    intervals = difference_intervals([group.spread for group in known], 0)
    compared = [
        Group(group.values, group.rows, group.spread, interval)
        for group, interval in zip(known, intervals, strict=True)
    ]
    return [*compared, *others]


def single_runs(snapshot: SweepSnapshot, metric: str) -> list[Group]:
    """Return each run as a group of its own, the best first; those without a value come last."""
    groups = []
    for row in snapshot.rows:
        known = (row.metrics[metric],) if metric in row.metrics else ()
        groups.append(Group(dict(row.run.values), (row,), Spread(known)))
    sign = -1 if is_higher_better(metric) else 1
    return sorted(groups, key=lambda group: (group.value is None, sign * (group.value or 0.0)))


def nothing_drawn(groups: Sequence[Group]) -> str:
    """Say in the place of a picture why it is empty, where no run has a value."""
    if all(group.over for group in groups):
        return "There is nothing to draw: no run has finished with a value."
    return "The first run that finishes is drawn here."


def verdict(groups: Sequence[Group], metric: str) -> str:
    """Say in a sentence or two which settings are best so far, if the seeds allow it."""
    known = [group for group in groups if group.spread.count]
    spec, higher = spec_of(metric), is_higher_better(metric)
    if not known and all(group.over for group in groups):
        runs = sum(len(group.rows) for group in groups)
        failed = sum(group.count("failed") for group in groups)
        told = f": {failed} of {runs} failed" if failed else ""
        return f"No run has finished with a value of {spec.short}{told}."
    if not known:
        return f"No run has finished with a value of {spec.short} yet."
    best = known[0]
    runs = best.spread.count
    single = f"{spec.short} {number(best.spread.mean)}"
    mean = f"mean {single} over {runs} seeds" if runs > 1 else f"{single} with one seed"
    most = "Highest" if higher else "Lowest"
    if len(known) == 1 and len(groups) > 1:
        return f"Only {best.label} has finished: {mean if runs > 1 else single}."
    if len(known) == 1:
        told = f"{mean}, standard deviation {number(best.spread.deviation, 2)}"
        return f"{told[0].upper()}{told[1:]}." if runs > 1 else f"{single}."
    if best.difference is None and known[1].difference is None:
        return (
            f"{most}: {best.label}, {single}. With one seed each, this may be chance: "
            "--seeds 3 shows the noise."
        )
    unclear = [group for group in known[1:] if not group.worse(higher)]
    if not unclear:
        rest = "the other is" if len(known) == 2 else f"all {len(known) - 1} others are"
        return f"Best: {best.label}, {mean}; {rest} worse."
    names = "; ".join(group.label for group in unclear[:_NAMED])
    more = f" and {len(unclear) - _NAMED} more" if len(unclear) > _NAMED else ""
    return f"{most}: {best.label}, {mean}. Within the noise of the seeds: {names}{more}."
