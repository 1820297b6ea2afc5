"""Vectors in .csv and .tsv: a column for each number, or one column with all of them."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.nouns import counted
from tui_latent.opening.errors import OpenError
from tui_latent.opening.vectors import RESERVED, Column, VectorFile, rows_at_once
from tui_latent.runtime.regular_files import open_regular
from tui_latent.runtime.sanitize import plain_name

EMPTY: Final = frozenset({"", "na", "n/a", "nan", "null", "none"})
"""cells without a number, in any case"""
_NO_DIMENSION: Final = frozenset(
    {"", "index", "unnamed: 0", "image", "images", *RESERVED["ids"], *RESERVED["labels"]}
)
"""titles of columns that are not part of a vector, even where they are numbers"""
_BETWEEN: Final = re.compile(r"[\s,;]+")
_DECIMAL_COMMA: Final = re.compile(r"\s*[-+]?\d*,\d+(?:[eE][-+]?\d+)?\s*")
_DECIMAL_POINT: Final = re.compile(r"\s*[-+]?\d*\.\d+(?:[eE][-+]?\d+)?\s*")
_LONGEST_CELL: Final = 1 << 24
_LOOKED_AT: Final = 100
"""rows that tell which columns have numbers"""


@dataclass(frozen=True, eq=False)
class Table:
    """A text table: titles, which are empty without a header, and its rows of cells."""

    path: Path
    titles: tuple[str, ...]
    first_line: int
    """line of the file in which the first row stands, from 1"""
    width: int
    commas: bool = False
    """whether numbers have decimal commas, as spreadsheets write them in many languages"""

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Read each row with its line, decimal commas as points; OpenError where one has more or
        fewer cells."""
        for line, cells in _lines(self.path):
            if line < self.first_line or (cells == [""] and self.width > 1):
                continue
            if len(cells) != self.width:
                raise OpenError(
                    f"{self.path}: line {line:,} has {counted(len(cells), 'cell')}, the "
                    f"lines before it {self.width:,}"
                )
            yield line, _with_points(cells) if self.commas else cells

    def name(self, column: int) -> str:
        """Return a column's title, or else its number from 1."""
        return self.titles[column] if self.titles else str(column + 1)

    @property
    def has_named_titles(self) -> bool:
        """Whether the header is certainly one: it names ids or labels."""
        return any(title.casefold() in _NO_DIMENSION - {""} for title in self.titles)

    def without_header(self) -> Table:
        """Return the table whose first line is a row like the others."""
        return replace(self, titles=(), first_line=1)

    def column(self, number: int) -> list[str]:
        """Read the cells of a column."""
        return [cells[number] for _, cells in self.rows()]


def read_table(path: Path) -> Table:
    """Find out the shape of a table and whether its first line is a header.

    It is one if it has no number and the second line has one, if one of its cells is a known title
    (`id`, `label`, …), or if its numbers count the columns. OpenError when the file is empty.
    """
    lines = _lines(path)
    first, second = next(lines, None), next(lines, None)
    if first is None:
        raise OpenError(f"{path}: is empty")
    commas = _has_decimal_commas(path)
    cells = first[1]
    if commas:
        cells, second = _with_points(cells), second and (second[0], _with_points(second[1]))
    numbers = [cell for cell in cells if _is_number(cell)]
    after = second is not None and any(
        _is_number(cell) or _list(cell) is not None for cell in second[1]
    )
    known = any(cell.strip().casefold() in _NO_DIMENSION - {""} for cell in cells)
    header = (after or known) if not numbers else _counts_up(numbers)
    titles = tuple(cell.strip() for cell in first[1]) if header else ()
    start = second[0] if header and second is not None else first[0] + header
    return Table(path, titles, start, len(cells), commas)


def open_delimited(path: Path, name: str | None, taken: Collection[str] = ()) -> VectorFile:
    """Open a table whose numbers are the vectors; OpenError when it has none.

    The other columns, those named in `taken` among them, can be ids and labels.
    """
    table = read_table(path)
    start = list(islice(table.rows(), _LOOKED_AT))
    if not start:
        raise OpenError(f"{path}: has a header, but no rows")
    cells = start[0][1]
    lists = {table.name(i): i for i, cell in enumerate(cells) if _list(cell) is not None}
    if name is not None and name not in lists:
        raise OpenError(
            f"{path}: has no column '{name}' with lists of numbers"
            + (f": it has {', '.join(map(plain_name, lists))}" if lists else "")
        )
    if lists:
        wanted = [lists[name] if name is not None else next(iter(lists.values()))]
    else:
        wanted = [
            i
            for i in range(table.width)
            if table.name(i).casefold() not in _NO_DIMENSION
            and table.name(i) not in taken
            and _has_numbers([cells[i] for _, cells in start])
        ]
    if not wanted:
        raise OpenError(f"{path}: line {start[0][0]:,} has no numbers: vectors are needed")
    blocks, others = _parsed(table, wanted, bool(lists))
    rows = sum(map(len, blocks))
    if rows < 2:
        raise OpenError(f"{path}: has one vector: at least two are needed")
    columns: dict[str, Callable[[], Column]] = {
        table.name(i): _kept(values) for i, values in others.items()
    }
    return VectorFile(path, path.name, rows, blocks[0].shape[1], lambda: iter(blocks), columns)


def _parsed(
    table: Table, wanted: list[int], lists: bool
) -> tuple[list[NDArray[np.float32]], dict[int, list[str]]]:
    """Return the vectors in blocks, and the cells of the other columns by their place."""
    chosen = set(wanted)
    others: dict[int, list[str]] = {i: [] for i in range(table.width) if i not in chosen}
    blocks, rows = [], []
    width = None
    for line, cells in table.rows():
        row = _list(cells[wanted[0]]) if lists else _numbers([cells[i] for i in wanted])
        if row is None or None in row:
            place = wanted[0] if row is None else wanted[row.index(None)]
            raise OpenError(
                f"{table.path}: line {line:,}, column {plain_name(table.name(place))}: "
                f"'{plain_name(cells[place], 40)}' is not a number"
            )
        if width is not None and len(row) != width:
            raise OpenError(
                f"{table.path}: line {line:,} has {counted(len(row), 'number')}, the "
                f"first {width:,}: all must have the same length"
            )
        width = len(row)
        rows.append(row)
        for i, values in others.items():
            values.append(cells[i])
        if len(rows) == rows_at_once(width):
            blocks.append(_block(rows))
            rows = []
    return [*blocks, *([_block(rows)] if rows else [])], others


def _block(rows: list[list[float | None]]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        return np.array(rows, dtype=np.float64).astype(np.float32)


def _kept(values: list[str]) -> Callable[[], Column]:
    return lambda: values


def _numbers(cells: list[str]) -> list[float | None]:
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        return [_number(cell) for cell in cells]


def _number(cell: str) -> float | None:
    """Return a cell's number, NaN for an empty cell; None if it is neither."""
    try:
        return float(cell)
    except ValueError:
        return math.nan if cell.strip().casefold() in EMPTY else None


def _is_number(cell: str) -> bool:
    return cell.strip().casefold() not in EMPTY and _number(cell) is not None


def _has_decimal_commas(path: Path) -> bool:
    """Say whether the first rows have numbers with decimal commas and none with a point.

    Where cells are separated by commas, a number with one may as well be a list or have thousands.
    """
    with open_regular(path) as binary, io.TextIOWrapper(binary, "utf-8-sig", "replace") as text:
        if _delimiter(path, text.readline()) == ",":
            return False
    rows = [cells for _, cells in islice(_lines(path), _LOOKED_AT)]
    return any(_DECIMAL_COMMA.fullmatch(cell) for cells in rows for cell in cells) and not any(
        _DECIMAL_POINT.fullmatch(cell) for cells in rows for cell in cells
    )


def _with_points(cells: list[str]) -> list[str]:
    return [cell.replace(",", ".") if _DECIMAL_COMMA.fullmatch(cell) else cell for cell in cells]


def _has_numbers(cells: list[str]) -> bool:
    """Say whether most cells with a value are numbers: the others are then reported as wrong."""
    filled = [cell for cell in cells if cell.strip().casefold() not in EMPTY]
    return 2 * sum(map(_is_number, filled)) > len(filled)


def _counts_up(numbers: list[str]) -> bool:
    """Say whether numbers are 0, 1, 2, … or 1, 2, 3, …, as pandas titles columns."""
    texts = [number.strip() for number in numbers]
    counted = len(texts) > 1
    return counted and any(texts == [str(i + k) for i in range(len(texts))] for k in (0, 1))


def _list(cell: str) -> list[float | None] | None:
    """Return the numbers of a cell such as `[0.1, 2]` or `[0.1 2.]`; None if it is not one."""
    text = cell.strip()
    if not (text.startswith("[") and text.endswith("]")):
        return None
    parts = [part for part in _BETWEEN.split(text[1:-1]) if part]
    numbers = [_number(part) for part in parts]
    return numbers if parts and None not in numbers else None


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Read the lines up to the last that is not empty, each with the number where it ends."""
    csv.field_size_limit(_LONGEST_CELL)
    with open_regular(path) as binary:
        text = io.TextIOWrapper(binary, "utf-8-sig", newline="")
        try:
            between = _delimiter(path, text.readline())
            text.seek(0)
            reader = csv.reader(text, delimiter=between)
            blank = []
            for cells in reader:
                if not cells:
                    blank.append(reader.line_num)
                    continue
                # Within a list of labels an empty line is an image without one.
                yield from ((line, [""]) for line in blank)
                blank = []
                yield reader.line_num, cells
        except UnicodeDecodeError as error:
            raise OpenError(
                f"{path}: is not UTF-8 text ({error.reason}): save it as UTF-8"
            ) from error
        except csv.Error as error:
            raise OpenError(f"{path}: line {reader.line_num:,}: {error}") from error


def _delimiter(path: Path, line: str) -> str:
    """Return what separates cells: tabs in .tsv, else what the first line has most of."""
    if path.suffix.casefold() == ".tsv":
        return "\t"
    return max(",;\t", key=line.count) if any(mark in line for mark in ",;\t") else ","
