"""Read a table of images from a text file: CSV, TSV or JSON Lines."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Final, Protocol

from tui_latent.datasets.folder_entries import names_an_image
from tui_latent.datasets.manifest.table import Table
from tui_latent.nouns import counted
from tui_latent.runtime.regular_files import open_regular
from tui_latent.runtime.sanitize import plain_name
from tui_latent.sources.errors import DataError

DELIMITED: Final = (".csv", ".tsv", ".txt", ".tab", ".psv", ".lst")
JSON_LINES: Final = (".jsonl", ".ndjson")
_LONGEST_CELL: Final = 1 << 20
_BETWEEN: Final = ",;\t|"
_SEPARATOR: Final = re.compile(r"sep=(.)\r?\n?", re.I)
"""the first line that Excel writes before others, to name the separator"""
_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class _Reader(Protocol):
    """What `csv.reader` returns."""

    @property
    def line_num(self) -> int: ...

    def __iter__(self) -> Iterator[list[str]]: ...


def read_delimited(path: Path, poll: Callable[[], None]) -> Table:
    """Read a file of comma-, semicolon-, tab- or pipe-separated values.

    The first line has the titles, unless one of its cells is an image: then the columns are called
    `path`, `label`, if there are two, and by their numbers. DataError names file and line.
    """
    try:
        with open_regular(path) as binary:
            text = io.TextIOWrapper(binary, _encoding(path), newline="")
            start, before, between = _start(path, text)
            text.seek(start)
            cells = csv.reader(text, delimiter=between, skipinitialspace=True, strict=True)
            try:
                return _parsed(path, cells, before, between, poll)
            except csv.Error as error:
                raise DataError(
                    f"{path}: line {cells.line_num + before:,} cannot be divided into cells: "
                    f"{error}: put a cell that contains double quotes in double quotes, and "
                    'double those inside: "a ""b"" c"'
                ) from error
    except UnicodeError as error:
        raise DataError(f"{path}: it is not UTF-8 text: save it as UTF-8") from error


def read_json_lines(path: Path, poll: Callable[[], None]) -> Table:
    """Read a file with a JSON object per line; DataError names file and line."""
    rows: list[dict[str, object]] = []
    lines = []
    try:
        with open_regular(path) as binary:
            text = io.TextIOWrapper(binary, _encoding(path))
            for number, line in enumerate(text, start=1):
                poll()
                if not line.strip():
                    continue
                try:
                    row = json.loads(line)
                except (json.JSONDecodeError, RecursionError) as error:
                    why = error.msg if isinstance(error, json.JSONDecodeError) else "too deep"
                    raise DataError(f"{path}: line {number:,} is not JSON: {why}") from error
                if not isinstance(row, dict):
                    raise DataError(f"{path}: line {number:,} is not a JSON object: {{…}}")
                rows.append(row)
                lines.append(number)
    except UnicodeError as error:
        raise DataError(f"{path}: it is not UTF-8 text: save it as UTF-8") from error
    columns, nested = columns_of(rows)
    return Table(path, columns, path.parent, lines=lines, notes=nested_note(nested))


def joined(path: Path, tables: Sequence[tuple[str, Table]]) -> Table:
    """Return the rows of text tables, (split, table), as one; missing columns have no value."""
    titles = list(dict.fromkeys(title for _, table in tables for title in table.columns))
    columns: dict[str, list[object]] = {title: [] for title in titles}
    splits: list[str] = []
    files: list[str] = []
    for split, table in tables:
        none = [None] * len(table)
        for title, cells in columns.items():
            cells += table.columns.get(title, none)
        splits += [split] * len(table)
        files += [table.path.name] * len(table)
    lines = [line for _, table in tables for line in table.lines]
    notes = tuple(dict.fromkeys(note for _, table in tables for note in table.notes))
    commas = any(table.commas for _, table in tables)
    return Table(
        path, columns, path, splits=splits, lines=lines, files=files, commas=commas, notes=notes
    )


def columns_of(rows: list[dict[str, object]]) -> tuple[dict[str, list[object]], list[str]]:
    """Return the plain values of objects by key, None where one is missing, and the other keys."""
    titles = list(dict.fromkeys(key for row in rows for key in row))
    columns, nested = {}, []
    for title in titles:
        cells = [row.get(title) for row in rows]
        if any(isinstance(cell, (dict, list, bytes)) for cell in cells):
            nested.append(title)
        else:
            columns[title] = cells
    return columns, nested


def nested_note(names: list[str]) -> tuple[str, ...]:
    """Return a remark on columns that do not hold one value per image, if there are any."""
    if not names:
        return ()
    shown = ", ".join(plain_name(name, 40) for name in names[:6])
    more = ", …" if len(names) > 6 else ""
    return (f"columns that are not kept, because they hold lists or tables: {shown}{more}",)


def _parsed(
    path: Path, reader: _Reader, before: int, between: str, poll: Callable[[], None]
) -> Table:
    """Return the table that begins after `before` lines."""
    csv.field_size_limit(_LONGEST_CELL)
    rows = ((reader.line_num + before, cells) for cells in reader if any(map(str.strip, cells)))
    first = next(rows, None)
    if first is None:
        raise DataError(f"{path}: it is empty: write a line per image, below the line path,label")
    headless = any(map(names_an_image, first[1]))
    titles = _titles_of_row(first[1]) if headless else _titles(first[1])
    columns: list[list[object]] = [[] for _ in titles]
    lines: list[int] = []
    for line, cells in chain([first] if headless else [], rows):
        poll()
        while len(cells) > len(columns) and not cells[-1].strip():
            cells = cells[:-1]  # a separator at the end of the line
        if len(cells) != len(columns):
            raise DataError(
                f"{path}: line {line:,} has {counted(len(cells), 'cell')}, the "
                f"first line {len(columns):,}: put cells with '{between}' into double quotes"
            )
        lines.append(line)
        for column, cell in zip(columns, cells, strict=True):
            column.append(cell)
    named = dict(zip(titles, columns, strict=True))
    notes: tuple[str, ...] = ()
    if headless and len(titles) > 2:
        notes = (
            "the table has no line of titles, so its columns have numbers: data.label_column names "
            f"that of the classes, such as '{next(t for t in titles if t != 'path')}'",
        )
    return Table(path, named, path.parent, lines=lines, commas=between != ",", notes=notes)


def _titles_of_row(row: list[str]) -> list[str]:
    """Return titles for the columns of a table without a header, by its first row."""
    titles = [f"column {number}" for number in range(1, len(row) + 1)]
    image = next(i for i, cell in enumerate(row) if names_an_image(cell))
    titles[image] = "path"
    if len(row) == 2:
        titles[1 - image] = "label"
    return titles


def _titles(header: list[str]) -> list[str]:
    """Return the titles of a header, each a different one."""
    found: dict[str, None] = {}
    for number, cell in enumerate(header, start=1):
        title = plain_name(cell.strip()) or f"column {number}"
        if title in found:
            title = f"{title} ({number})"
        found[title] = None
    return list(found)


def _encoding(path: Path) -> str:
    with open_regular(path) as file:
        start = file.read(4)
    if mark := next((name for mark, name in _BYTE_ORDER_MARKS if start.startswith(mark)), ""):
        return mark
    return {(True, False): "utf-16-be", (False, True): "utf-16-le"}.get(
        (start[:1] == b"\0", start[1:2] == b"\0"), "utf-8"
    )


def _start(path: Path, text: io.TextIOWrapper) -> tuple[int, int, str]:
    """Return where the table begins, the number of lines before it, and what separates cells.

    Remarks (# …) and empty lines may come before it.
    """
    before = start = 0
    line = text.readline()
    if named := _SEPARATOR.fullmatch(line):
        return text.tell(), 1, named[1]
    while line and (not line.strip() or _is_remark(line)):
        before, start = before + 1, text.tell()
        line = text.readline()
    return start, before, _delimiter(path, line, text.readline())


def _is_remark(line: str) -> bool:
    return line.startswith("#") and not any(mark in line for mark in _BETWEEN)


def _delimiter(path: Path, line: str, next_line: str) -> str:
    """Return what separates cells: tabs in .tsv, else what the first line has most of.

    Spaces, if there is nothing else and a line begins with an image: `cats/1.png 0`.
    """
    if path.suffix.casefold() in (".tsv", ".tab") and "\t" in line:
        return "\t"
    if not any(mark in line for mark in _BETWEEN):
        for words in (line.split(), next_line.split()):
            if len(words) > 1 and names_an_image(words[0]):
                return " "
    return max(_BETWEEN, key=line.count)
