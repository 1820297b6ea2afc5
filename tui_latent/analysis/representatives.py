"""One point for each cell of a map, where an image stands for all that lie there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def most_central(cells: NDArray[np.int64], distances: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return the point of each occupied cell that is nearest to the cell's centre.

    `cells` (N,) numbers the cell of each point, `distances` (N,) are to its centre; the result is
    in the order of the cells. Of points equally near, the first is taken.
    """
    order = np.lexsort((distances, cells))
    _, first = np.unique(cells[order], return_index=True)
    return np.asarray(order[first], dtype=np.int64)
