"""Find the image files that a table names."""

from __future__ import annotations

import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from tui_latent.datasets.folder_entries import names_an_image
from tui_latent.datasets.manifest.table import Table
from tui_latent.runtime.sanitize import plain_name
from tui_latent.sources.errors import DataError
from tui_latent.sources.files.columns import MISSING_TEXTS

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
    """which are missing, and what to do; empty if none is"""
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
    Names without an ending are completed by the file of that name, whatever its ending is.
    DataError for an empty cell or an address on the web.
    """
    found: dict[int, FoundFile] = {}
    missing: list[tuple[int, str]] = []
    endings = _Endings()
    completed = 0
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
        if state is None and (longer := endings.complete(base / name)):
            name, completed = f"{name}{longer}", completed + 1
            state = _state(base / name)
        if state is None:
            missing.append((row, name))
        else:
            found[row] = FoundFile(name, state)
    notes = [f"{completed:,} names without an ending were completed"] if completed else []
    return FoundFiles(found, _missing(table, missing, len(cells), base), notes)


class _Endings:
    """The endings of the images in folders, by their names without one."""

    def __init__(self) -> None:
        self._folders: dict[Path, dict[str, str]] = {}

    def complete(self, path: Path) -> str:
        """Return the ending of the only image of that name; empty if there is none or several."""
        if names_an_image(path.name):
            return ""
        if path.parent not in self._folders:
            stems: dict[str, str] = {}
            try:
                names = [p.name for p in path.parent.iterdir() if names_an_image(p.name)]
            except OSError:
                names = []
            for name in names:
                stem, dot, ending = name.rpartition(".")
                stems[stem] = "" if stem in stems else dot + ending
            self._folders[path.parent] = stems
        return self._folders[path.parent].get(path.name, "")


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


def _missing(table: Table, missing: list[tuple[int, str]], count: int, base: Path) -> str:
    if not missing:
        return ""
    shown = ", ".join(
        f"{plain_name(name, 80)} ({table.place(row)})" for row, name in missing[:_NAMED]
    )
    more = ", …" if len(missing) > _NAMED else ""
    helps = "correct the paths"
    if any(not Path(name).is_absolute() for _, name in missing):
        helps += f", which are relative to {base}: data.root names another folder"
    if len(missing) < count:
        helps += "; data.skip_corrupt=true leaves them out"
    return f"{table.path}: {len(missing):,} of {count:,} images are missing: {shown}{more}: {helps}"
