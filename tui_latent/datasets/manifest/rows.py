"""Understand the columns of a table of images: which has the images, the classes, the splits."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.config.settings import DataSettings
from tui_latent.datasets.folder_entries import listed, names_an_image
from tui_latent.datasets.manifest.table import Table
from tui_latent.datasets.splits import ROLE_WORDS, Role, role_of_name, split_role
from tui_latent.nouns import counted
from tui_latent.runtime.near_names import near_names
from tui_latent.runtime.sanitize import plain_name, printable
from tui_latent.sources.errors import DataError
from tui_latent.sources.files.columns import Column, column_of, texts_of
from tui_latent.sources.files.raw import UNLABELLED
from tui_latent.sources.naming import (
    LONGEST_CLASS,
    classes_of,
    is_measurement,
    look_alike,
    natural_order,
)

IMAGE_TITLES: Final = (
    *("path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path"),
    *("img", "img_path", "image_file", "image_name", "image_id", "file_id", "fname", "picture"),
    *("name", "id"),
)
"""titles of the column of paths, in any case, the first that is there"""
LABEL_TITLES: Final = (
    *("label", "class", "labels", "class_name", "category", "target", "species", "y", "cls"),
    *("fine_label", "label_name", "class_id", "diagnosis"),
)
SPLIT_TITLES: Final = ("split", "subset", "part", "partition", "set", "fold", "usage")
_FLAGS: Final[Mapping[str, tuple[Role, Role]]] = {
    **dict.fromkeys(("is_train", "is_training", "in_train"), ("train", "test")),
    **dict.fromkeys(("is_valid", "is_val", "is_validation"), ("val", "train")),
    **dict.fromkeys(("is_test", "is_held_out", "held_out"), ("test", "train")),
}
"""titles of columns of true and false, with the splits that these stand for"""
_TRUTHS: Final = {
    **dict.fromkeys(("true", "t", "yes", "y", "1", "1.0"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0", "0.0"), False),
}
_LOOKED_AT: Final = 50
"""rows that show whether a column has paths of images"""
_MOST_CLASSES: Final = 5000
_MOST_SPLITS: Final = 6
_COMMA: Final = re.compile(r"([-+]?\d+),(\d+)")


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a table, understood."""

    image_column: str
    """column with the paths; empty if the images are in the table"""
    label_column: str
    """empty if there is none"""
    labels: NDArray[np.int64]
    """(N,) positions in `class_names`, UNLABELLED where there is no class"""
    class_names: tuple[str, ...]
    roles: tuple[Role | None, ...]
    """(N,) split of each row, None if it is not used; empty if there are no splits"""
    columns: tuple[Column, ...]
    """what else the table says about each row"""
    notes: tuple[str, ...]


def understand(table: Table, settings: DataSettings) -> Rows:
    """Find the columns of a table and read the classes and splits; DataError names a row."""
    if not len(table):
        raise DataError(f"{table.path}: it has a header, but no rows: add a line per image")
    image = "" if table.images is not None else _image_column(table, settings)
    label = _label_column(table, settings, image)
    split, odd = _split_column(table, {image, label})
    notes = [*table.notes, *odd]
    labels, names = _labels(table, label, settings)
    if alike := look_alike(names):
        notes.append(f"classes whose names look alike: {listed(alike)}")
    roles, why = _roles(table, split)
    notes += why
    used = {image} | ({label} if names else set()) | ({split} if roles and split else set())
    columns = tuple(_column(table, title) for title in table.columns if title not in used)
    return Rows(image, label, labels, names, roles, columns, tuple(notes))


def _column(table: Table, title: str) -> Column:
    cells = table.columns[title]
    if names := table.class_names.get(title):
        cells = [names[c] if isinstance(c, int) and 0 <= c < len(names) else None for c in cells]
    return column_of(title, cells, table.commas)


def _image_column(table: Table, settings: DataSettings) -> str:
    """Return the column with the paths of the images."""
    if settings.image_column:
        return _named(table, settings.image_column, "data.image_column")
    if known := _title(table, IMAGE_TITLES):
        return known
    found = [title for title, cells in table.columns.items() if _has_paths(cells)]
    if len(found) == 1:
        return found[0]
    why = "several columns contain image paths" if found else "no column contains image paths"
    shown = ", ".join(found) if found else table.titles()
    raise DataError(
        f"{table.path}: {why} ({shown}): rename one to 'path', or name it in data.image_column"
    )


def _label_column(table: Table, settings: DataSettings, image: str) -> str:
    """Return the column with the classes; empty if there is none."""
    if settings.label_column:
        return _named(table, settings.label_column, "data.label_column")
    if known := _title(table, LABEL_TITLES, but={image}):
        return known
    return next(iter(table.class_names), "") if len(table.class_names) == 1 else ""


def _split_column(table: Table, but: Collection[str]) -> tuple[str, list[str]]:
    """Return the column of splits, or remarks on columns that resemble one and are not used.

    It is the first with a known title that names splits, else the only one that names nothing else.
    """
    known = (*SPLIT_TITLES, *_FLAGS)
    titled = [title for title in table.columns if title not in but and _key(title) in known]
    notes = []
    for title in sorted(titled, key=lambda title: known.index(_key(title))):
        texts = texts_of(table.columns[title])
        if _truths(title, texts) or any(map(role_of_name, set(texts))):
            return title, []
        notes.append(_no_splits(title, natural_order(set(texts))))
    found = []
    for title, cells in table.columns.items():
        values = set(cells)
        if title in {*but, *titled} or not 2 <= len(values) <= _MOST_SPLITS:
            continue
        roles = {text: split_role(text) for text in texts_of(values)}
        odd = [text for text, role in roles.items() if role is None]
        if "train" not in roles.values() or len(set(roles.values())) < 2:
            continue
        if not odd:
            found.append(title)
        elif len(set(roles.values())) > 2 or near_names(odd[0], ROLE_WORDS):
            notes.append(_no_splits(title, odd))
    if len(found) > 1:
        notes.append(f"{listed(found)} look like splits, so neither is used: call one 'split'")
    return ("", notes) if len(found) != 1 else (found[0], [])


def _key(title: str) -> str:
    return title.casefold().replace(" ", "_")


def _no_splits(title: str, odd: Sequence[str]) -> str:
    """Say why a column chooses no splits, by values in it that do not."""
    if _key(title) in _FLAGS:
        why = "it needs true in some rows, false in all others"
    else:
        few = ", ".join(
            f"'{plain_name(text, 40)}'" if text else "an empty cell" for text in odd[:3]
        )
        more = ", …" if len(odd) > 3 else ""
        why = f"it has {few}{more} where train, val or test is needed"
    return f"column {plain_name(title, 40)} does not choose splits: {why}"


def _truths(column: str, texts: Sequence[str]) -> tuple[Role, ...]:
    """Return the splits that a column of yes and no gives, such as `is_valid`; empty for others."""
    roles = _FLAGS.get(_key(column))
    truths = [_TRUTHS.get(text.casefold()) for text in texts] if roles else [None]
    if roles is None or None in truths or len(set(truths)) < 2:
        return ()
    return tuple(roles[0] if truth else roles[1] for truth in truths)


def _named(table: Table, title: str, setting: str) -> str:
    if title in table.columns:
        return title
    close = near_names(title, table.columns)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    raise DataError(
        f"{setting}: {table.path} has no column '{plain_name(title)}'{hint}: "
        f"it has {table.titles()}"
    )


def _title(table: Table, known: Sequence[str], but: Collection[str] = ()) -> str:
    """Return the column with the first of some titles, in any case; empty without one."""
    there = {_key(title): title for title in reversed([*table.columns])}
    return next((there[name] for name in known if there.get(name, "") not in ("", *but)), "")


def _has_paths(cells: Sequence[object]) -> bool:
    texts = [cell.strip() for cell in cells[:_LOOKED_AT] if isinstance(cell, str)]
    return any(texts) and all(names_an_image(text) for text in texts if text)


def _labels(
    table: Table, column: str, settings: DataSettings
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    none = np.full(len(table), UNLABELLED, np.int64)
    if not column or settings.labels == "none":
        return none, ()
    cells = table.columns[column]
    if names := table.class_names.get(column):
        labels = _positions(table, column, cells, names)
        found = np.unique(labels[labels != UNLABELLED])
        there = np.searchsorted(found, labels)
        return np.where(labels == UNLABELLED, labels, there), tuple(names[i] for i in found)
    written = [printable(text) for text in texts_of(cells)]
    if table.commas:
        written = [_COMMA.sub(r"\1.\2", t) if _COMMA.fullmatch(t) else t for t in written]
    texts = classes_of(written)
    for row, text in enumerate(texts):
        if is_measurement(text):
            raise DataError(
                f"{table.path}: {table.place(row)}: {text} in column {plain_name(column)} is not a "
                "class: classes are names or whole numbers. Divide continuous values into groups, "
                "name another column in data.label_column, or set data.labels=none to keep them "
                "as values alone"
            )
        if len(text) > LONGEST_CLASS:
            raise DataError(
                f"{table.path}: {table.place(row)}: a class name has at most {LONGEST_CLASS} "
                f"characters: name another column in data.label_column, or set data.labels=none"
            )
    known = natural_order(set(texts) - {""})
    if len(known) > _MOST_CLASSES:
        raise DataError(
            f"{table.path}: column {plain_name(column)} has {len(known):,} different classes, "
            f"but at most {_MOST_CLASSES:,} are allowed: name another column in data.label_column, "
            "or set data.labels=none"
        )
    place = {text: position for position, text in enumerate(known)} | {"": UNLABELLED}
    return np.array([place[text] for text in texts], np.int64), tuple(known)


def _positions(
    table: Table, column: str, cells: Sequence[object], names: tuple[str, ...]
) -> NDArray[np.int64]:
    """Return labels that the table stores as positions in the names of the classes."""
    labels = np.full(len(table), UNLABELLED, np.int64)
    for row, cell in enumerate(cells):
        if cell is None:
            continue
        if not isinstance(cell, int) or not -1 <= cell < len(names):
            raise DataError(
                f"{table.path}: {table.place(row)}: label {cell} of column {plain_name(column)}, "
                f"but {len(names):,} class names: save the dataset again"
            )
        labels[row] = cell
    return labels


def _roles(table: Table, column: str) -> tuple[tuple[Role | None, ...], list[str]]:
    """Return the split of each row, and remarks on rows of no known split."""
    if column:
        texts = texts_of(table.columns[column])
        if flagged := _truths(column, texts):
            return flagged, []
        if not any(map(role_of_name, set(texts))):
            return (), []  # a fold, a part of something else: a column like any other
    elif any(map(role_of_name, set(table.splits))):
        texts = list(table.splits)
    else:
        return (), []
    known = {text: role_of_name(text) for text in set(texts)}
    odd = natural_order(text for text, role in known.items() if role is None)
    if column and odd:
        row = texts.index(odd[0])
        what = f"'{plain_name(odd[0])}' is not a split" if odd[0] else "there is no split"
        raise DataError(
            f"{table.path}: {table.place(row)}, column {plain_name(column)}: {what}: write train, "
            "val or test in every row, or rename the column"
        )
    counts = {text: texts.count(text) for text in odd if text}
    notes = [f"not used: {counted(n, 'image')} of '{plain_name(t)}'" for t, n in counts.items()]
    return tuple(known[text] for text in texts), notes
