"""Describe a table of images without reading any, for menus and forms."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tui_latent.config.settings import DataSettings
from tui_latent.datasets.manifest.find import is_tar, read_table
from tui_latent.datasets.manifest.load import columns_used, used_rows
from tui_latent.datasets.manifest.paths import find_files
from tui_latent.datasets.manifest.rows import understand
from tui_latent.nouns import counted
from tui_latent.sources.errors import DataError

_LOOKED_FOR = 20
"""image files that are looked for on the disk"""


@dataclass(frozen=True)
class ManifestFacts:
    """Facts about a table of images; numbers are those of the table."""

    class_names: tuple[str, ...]
    train: int | None
    held_out: int | None
    notes: tuple[str, ...]
    unlabelled: str
    """why no image has a class, in words; empty if some have one, or if that is unknown"""


def look_at_manifest(settings: DataSettings) -> ManifestFacts:
    """Read a table and look for its first images; DataError as for `load_manifest`.

    Tar shards are only counted: their members are listed when they are read.
    """
    path = Path(settings.path).expanduser()
    if shards := is_tar(settings.path):
        note = f"{counted(shards, 'tar archive')} in {path}"
        return ManifestFacts((), None, None, (note,), "")
    table = read_table(settings.path, lambda _: None, lambda: None)
    rows = understand(table, settings)
    used = used_rows(table, rows, settings)
    if table.images is None:
        base = Path(settings.root).expanduser() if settings.root else table.base
        cells = table.columns[rows.image_column]
        first = [(row, cells[row]) for row in used.train[:_LOOKED_FOR].tolist()]
        files = find_files(table, rows.image_column, first, base, lambda: None)
        if files.missing and not (settings.skip_corrupt and files.found):
            raise DataError(files.missing)
    without = "" if used.class_names else ", without classes"
    return ManifestFacts(
        tuple(rows.class_names),
        len(used.train),
        None if used.held is None else len(used.held),
        (f"table {path}{without}", *columns_used(rows), *rows.notes, *used.notes),
        _unlabelled(rows.label_column, bool(np.any(rows.labels >= 0))),
    )


def _unlabelled(column: str, some: bool) -> str:
    if some:
        return ""
    return f"column {column} is empty" if column else "the table has no column of classes"
