"""Columns of a table of images: what it says about each image besides its class; numpy only."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.runtime.sanitize import plain_name
from tui_latent.sources.naming import natural_order

MISSING_TEXTS: Final = frozenset({"", "na", "n/a", "nan", "null", "none", "<na>", "nat"})
"""cells without a value, in any case"""
_NUMBER: Final = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?inf(?:inity)?", re.I)
_DECIMAL_COMMA: Final = re.compile(r"[-+]?\d*,\d+(?:[eE][-+]?\d+)?")
_PADDED: Final = re.compile(r"[-+]?0\d+")
_EXACT: Final = 2**53
"""integers beyond it are not exact as floats: these are ids"""
LONGEST_TEXT: Final = 1000
"""characters of a cell that are kept"""


@dataclass(frozen=True, eq=False)
class Column:
    """One value for each image: a number, or a text."""

    name: str
    numbers: NDArray[np.float64] | None
    """(N,), NaN where there is no value; None for texts"""
    codes: NDArray[np.int32]
    """(N,) positions in `texts`, -1 where there is no value; empty for numbers"""
    texts: tuple[str, ...]
    """the different texts in natural order; empty for numbers"""

    def __len__(self) -> int:
        return len(self.codes if self.numbers is None else self.numbers)

    @property
    def missing(self) -> NDArray[np.bool_]:
        """(N,) whether an image has no value."""
        return self.codes < 0 if self.numbers is None else np.isnan(self.numbers)

    def take(self, rows: NDArray[np.integer]) -> Column:
        """Return the values of some rows."""
        if self.numbers is None:
            return replace(self, codes=self.codes[rows])
        return replace(self, numbers=self.numbers[rows])

    def text(self, row: int) -> str:
        """Return a value as a table writes it; empty if there is none."""
        if self.numbers is None:
            code = int(self.codes[row])
            return self.texts[code] if code >= 0 else ""
        number = float(self.numbers[row])
        if math.isnan(number):
            return ""
        return str(int(number)) if number.is_integer() else repr(number)


def column_of(name: str, cells: Sequence[object], commas: bool = False) -> Column:
    """Return the values of a column, one per cell: numbers if all cells with a value are numbers.

    Numbers written with leading zeros (007) and integers beyond 2^53 are names, so they are texts.
    `commas` says that numbers may have decimal commas. Texts are cut at LONGEST_TEXT characters.
    """
    numbers = _numbers(cells, commas)
    if numbers is not None:
        return Column(name, numbers, np.zeros(0, np.int32), ())
    texts = [_text(cell) for cell in cells]
    known = tuple(natural_order(set(texts) - {""}))
    code = {text: position for position, text in enumerate(known)} | {"": -1}
    return Column(name, None, np.array([code[text] for text in texts], np.int32), known)


def texts_of(cells: Iterable[object]) -> list[str]:
    """Return cells as texts; those without a value are empty."""
    return [_text(cell) for cell in cells]


def _numbers(cells: Sequence[object], commas: bool) -> NDArray[np.float64] | None:
    """Return the cells as numbers, NaN without a value; None if one is not a number, or no cell has
    a value."""
    numbers = np.full(len(cells), np.nan)
    some = False
    for row, cell in enumerate(cells):
        if isinstance(cell, bool):
            return None
        if isinstance(cell, str):
            text = cell.strip()
            if text.casefold() in MISSING_TEXTS:
                continue
            if commas and _DECIMAL_COMMA.fullmatch(text):
                text = text.replace(",", ".")
            if not _NUMBER.fullmatch(text) or _PADDED.fullmatch(text):
                return None
            cell = float(text) if not text.lstrip("+-").isdecimal() else int(text)
        if cell is None:
            continue
        if not isinstance(cell, (int, float)) or (isinstance(cell, int) and abs(cell) > _EXACT):
            return None
        numbers[row] = cell
        some = some or not math.isnan(numbers[row])
    return numbers if some else None


def _text(cell: object) -> str:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    text = " ".join(plain_name(str(cell), LONGEST_TEXT).split())
    return "" if text.casefold() in MISSING_TEXTS else text
