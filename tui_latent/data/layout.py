"""The layout of an image folder: which file is of which class and split; reads no image."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tui_latent.data.errors import DataError, shown

SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
)
DEFAULT_SIZE = 64
"""pixels a side where `data.size` does not say"""


@dataclass(frozen=True)
class Layout:
    """The folders of a dataset."""

    train: Path
    """its folders are the classes"""
    test: Path | None
    """held out, same classes; None where a share of the training images will be"""
    folders: tuple[str, ...]
    """of the classes, sorted"""

    @property
    def class_names(self) -> tuple[str, ...]:
        """The folders' names as a screen can show them."""
        return tuple(shown(name) for name in self.folders)


class ImageFile(NamedTuple):
    """One image, found but not read; a folder may hold millions."""

    name: str
    """path below the folder listed"""
    label: int
    """position among the classes listed"""
    size: int
    """bytes"""
    modified: int
    """nanoseconds since 1970"""
    changed: int
    """the same, of the inode: what no archive sets"""
    inode: int


def find_layout(root: Path) -> Layout:
    """Look for root/train/<class> with root/val or root/test beside it, else root/<class>.

    Hidden folders are ignored. DataError names the folder and the layout wanted.
    """
    if not root.is_dir():
        raise DataError(f"data.path: no folder {root}")
    train = root / "train"
    if not train.is_dir():
        return Layout(root, None, _class_folders(root))
    test = next((root / name for name in ("val", "test") if (root / name).is_dir()), None)
    layout = Layout(train, test, _class_folders(train))
    if test is not None:
        for name in _class_folders(test):
            if name not in layout.folders:
                raise DataError(
                    f"{test}: class '{shown(name)}' is not in {train}: add it there or remove it"
                )
    return layout


def list_images(root: Path, folders: Sequence[str]) -> list[ImageFile]:
    """Return the images below each class's folder in `root`, by class and then by name.

    Hidden files and files that are no images by their suffix are ignored. DataError names a file
    that cannot be looked at.
    """
    found: list[ImageFile] = []
    try:
        for label, name in enumerate(folders):
            if (root / name).is_dir():
                found += _images_below(root, name, label)
    except OSError as error:
        raise DataError(f"{error.filename}: {error.strerror}: make it readable") from error
    return found


def _images_below(root: Path, folder: str, label: int) -> list[ImageFile]:
    found = []
    with os.scandir(root / folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            name = f"{folder}/{entry.name}"
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                found += _images_below(root, name, label)
            elif name[name.rfind(".") :].lower() in SUFFIXES:
                found.append(_image_file(entry, name, label))
    return found


def _image_file(entry: os.DirEntry[str], name: str, label: int) -> ImageFile:
    try:
        stat = entry.stat()
    except FileNotFoundError:  # a link to nowhere: reading it will fail and count as corrupt
        return ImageFile(name, label, 0, 0, 0, 0)
    times = stat.st_mtime_ns, stat.st_ctime_ns
    return ImageFile(name, label, stat.st_size, *times, stat.st_ino)


def _class_folders(folder: Path) -> tuple[str, ...]:
    try:
        with os.scandir(folder) as entries:
            names = sorted(e.name for e in entries if e.is_dir() and not e.name.startswith("."))
    except OSError as error:
        raise DataError(f"{folder}: {error.strerror}: make it readable") from error
    if not names:
        raise DataError(
            f"{folder}: no class folders: put the images of each class into a folder named after "
            "it, as train/<class>/… and val/<class>/…, or as <class>/…"
        )
    return tuple(names)
