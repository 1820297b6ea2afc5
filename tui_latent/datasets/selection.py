"""Which images of a source are used, and under which labels: classes, caps, splits, composites."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tui_latent.sources.errors import DataError
from tui_latent.sources.naming import plain_text

Rows = NDArray[np.int64]
SPLIT_SEED = 20_240_501
"""the same images are held out whatever the run's seed, so that runs compare"""


def chosen_classes(class_names: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Return the positions of the wanted classes, in the source's order; all when none is named.

    DataError names an unknown class and the nearest known one.
    """
    known = {plain_text(name) for name in class_names}
    for name in wanted:
        if plain_text(name) not in known:
            raise DataError(f"data.classes: {_unknown(name, class_names)}")
    kept = {plain_text(name) for name in wanted}
    return [i for i, name in enumerate(class_names) if not kept or plain_text(name) in kept]


def merged_classes(
    class_names: Sequence[str], merge: Mapping[str, Sequence[str]]
) -> tuple[Rows, tuple[str, ...]]:
    """Return each class's target, and the targets' names; classes not merged keep their own.

    DataError names a class that is unknown or in two groups, and a group without a class or with
    the name of a class outside it.
    """
    group_of: dict[str, str] = {}
    for group, members in merge.items():
        if not members:
            raise DataError(f"data.merge: '{group}' has no class: name some or remove it")
        for member in members:
            if member not in class_names:
                raise DataError(f"data.merge: '{group}': {_unknown(member, class_names)}")
            if group_of.get(member, group) != group:
                raise DataError(
                    f"data.merge: class '{member}' is in '{group_of[member]}' and in '{group}': "
                    "keep it in one"
                )
            group_of[member] = group
    for group in merge:
        if group in class_names and group_of.get(group) != group:
            raise DataError(
                f"data.merge: '{group}' is also a class outside that group: choose another name"
            )
    names = list(dict.fromkeys(group_of.get(name, name) for name in class_names))
    targets = [names.index(group_of.get(name, name)) for name in class_names]
    return np.array(targets, dtype=np.int64), tuple(names)


def keep_classes(labels: Rows, kept: Sequence[int]) -> tuple[Rows, Rows]:
    """Return the rows whose class is in `kept` (rising), and their labels as positions in it."""
    rows = np.flatnonzero(np.isin(labels, kept))
    return rows, np.searchsorted(kept, labels[rows])


def capped(labels: Rows, per_class: int, seed: int) -> Rows:
    """Return the rows left when at most `per_class` of a class are kept, drawn by `seed`."""
    random = np.random.default_rng(seed)
    order = random.permutation(len(labels))
    keep = [order[labels[order] == label][:per_class] for label in np.unique(labels)]
    return np.sort(np.concatenate(keep)) if keep else order


def stratified_split(labels: Rows, fraction: float) -> tuple[Rows, Rows]:
    """Return the rows to train on and those held out: `fraction` of every class.

    At least two of a class are held out where it has four images, so that pairs can be made of
    them; a class of one image has none held out.
    """
    random = np.random.default_rng(SPLIT_SEED)
    held_out = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        half = len(rows) // 2
        count = max(round(fraction * len(rows)), min(2, half))
        held_out[random.permutation(rows)[: min(count, max(len(rows) - 2, half))]] = True
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def _unknown(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"no class '{name}'; nearest is '{close[0]}'"
    listed = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
    return f"no class '{name}'; there are {listed}"
