"""Find an image by its number, or the next one of a class by its name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def next_match(
    query: str,
    class_names: Sequence[str],
    labels: NDArray[np.integer],
    here: int,
    way: int = 1,
    positions: NDArray[np.int64] | None = None,
) -> int | None:
    """Return the point that matches a query, None if there is none.

    A number is that of an image; `positions` are the numbers of the points, by default their rows.

    A class's whole name comes first, so that "4" finds digits of the class 4 and "#4" the image
    of that number; then a number; then a part of a class's name. Of a class, the next image
    after `here`, and from the start again; with a `way` of -1 the one before, and from the end.
    """
    wanted = query.strip().casefold()
    names = [name.casefold() for name in class_names]
    exact = [index for index, name in enumerate(names) if name == wanted]
    number = wanted.lstrip("#").replace(",", "").replace("\u2009", "")
    if number.isdecimal() and (not exact or wanted.startswith("#")):
        rows = np.arange(len(labels)) if positions is None else positions
        at = np.flatnonzero(rows == min(int(number), np.iinfo(np.int64).max))
        return int(at[0]) if len(at) else None
    classes = exact or [index for index, name in enumerate(names) if wanted and wanted in name]
    found = np.flatnonzero(np.isin(labels, classes))
    if not len(found):
        return None
    if way < 0:
        before = found[found < here]
        return int(before[-1] if len(before) else found[-1])
    later = found[found > here]
    return int(later[0] if len(later) else found[0])
