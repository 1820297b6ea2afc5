"""The entries of a folder of images: folders and images, by their names alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from tui_latent.datasets.splits import is_rubbish
from tui_latent.runtime.sanitize import printable
from tui_latent.sources.errors import DataError
from tui_latent.sources.naming import natural_order

SUFFIXES = frozenset(
    f".{suffix}"
    for suffix in (
        *("jpg", "jpeg", "jpe", "jfif", "png", "bmp", "gif", "webp"),
        *("tif", "tiff", "ppm", "pgm", "pbm", "pnm"),
    )
)
ARRAYS = ".npy"
"""suffix of images that count only where there are no others: labels and features have it too"""
_NAMED = 5
"""maximum number of folders named in a message"""


class Entries(NamedTuple):
    """The direct entries of a folder; arrays are images if there is nothing else."""

    folders: list[str]
    images: int


def entries_of(folder: Path, poll: Callable[[], None], most: int | None = None) -> Entries:
    """Return the sorted folders and the number of images among the first `most` entries."""
    folders, images, arrays = [], 0, 0
    try:
        with os.scandir(folder) as entries:
            for number, entry in enumerate(entries):
                if number == most:
                    break
                poll()
                if is_folder(entry):
                    if not is_rubbish(entry.name):
                        folders.append(entry.name)
                elif is_image_name(entry.name):
                    images += 1
                elif is_array_name(entry.name):
                    arrays += 1
    except OSError as error:
        raise DataError(f"{folder}: {error.strerror}: make it readable") from error
    return Entries(sorted(folders), images or (0 if folders else arrays))


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a folder or a link to one; False for a broken link."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def is_image_name(name: str) -> bool:
    """Return whether a file has the suffix of an image and is not hidden."""
    return not name.startswith(".") and name[name.rfind(".") :].lower() in SUFFIXES


def is_array_name(name: str) -> bool:
    """Return whether a file has the suffix of a NumPy array and is not hidden."""
    return not name.startswith(".") and name.lower().endswith(ARRAYS)


def names_an_image(path: str) -> bool:
    """Return whether a path, as a table writes it, ends as images and arrays of pixels do."""
    name = path.strip().replace("\\", "/").rpartition("/")[2]
    return is_image_name(name) or is_array_name(name)


def listed(names: Sequence[str]) -> str:
    """Return some of the names, and how many there are if that is more, for a message."""
    more = f", … ({len(names):,} in all)" if len(names) > _NAMED else ""
    first = [printable(name) for name in natural_order(names)[:_NAMED]]
    if more or len(first) == 1:
        return ", ".join(first) + more
    return f"{', '.join(first[:-1])} and {first[-1]}"
