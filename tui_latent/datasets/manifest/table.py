"""A table of images as it was read, before its columns are understood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tui_latent.runtime.sanitize import plain_name


class StoredImages(Protocol):
    """The files of images within a larger file: rows of a Parquet file, members of an archive."""

    def name(self, row: int) -> str:
        """Return what to call an image, with its shard before it."""
        ...

    def shard(self, row: int) -> Path:
        """Return the file that holds an image."""
        ...

    def read(self, row: int) -> bytes:
        """Return the bytes of an image file; thread-safe. OSError if they cannot be read."""
        ...


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of equal length, with a row for each image."""

    path: Path
    """the file or folder that was named"""
    columns: Mapping[str, Sequence[object]]
    """cells by title: texts, numbers, booleans or None"""
    base: Path
    """folder to which paths of images are relative"""
    images: StoredImages | None = None
    """the images, if they are in the table itself and not in files of their own"""
    class_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """names of the classes by column, where its cells are positions in them"""
    splits: Sequence[str] = ()
    """split of each row by the name of its shard; empty if shards have no splits"""
    lines: Sequence[int] = ()
    """line of each row in a text file; empty if rows have no lines"""
    files: Sequence[str] = ()
    """name of the text file of each row, if there are several"""
    commas: bool = False
    """whether numbers may be written with decimal commas"""
    notes: tuple[str, ...] = ()
    """what was not used, in words"""

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), self.splits))

    def place(self, row: int) -> str:
        """Say where a row is, for a message."""
        if self.lines:
            line = f"line {self.lines[row]:,}"
            return f"{self.files[row]}, {line}" if self.files else line
        return self.images.name(row) if self.images is not None else f"row {row:,}"

    def titles(self) -> str:
        """Name the columns, for a message."""
        names = [plain_name(name, 40) for name in self.columns]
        return ", ".join(names[:12]) + (", …" if len(names) > 12 else "") or "no columns"
