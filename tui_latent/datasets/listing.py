"""List the image files in class folders, and count what is skipped; opens no file."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path

from tui_latent.datasets.folder_entries import (
    ARRAYS,
    is_array_name,
    is_folder,
    is_image_name,
)
from tui_latent.datasets.folder_layout import ImageFile
from tui_latent.datasets.splits import described_stems, is_rubbish
from tui_latent.runtime.sanitize import printable
from tui_latent.sources.errors import DataError
from tui_latent.sources.files.raw import UNLABELLED

Folder = tuple[int, int]
"""device and inode of a folder, whatever its path"""
_NAMED = 4
"""maximum number of kinds of unused entries that are named"""


@dataclass
class Listing:
    """Images in the order of the classes, and counts of everything else."""

    files: list[ImageFile] = field(default_factory=list)
    deeper: int = 0
    """number of images in subfolders of a class"""
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)
    """number of unused entries of each kind, which is named in the singular and the plural"""

    def choose(self) -> None:
        """Drop the arrays if there are images of other kinds."""
        arrays = [file for file in self.files if file.name.lower().endswith(ARRAYS)]
        if arrays and len(arrays) < len(self.files):
            self.skipped[_files(ARRAYS, "beside images")] += len(arrays)
            dropped = set(arrays)
            self.files = [file for file in self.files if file not in dropped]

    def notes(self) -> list[str]:
        """Describe what a user may not expect."""
        notes = []
        if self.deeper:
            are = "is" if self.deeper == 1 else "are"
            notes.append(f"{self.deeper:,} of the images {are} in subfolders of a class")
        if masks := self._masks():
            one = len(masks) == 1
            named = "is named like a mask of another" if one else "are named like masks of others"
            notes.append(
                f"{len(masks):,} of the images {named}, such as {printable(masks[0])}: "
                f"move {'it' if one else 'them'} out of the folder if that is so"
            )
        if self.skipped:
            kinds = self.skipped.most_common()
            listed = ", ".join(f"{count:,} {what[count > 1]}" for what, count in kinds[:_NAMED])
            rest = sum(count for _, count in kinds[_NAMED:])
            notes.append(f"not used: {listed}{f', {rest:,} more' if rest else ''}")
        return notes

    def _masks(self) -> list[str]:
        """Return images whose names say that they describe another one in their folder."""
        stems = {_stem(file.name) for file in self.files}
        return [
            file.name
            for file in self.files
            if any(other in stems for other in _described(file.name))
        ]


def _files(before: str, after: str = "") -> tuple[str, str]:
    """Name a kind of files in the singular and in the plural."""
    one, many = (f"{before} {noun} {after}".strip() for noun in ("file", "files"))
    return one, many


def _stem(name: str) -> str:
    return name[: name.rfind(".")].casefold()


def _described(name: str) -> list[str]:
    folder, slash, stem = _stem(name).rpartition("/")
    return [f"{folder}{slash}{other}" for other in described_stems(stem)]


def list_images(
    root: Path, folders: Sequence[str | None], poll: Callable[[], None] = lambda: None
) -> Listing:
    """Return the images in the class folders of `root` and their subfolders, by class and name.

    A folder of None stands for a class without images. Only regular files are images: pipes,
    sockets and devices are skipped, as are hidden files, folders for which `is_rubbish` is true,
    and links to a folder that was already listed for the class or that contains them: its images
    are those of all classes, and of other splits. `poll` is called for every entry
    and may raise. DataError names a folder that cannot be read.
    """
    found = Listing()
    try:
        above = _above(root) | {_identity(root)}
        for label, name in enumerate(folders):
            if name is not None and (root / name).is_dir():
                _list_class(root, name, label, found, above, poll)
        found.choose()
    except OSError as error:
        raise DataError(f"{error.filename}: {error.strerror}: make it readable") from error
    return found


def list_unlabelled(root: Path, poll: Callable[[], None] = lambda: None) -> Listing:
    """Return all images in `root` and its folders, by name, as `list_images` those of a class."""
    found = Listing()
    try:
        _list_class(root, "", UNLABELLED, found, _above(root), poll)
        found.choose()
    except OSError as error:
        raise DataError(f"{error.filename}: {error.strerror}: make it readable") from error
    found.deeper = 0
    return found


def _identity(folder: Path) -> Folder:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _above(root: Path) -> set[Folder]:
    """Return the folders that contain `root`, by its path and by where links in that lead."""
    found = set()
    for folder in (*root.absolute().parents, *root.resolve().parents):
        with suppress(OSError):
            found.add(_identity(folder))
    return found


def _list_class(
    root: Path,
    folder: str,
    label: int,
    found: Listing,
    above: set[Folder],
    poll: Callable[[], None],
) -> None:
    seen: set[Folder] = set()

    def entries_of(name: str) -> Iterator[os.DirEntry[str]]:
        identity = _identity(root / name)
        if identity in seen or identity in above:
            if identity in seen:
                where = "link to a folder already listed", "links to folders already listed"
            else:
                where = "link to a folder above it", "links to folders above them"
            found.skipped[where] += 1
            return iter(())
        seen.add(identity)
        return _entries(root / name, poll)

    open_folders = [(folder, entries_of(folder))]  # the innermost is last
    while open_folders:
        poll()
        inside, entries = open_folders[-1]
        entry = next(entries, None)
        if entry is None:
            open_folders.pop()
            continue
        name = f"{inside}/{entry.name}" if inside else entry.name
        if not is_folder(entry):
            _list_file(name, entry, label, found)
        elif is_rubbish(entry.name):
            kind = "hidden" if entry.name.startswith(".") else printable(entry.name)
            found.skipped[f"{kind} folder", f"{kind} folders"] += 1
        else:
            open_folders.append((name, entries_of(name)))


def _entries(folder: Path, poll: Callable[[], None]) -> Iterator[os.DirEntry[str]]:
    """Return what is in a folder, by name."""
    content = []
    with os.scandir(folder) as entries:
        for entry in entries:
            poll()
            content.append(entry)
    return iter(sorted(content, key=attrgetter("name")))


def _list_file(name: str, entry: os.DirEntry[str], label: int, found: Listing) -> None:
    if not is_image_name(entry.name) and not is_array_name(entry.name):
        suffix = Path(entry.name).suffix.lower()
        hidden = entry.name.startswith(".")
        kind = _files(printable(suffix[:12])) if suffix else _files("", "without an extension")
        found.skipped[_files("hidden") if hidden else kind] += 1
        return
    try:
        status = entry.stat()
        found_there = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        regular = stat.S_ISREG(status.st_mode)
    except OSError:  # a broken or circular link: it will count as corrupt when it is read
        found_there, regular = (0, 0, 0, 0), True
    if not regular:
        found.skipped[
            "pipe, socket or device named like an image",
            "pipes, sockets or devices named like images",
        ] += 1
        return
    found.deeper += name.count("/") > 1
    found.files.append(ImageFile(name, label, *found_there))
