"""Ids and labels: what a column or a file beside the vectors says about each row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.nouns import counted
from tui_latent.opening.delimited import Table, read_table
from tui_latent.opening.errors import OpenError
from tui_latent.opening.numpy_files import read_npy
from tui_latent.opening.vectors import RESERVED, Column, VectorFile
from tui_latent.runs.latents_file import UNLABELLED
from tui_latent.runtime.sanitize import plain_name, printable
from tui_latent.sources.naming import classes_of, is_measurement, natural_order

_MOST_CLASSES: Final = 5000
"""a confusion matrix of more takes 200 MB; so many different labels are ids or numbers"""
ROW_NUMBERS: Final = ("index", "row", "unnamed: 0")
_SHOWN: Final = 8


@dataclass(frozen=True, eq=False)
class Beside:
    """Values of a column or a file, one a row, with ids where it has them."""

    where: str
    values: Column
    ids: list[str] | None = None
    by_row_number: bool = False
    """whether `ids` are numbers of rows, from 0"""


@dataclass(frozen=True, eq=False)
class ClassLabels:
    """The classes of rows."""

    labels: NDArray[np.int64]
    """(N,), positions in `names`; UNLABELLED where a row has no class"""
    names: tuple[str, ...]


def beside(file: VectorFile, named: str, role: str, ids: Sequence[str] | None = None) -> Beside:
    """Read a column of the vectors' file, or a file beside it; `role` is `labels` or `ids`.

    `ids` are those of the vectors, by which a column of ids without a title is recognised.
    OpenError when there is no such column or file, or it cannot be read.
    """
    if (read := file.column(named)) is not None:
        return Beside(f"column {plain_name(named)} of {file.path.name}", read())
    path = Path(named)
    if not path.is_file():
        columns = ", ".join(map(plain_name, list(file.columns)[:_SHOWN])) or "no other columns"
        raise OpenError(
            f"--{role} {named}: there is no such file, and {file.path.name} has no column of that "
            f"name: it has {columns}"
        )
    ending = path.suffix.casefold()
    if ending == ".npy":
        return Beside(path.name, read_npy(path))
    if ending in (".csv", ".tsv", ".txt"):
        return _of_table(read_table(path), role, file.rows, ids)
    raise OpenError(f"--{role} {path}: only .npy, .csv, .tsv and .txt files can be read")


def _of_table(table: Table, role: str, rows: int, known: Sequence[str] | None) -> Beside:
    columns = {i: table.column(i) for i in range(table.width)}
    if table.titles and not table.has_named_titles and len(columns[0]) == rows - 1:
        table = table.without_header()  # its first line looked like one
        columns = {i: table.column(i) for i in range(table.width)}
    titles = [table.name(i).casefold() for i in range(table.width)]
    if not table.titles and len(columns[0]) == rows + 1:  # a header that did not look like one
        titles = [column[0].strip().casefold() for column in columns.values()]
        columns = {i: column[1:] for i, column in columns.items()}
    keys = next((titles.index(name) for name in RESERVED["ids"] if name in titles), None)
    numbered = next((titles.index(name) for name in ROW_NUMBERS if name in titles), None)
    if role == "ids":
        wanted = 0 if keys is None else keys
        return Beside(table.path.name, columns[wanted])
    if keys is None and known is not None and table.width > 1:
        there = set(known)
        matches = {i: sum(cell in there for cell in column) for i, column in columns.items()}
        best = max(matches, key=lambda i: matches[i])
        keys = best if matches[best] else None
    if keys is None and table.width > 1:
        keys = numbered
    named = [titles.index(name) for name in RESERVED["labels"] if name in titles]
    values = next((i for i in (*named, *reversed(columns)) if i != keys), 0)
    return Beside(
        table.path.name,
        columns[values],
        None if keys is None or keys == values else columns[keys],
        keys is not None and keys == numbered and known is None,
    )


def as_ids(found: Beside, rows: int) -> list[str]:
    """Return the ids of all rows, each different; OpenError names what is wrong."""
    ids = [_text(value) for value in _flat(found)]
    if len(ids) != rows:
        raise OpenError(
            f"{found.where} has {counted(len(ids), 'id')}, but there are {rows:,} vectors"
        )
    first: dict[str, int] = {}
    for row, name in enumerate(ids):
        if not name:
            raise OpenError(f"{found.where}: row {row:,} has no id")
        if name in first:
            raise OpenError(
                f"{found.where}: rows {first[name]:,} and {row:,} both have the id "
                f"'{plain_name(name)}': ids must differ"
            )
        first[name] = row
    return ids


def as_labels(found: Beside) -> ClassLabels:
    """Return the class of each value; empty values, NaN and -1 have none. OpenError for others."""
    texts = classes_of([_text(value) for value in _flat(found)])
    if odd := next((text for text in texts if is_measurement(text)), None):
        raise OpenError(
            f"{found.where}: {odd} is not a class: labels are names or whole numbers; divide "
            "continuous values into groups first"
        )
    there = set(texts) - {""}
    if len(there) > _MOST_CLASSES:
        raise OpenError(
            f"{found.where}: has {len(there):,} different labels, but at most "
            f"{_MOST_CLASSES:,} are allowed: are these ids?"
        )
    names = natural_order(there)
    place = {name: position for position, name in enumerate(names)}
    labels = np.fromiter((place.get(text, UNLABELLED) for text in texts), np.int64, len(texts))
    return ClassLabels(labels, tuple(map(printable, names)))


def joined_labels(
    found: Beside, rows: int, ids: Sequence[str] | None, where: str
) -> tuple[ClassLabels, str]:
    """Return the labels of the vectors, and how they were joined in words.

    By id where both have ids, else by row. OpenError when nothing can be joined.
    """
    known = as_labels(found)
    if not known.names:
        raise OpenError(f"{found.where}: has no label: all {len(known.labels):,} are empty")
    if found.by_row_number:
        ids = list(map(str, range(rows)))
    if found.ids is None or ids is None:
        if len(known.labels) != rows:
            here = counted(len(known.labels), "label")
            raise OpenError(
                f"{found.where} has {here}, but {where} has {rows:,} rows: "
                "there must be one for each row, or ids in both by which they are joined (--ids)"
            )
        return known, f"{found.where}, by row"
    labels: dict[str, int] = {}
    for name, label in zip(found.ids, known.labels.tolist(), strict=True):
        if labels.setdefault(name, label) != label:
            raise OpenError(
                f"{found.where}: '{plain_name(name)}' appears twice, with different labels"
            )
    joined = np.fromiter((labels.get(name, UNLABELLED) for name in ids), np.int64, rows)
    matched = sum(name in labels for name in ids)
    if not matched:
        raise OpenError(
            f"{found.where}: none of its ids is an id of {where}: it has "
            f"'{plain_name(found.ids[0])}', the vectors have '{plain_name(ids[0])}'"
        )
    missing = f"; it has none for {counted(rows - matched, 'row')}" if matched < rows else ""
    # Rows of other ids, and a header that did not look like one, have classes of no vector here.
    there = np.unique(joined[joined != UNLABELLED])
    names = tuple(known.names[label] for label in there.tolist())
    places = np.searchsorted(there, joined)
    joined = np.where(joined == UNLABELLED, UNLABELLED, places).astype(np.int64)
    return ClassLabels(joined, names), f"{found.where}, by id{missing}"


def _flat(found: Beside) -> list[Any]:
    values = found.values
    if isinstance(values, list):
        if odd := next((v for v in values if isinstance(v, (list, dict, bytes))), None):
            raise OpenError(f"{found.where}: has a {type(odd).__name__} in each row, not one value")
        return values
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise OpenError(
            f"{found.where}: has the shape {values.shape}: one value is needed for each row"
        )
    flat: list[Any] = values.tolist()
    return flat


def _text(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value).strip()
