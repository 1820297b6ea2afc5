"""The settings that a sweep varies, and the values that they have in its runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tui_latent.runs.sweep_folder import SEED
from tui_latent.sweeps.groups import Group
from tui_latent.sweeps.reading import SweepSnapshot

_MOST_VALUES: Final = 12
"""values of a setting of a heat map at most"""


def varied(sweep: SweepSnapshot) -> list[str]:
    """Return the keys of the settings that are varied, without the seed."""
    return [key for key in sweep.manifest.axes if key != SEED]


def listed_axes(sweep: SweepSnapshot, groups: Sequence[Group]) -> list[str]:
    """Return the varied settings that have few enough values for a side of a heat map."""
    return [key for key in varied(sweep) if 1 < len(values_of(groups, key)) <= _MOST_VALUES]


def values_of(groups: Sequence[Group], key: str) -> list[Any]:
    """Return the values that a setting has in the groups, numbers by size."""
    found: dict[str, Any] = {}
    for group in groups:
        if key in group.values:
            found.setdefault(repr(group.values[key]), group.values[key])
    values = list(found.values())
    numbers = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)
    return sorted(values) if numbers else values
