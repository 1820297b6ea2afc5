"""Find the image files that a table names."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from tui_latent.datasets.folder_entries import names_an_image
from tui_latent.datasets.manifest.table import Table
from tui_latent.nouns import counted
from tui_latent.runtime.sanitize import plain_name
from tui_latent.sources.errors import DataError
from tui_latent.sources.files.columns import MISSING_TEXTS
from tui_latent.sources.naming import composed

_DRIVE = re.compile(r"[A-Za-z]:[/\\]")
_NAMED = 3
"""missing files named in a message"""


class FoundFile(NamedTuple):
    """A file that a row names."""

    name: str
    """as the table writes it, or as it was found"""
    state: tuple[int, int, int, int]
    """size, modification time, time of the last change of the inode (ns), inode"""


class FoundFiles(NamedTuple):
    """The files of a table."""

    found: dict[int, FoundFile]
    """by row"""
    missing: str
    """which are missing; empty if none is"""
    remedy: str
    """what to do about them"""
    notes: list[str]


def find_files(
    table: Table,
    column: str,
    cells: Sequence[tuple[int, object]],
    base: Path,
    poll: Callable[[], None],
) -> FoundFiles:
    """Find the files that (row, cell) name, relative to `base`.

    Paths with backslashes are read as those of Windows where there is no file of that very name.
    Names without an ending are completed by the file of that name, whatever its ending is; names
    that differ only in case, or in how accents are encoded, are those of the only such file.
    DataError for an empty cell or an address on the web.
    """
    found: dict[int, FoundFile] = {}
    missing: list[tuple[int, str]] = []
    names = _Names()
    completed = matched = 0
    for row, cell in cells:
        poll()
        text = "" if cell is None else str(cell).strip()
        if text.casefold() in MISSING_TEXTS:
            raise DataError(
                f"{table.path}: {table.place(row)} names no image in column {plain_name(column)}: "
                "remove the row, or write a path"
            )
        name = _local(table, row, text)
        state = _state(base / name)
        if state is None and "\\" in name:
            name = name.replace("\\", "/")
            state = _state(base / name)
        if state is None and (other := names.found(base, name)):
            state = _state(base / other)
            if state is not None:
                longer = not names_an_image(name)
                completed, matched = completed + longer, matched + (not longer)
                name = other
        if state is None:
            missing.append((row, name))
        else:
            found[row] = FoundFile(name, state)
    notes = []
    if completed:
        were = "was" if completed == 1 else "were"
        notes.append(f"{counted(completed, 'name')} without an extension {were} completed")
    if matched:
        notes.append(f"{counted(matched, 'name')} matched, although case or accents differ")
    said = _missing(table, missing, len(cells))
    return FoundFiles(found, said, _remedy(missing, len(cells), base), notes)


class _Names:
    """The names in folders, found despite differences in case, accents or extensions."""

    def __init__(self) -> None:
        self._folders: dict[Path, tuple[dict[str, str], dict[str, str]]] = {}

    def found(self, base: Path, name: str) -> str:
        """Return the only path that differs from `name` in nothing else; empty if there is none."""
        place = Path(name)
        there = Path(place.anchor)
        parts = place.parts[len(there.parts) :]
        for number, part in enumerate(parts, start=1):
            names, stems = self._known(base / there)
            known = stems if number == len(parts) and not names_an_image(part) else names
            if not (found := ".." if part == ".." else known.get(_key(part), "")):
                return ""
            there /= found
        return str(there)

    def _known(self, folder: Path) -> tuple[dict[str, str], dict[str, str]]:
        """Return the entries of a folder by name, and the images by their name without ending."""
        if folder not in self._folders:
            try:
                entries = [path.name for path in folder.iterdir()]
            except OSError:
                entries = []
            names: dict[str, str] = {}
            stems: dict[str, str] = {}
            for name in entries:
                names[_key(name)] = "" if _key(name) in names else name
                if names_an_image(name):
                    stem = _key(name.rpartition(".")[0])
                    stems[stem] = "" if stem in stems else name
            self._folders[folder] = names, stems
        return self._folders[folder]


def _key(name: str) -> str:
    return composed(name).casefold()


def _local(table: Table, row: int, text: str) -> str:
    """Return the path that a cell names; DataError for an address on the web."""
    scheme = text.partition("://")[0].casefold() if "://" in text else ""
    if scheme == "file":
        return unquote(urlsplit(text).path)
    if scheme in ("http", "https", "s3", "gs", "ftp", "hf"):
        raise DataError(
            f"{table.path}: {table.place(row)}: {plain_name(text, 80)} is not on this machine: "
            "download the images and write their paths"
        )
    try:
        return str(Path(text).expanduser()) if text.startswith("~") else text
    except RuntimeError:  # no such user: a name that begins so
        return text


def _state(path: Path) -> tuple[int, int, int, int] | None:
    """Return the state of a file; None if there is no such regular file."""
    try:
        status = path.stat()
    except (OSError, ValueError):  # missing, or no path at all
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _missing(table: Table, missing: list[tuple[int, str]], count: int) -> str:
    if not missing:
        return ""
    shown = ", ".join(
        f"{plain_name(name, 80)} ({table.place(row)})" for row, name in missing[:_NAMED]
    )
    more = ", …" if len(missing) > _NAMED else ""
    are = "is" if len(missing) == 1 else "are"
    return f"{len(missing):,} of {count:,} images {are} missing: {shown}{more}"


def _remedy(missing: list[tuple[int, str]], count: int, base: Path) -> str:
    helps = "correct the paths"
    if any(not _is_absolute(name) for _, name in missing):
        helps += f", which are relative to {base.absolute()}: data.root names another folder"
    elif any(_DRIVE.match(name) for _, name in missing):
        helps += ", which are Windows paths: write them relative to the table or to data.root"
    if len(missing) < count:
        helps += "; data.skip_corrupt=true leaves them out"
    return helps


def _is_absolute(name: str) -> bool:
    return Path(name).is_absolute() or _DRIVE.match(name) is not None
