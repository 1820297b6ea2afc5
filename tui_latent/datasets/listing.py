"""Every image file of a folder of classes, and what is passed over; opens no file."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tui_latent.datasets.folder_layout import ImageFile, is_folder, is_image_name
from tui_latent.datasets.splits import is_rubbish
from tui_latent.sources.errors import DataError, shown

_NAMED = 4
"""kinds of what is not used that are named"""


@dataclass
class Listing:
    """Images in the order of the classes, and counts of the rest."""

    files: list[ImageFile] = field(default_factory=list)
    deeper: int = 0
    """images in sub-folders of a class"""
    passed_over: Counter[str] = field(default_factory=Counter)
    """what is not used, in words"""

    def notes(self) -> list[str]:
        """Say what a person may not expect, in words."""
        notes = []
        if self.deeper:
            notes.append(f"{self.deeper:,} of the images lie in sub-folders of a class")
        if self.passed_over:
            kinds = self.passed_over.most_common()
            listed = ", ".join(f"{count:,} {what}" for what, count in kinds[:_NAMED])
            rest = sum(count for _, count in kinds[_NAMED:])
            notes.append(f"not used: {listed}{f', {rest:,} more' if rest else ''}")
        return notes


def list_images(
    root: Path, folders: Sequence[str | None], look: Callable[[], None] = lambda: None
) -> Listing:
    """Return the images below each class's folder in `root`, by class and then by name.

    None stands for a class without a folder. Only regular files are images: pipes, sockets and
    devices are passed over, as are hidden files, folders that `is_rubbish` knows, and links that
    lead to a folder already listed for the class. `look` is called for every entry and may raise.
    DataError names a file that cannot be looked at.
    """
    found = Listing()
    try:
        for label, name in enumerate(folders):
            if name is not None and (root / name).is_dir():
                _list_class(root, name, label, found, look)
    except OSError as error:
        raise DataError(f"{error.filename}: {error.strerror}: make it readable") from error
    return found


def _list_class(
    root: Path, folder: str, label: int, found: Listing, look: Callable[[], None]
) -> None:
    seen: set[tuple[int, int]] = set()
    # A stack of what is still to come, its next entry last: a folder's content in its place.
    waiting: list[tuple[str, os.DirEntry[str] | None]] = [(folder, None)]
    while waiting:
        look()
        name, entry = waiting.pop()
        if entry is not None and not is_folder(entry):
            _list_file(name, entry, label, found)
            continue
        if entry is not None and is_rubbish(entry.name):
            kind = "hidden" if entry.name.startswith(".") else shown(entry.name)
            found.passed_over[f"{kind} folders"] += 1
            continue
        status = (root / name).stat()
        if (status.st_dev, status.st_ino) in seen:
            found.passed_over["links to folders already listed"] += 1
            continue
        seen.add((status.st_dev, status.st_ino))
        with os.scandir(root / name) as entries:
            content = []
            for inner in entries:
                look()
                content.append(inner)
        content.sort(key=lambda inner: inner.name, reverse=True)
        waiting += [(f"{name}/{inner.name}", inner) for inner in content]


def _list_file(name: str, entry: os.DirEntry[str], label: int, found: Listing) -> None:
    if not is_image_name(entry.name):
        suffix = Path(entry.name).suffix.lower()
        hidden = entry.name.startswith(".")
        kind = "hidden files" if hidden else f"{shown(suffix[:12])} files".strip()
        found.passed_over[kind] += 1
        return
    try:
        status = entry.stat()
        found_there = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        regular = stat.S_ISREG(status.st_mode)
    except OSError:  # a link to nowhere or to itself: reading it will fail and count as corrupt
        found_there, regular = (0, 0, 0, 0), True
    if not regular:
        found.passed_over["pipes, sockets or devices named as images"] += 1
        return
    found.deeper += name.count("/") > 1
    found.files.append(ImageFile(name, label, *found_there))
