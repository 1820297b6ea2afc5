"""A CSV file of classes: which image has which, with or without a header."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from tui_latent.nouns import counted
from tui_latent.runs.schema import RunError
from tui_latent.runtime.regular_files import open_regular
from tui_latent.runtime.sanitize import plain_name
from tui_latent.sources.naming import LONGEST_CLASS, classes_of, is_measurement

_KEYS: Final = (
    *("path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path"),
    *("id", "ids", "index", "row", "number", "name", ""),
)
"""titles of the column that names images, in any case; pandas leaves the index without one"""
_CLASSES: Final = ("class", "label", "labels", "class_name", "category", "target", "species", "y")
_SPLITS: Final = ("split", "part", "set")
_WANTED: Final = "write two columns, the path or index of an image and its class: cats/1.png,cat"


class Entry(NamedTuple):
    """One line."""

    line: int
    image: str
    """path, id or index; with its split before it if the file has a column for that"""
    class_name: str
    """empty if the image has no class"""


def read_label_file(path: Path, known: Callable[[str], bool]) -> list[Entry]:
    """Read which image has which class; a first line that names no image is a header.

    `known` says whether a text names an image. Cells are separated by commas, semicolons or tabs,
    whichever the first line has most of. RunError names the file, the line and what to do.
    """
    rows = _rows(path)
    if not rows:
        raise RunError(f"{path}: it is empty: {_WANTED}")
    columns, header = _columns(path, rows[0][1], known, len(rows))
    given = _classes(rows[header:], columns[1])
    entries = []
    for (line, cells), class_name in zip(rows[header:], given, strict=True):
        if len(cells) <= max(columns):
            raise RunError(
                f"{path}: line {line:,} has {counted(len(cells), 'cell')}, but a "
                f"class was expected in column {columns[1] + 1}: {_WANTED}"
            )
        if not header and len(cells) != 2:
            raise RunError(
                f"{path}: line {line:,} has {len(cells)} cells, but the first line has 2: put "
                "names that contain commas in quotes"
            )
        image = cells[columns[0]].strip()
        if len(columns) > 2 and (split := cells[columns[2]].strip()):
            image = f"{split}/{image}"
        if not image:
            raise RunError(f"{path}: line {line:,} names no image: {_WANTED}")
        if is_measurement(class_name):
            raise RunError(
                f"{path}: line {line:,}: {class_name} is not a class: classes are names or whole "
                "numbers; divide continuous values into groups first"
            )
        entries.append(Entry(line, image, class_name))
        if len(entries[-1].class_name) > LONGEST_CLASS:
            raise RunError(
                f"{path}: line {line:,}: a class name has at most {LONGEST_CLASS} characters"
            )
    return entries


def _classes(rows: Sequence[tuple[int, list[str]]], column: int) -> list[str]:
    """Return the class in each line; none for lines that are too short for one."""
    texts = [cells[column] if column < len(cells) else "" for _, cells in rows]
    return classes_of([" ".join(plain_name(text).split()) for text in texts])


def _columns(
    path: Path, first: Sequence[str], known: Callable[[str], bool], lines: int
) -> tuple[tuple[int, ...], bool]:
    """Return the columns of image, class and perhaps split, and whether there is a header."""
    titles = [cell.strip().casefold() for cell in first]
    keys = [i for i, title in enumerate(titles) if title in _KEYS]
    classes = [i for i, title in enumerate(titles) if title in _CLASSES]
    if len(first) >= 2 and keys and classes and not known(first[keys[0]].strip()):
        splits = [i for i, title in enumerate(titles) if title in _SPLITS]
        named = [i for i in keys if titles[i]] or keys
        return (named[0], classes[0], *splits[:1]), True
    if len(first) != 2:
        raise RunError(
            f"{path}: line 1 has {counted(len(first), 'cell')}: {_WANTED}; if there "
            "are more columns, name these two in a header: path,class"
        )
    # Titles of other kinds, such as "Bild,Art": neither a number nor a file.
    text = first[0].strip()
    header = not known(text) and not any(c.isdigit() for c in text) and "." not in text
    return (0, 1), header and (lines > 1 or bool(keys or classes))


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Return the lines that are not empty, each with its number."""
    try:
        with open_regular(path) as binary:
            text = io.TextIOWrapper(binary, "utf-8-sig", newline="")
            start = text.readline()
            text.seek(0)
            between = max(",;\t", key=start.count)
            reader = csv.reader(text, delimiter=between, strict=True)
            return [(reader.line_num, cells) for cells in reader if any(map(str.strip, cells))]
    except FileNotFoundError as error:
        raise RunError(f"{path}: there is no such file") from error
    except UnicodeDecodeError as error:
        raise RunError(f"{path}: it is not UTF-8 text: save it as UTF-8") from error
    except csv.Error as error:
        raise RunError(f"{path}: it is not a table of comma-separated values: {error}") from error
