"""What files say about their vectors besides ids and labels: it colours and filters the map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.opening.columns import ROW_NUMBERS
from tui_latent.opening.vectors import Column as Values
from tui_latent.opening.vectors import VectorFile
from tui_latent.runtime.sanitize import plain_name
from tui_latent.sources.files.columns import Column, column_of

_NAMED: Final = 6
"""columns that a sentence names"""
_MOST: Final = 64
"""columns that are kept"""
_PLAIN: Final = (str, int, float, np.integer, np.floating, np.bool_, type(None))
"""types of cells that have one value to show"""


def further_columns(
    files: Sequence[VectorFile], taken: Sequence[str], rows: Sequence[NDArray[np.int64]]
) -> tuple[tuple[Column, ...], list[str]]:
    """Return what the files say about each vector, and sentences about it.

    `taken` names the columns that were asked for otherwise, and `rows` has each file's row of each
    vector, (n,). Of several files with a column of one name, the first is read. Columns of lists,
    of images and of arrays are not kept.
    """
    found: dict[str, Column] = {}
    others: dict[str, None] = {}
    for file, of in zip(files, rows, strict=True):
        used = {file.found("ids"), file.found("labels"), *taken}
        for name, read in file.columns.items():
            if name in used or not name.strip() or name.casefold() in ROW_NUMBERS or name in found:
                continue
            cells = _cells(read(), of) if len(found) < _MOST else None
            if cells is None:
                others[name] = None
            else:
                found[name] = column_of(plain_name(name), cells)
    told = []
    if found:
        told.append(f"{_listed(list(found))}: the map can be coloured and filtered by "
                    f"{'it' if len(found) == 1 else 'them'}")  # fmt: skip
    if others := {name: None for name in others if name not in found}:
        told.append(f"not used: {_listed(list(others))} (--labels, --ids and --images can name "
                    "columns)")  # fmt: skip
    return tuple(found.values()), told


def _cells(values: Values, rows: NDArray[np.int64]) -> list[Any] | None:
    """Return the values of some rows as Python's own; None if a row has more than one value."""
    if isinstance(values, np.ndarray):
        if values.ndim != 1 or values.dtype.kind not in "buifU":
            return None
        cells: list[Any] = values[rows].tolist()
        return cells
    cells = [values[row] for row in rows.tolist()]
    if not all(isinstance(cell, _PLAIN) for cell in cells):
        return None
    return [cell.item() if isinstance(cell, np.generic) else cell for cell in cells]


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(plain_name(name) for name in names[:_NAMED])
    more = ", …" if len(names) > _NAMED else ""
    return f"column{'s' if len(names) > 1 else ''} {shown}{more}"
