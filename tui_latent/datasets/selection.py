"""Select images of a source and their labels: classes, caps, splits, merged classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tui_latent.runtime.near_names import near_names
from tui_latent.sources.errors import DataError
from tui_latent.sources.naming import composed

Rows = NDArray[np.int64]
SPLIT_SEED = 20_240_501
"""fixed, so that all runs hold out the same images and can be compared"""


def chosen_classes(class_names: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Return the indices of the wanted classes, in the order of the source; all if none is named.

    DataError names an unknown class and the most similar known one.
    """
    if wanted and not class_names:
        raise DataError("data.classes: the images have no classes to choose from: remove it")
    known = {composed(name) for name in class_names}
    for name in wanted:
        if composed(name) not in known:
            raise DataError(f"data.classes: {_unknown(name, class_names)}")
    kept = {composed(name) for name in wanted}
    return [i for i, name in enumerate(class_names) if not kept or composed(name) in kept]


def merged_classes(
    class_names: Sequence[str], merge: Mapping[str, Sequence[str]]
) -> tuple[Rows, tuple[str, ...]]:
    """Return the target of each class and the names of the targets.

    A class that is not merged is its own target. DataError names a class that is unknown or in
    two groups, or a group that has no class or the name of a class outside it.
    """
    if merge and not class_names:
        raise DataError("data.merge: the images have no classes to merge: remove it")
    known = {composed(name): name for name in class_names}
    group_of: dict[str, str] = {}
    for group, members in merge.items():
        if not members:
            raise DataError(f"data.merge: '{group}' has no class: add one or remove it")
        for written in members:
            member = written if written in class_names else known.get(composed(written), "")
            if not member:
                raise DataError(f"data.merge: '{group}': {_unknown(written, class_names)}")
            if group_of.get(member, group) != group:
                raise DataError(
                    f"data.merge: class '{member}' is in '{group_of[member]}' and in '{group}': "
                    "remove it from one"
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
    """Return the rows whose class is in `kept` (ascending), and their labels as indices into it."""
    rows = np.flatnonzero(np.isin(labels, kept))
    return rows, np.searchsorted(kept, labels[rows])


def capped(labels: Rows, per_class: int, seed: int) -> Rows:
    """Return at most `per_class` random rows of each class, drawn by `seed`.

    Images without a class count as one more class.
    """
    random = np.random.default_rng(seed)
    order = random.permutation(len(labels))
    keep = [order[labels[order] == label][:per_class] for label in np.unique(labels)]
    return np.sort(np.concatenate(keep)) if keep else order


def stratified_split(labels: Rows, fraction: float) -> tuple[Rows, Rows]:
    """Return the rows to train on and those to hold out: `fraction` of each class.

    For pairs, at least two images of a class are held out if it has four. A class with a single
    image has none held out. Images without a class count as one more class.
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
    close = near_names(name, known)
    if close:
        return f"no class '{name}'; did you mean '{close[0]}'?"
    listed = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
    return f"no class '{name}'; there are {listed}"
