"""What a confusion matrix says in words: the classes that are confused most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def confused_pairs(
    confusion: Sequence[Sequence[int]] | NDArray[np.integer[Any]], most: int
) -> list[tuple[int, int, int]]:
    """Return (true class, predicted class, images) of the pairs confused most, the worst first.

    Rows of `confusion` are the true classes.
    """
    wrong = np.array(confusion, dtype=np.int64)
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:most].tolist()
    pairs = [divmod(place, len(wrong)) for place in order]
    return [
        (truth, called, int(wrong[truth, called]))
        for truth, called in pairs
        if wrong[truth, called]
    ]
