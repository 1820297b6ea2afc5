"""A table of images as a dataset."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tui_latent.config.settings import DataSettings
from tui_latent.datasets.content_digests import read_contents
from tui_latent.datasets.decoded_images import decoded_images
from tui_latent.datasets.decoded_splits import EncodedSplit
from tui_latent.datasets.folder_layout import ImageFile
from tui_latent.datasets.identity import DataIdentity, folder_part
from tui_latent.datasets.image_item import ImageItem, file_items
from tui_latent.datasets.manifest.find import read_table
from tui_latent.datasets.manifest.paths import find_files
from tui_latent.datasets.manifest.rows import Rows, understand
from tui_latent.datasets.manifest.table import StoredImages, Table
from tui_latent.datasets.selection import chosen_classes
from tui_latent.datasets.splits import Role
from tui_latent.nouns import counted
from tui_latent.runtime.sanitize import plain_name, printable
from tui_latent.sources.errors import DataError
from tui_latent.sources.files.raw import UNLABELLED, RawImages

_Rows = NDArray[np.int64]


class UsedRows(NamedTuple):
    """The rows of a table that a dataset is made of."""

    train: _Rows
    held: _Rows | None
    """None if a share of the training images is held out"""
    held_role: Role | None
    class_names: tuple[str, ...]
    labels: NDArray[np.int64]
    """(N,) of all rows of the table, positions in `class_names`"""
    notes: tuple[str, ...]


def load_manifest(
    settings: DataSettings,
    log: Callable[[str], None],
    found: Callable[[DataIdentity], None] = lambda _: None,
    poll: Callable[[], None] = lambda: None,
) -> RawImages:
    """Read a table of images and decode those that are not in the cache.

    Only images of the classes in `settings.classes` are read. `found` is called with the identity
    of the images before any of them is decoded; an exception from it ends the loading. `poll` is
    called throughout and may raise. DataError names a row, missing files, or corrupt ones (unless
    `settings.skip_corrupt`).
    """
    path = Path(settings.path).expanduser()
    table = read_table(settings.path, log, poll)
    rows = understand(table, settings)
    used = used_rows(table, rows, settings)
    splits = [used.train] if used.held is None else [used.train, used.held]
    notes = [*columns_used(rows), *rows.notes, *used.notes]
    if table.images is None:
        base = Path(settings.root).expanduser() if settings.root else table.base
        if not base.is_dir():
            raise DataError(f"data.root: no folder {base.absolute()}")
        listed, more = _listed_files(table, rows, used, splits, base, settings, poll)
        notes += more
    else:
        base = table.base
        listed = [_stored_files(table.images, chosen, used.labels, poll) for chosen in splits]
    encoded, parts = [], []
    titles = ("train", used.held_role or "test")
    for title, (chosen, files) in zip(titles, listed, strict=False):
        items = None if table.images is None else _stored_items(table.images, chosen)
        contents = read_contents(base, files, log, poll, items)
        parts.append(folder_part(title, files, contents))
        items = file_items(base, files) if items is None else items
        columns = tuple(column.take(chosen) for column in rows.columns)
        names = [file.name for file in files]
        encoded.append(
            EncodedSplit(str(path), items, names, contents, used.labels[chosen], columns)
        )
    found(DataIdentity(os.path.realpath(path), used.class_names, tuple(parts)))
    held_out = f"images of {used.held_role} in the table"
    name = printable(path.resolve().name if path.is_dir() else path.name.partition(".")[0])
    return decoded_images(encoded, settings, name, used.class_names, held_out, notes, log, poll)


def used_rows(table: Table, rows: Rows, settings: DataSettings) -> UsedRows:
    """Choose the rows by split and class; DataError if there is nothing to train on."""
    roles = np.array([role or "" for role in rows.roles] or ["train"] * len(table))
    kept = chosen_classes(rows.class_names, settings.classes)
    wanted = np.isin(rows.labels, kept) if settings.classes else np.ones(len(table), np.bool_)
    train = np.flatnonzero((roles == "train") & wanted)
    if not (roles == "train").any():
        there = " and ".join(sorted(set(roles.tolist()) - {""}))
        raise DataError(
            f"{table.path}: there are images of {there}, but none of train: mark some as train, "
            "or leave the split out to hold out a share of all images"
        )
    held, role, notes = None, None, []
    for name in ("val", "test"):
        count = int((roles == name).sum())
        if count and held is None and not settings.val_fraction:
            held, role = np.flatnonzero((roles == name) & wanted), name
        elif count:
            notes.append(f"not used: {counted(count, 'image')} of {name}")
    labels = rows.labels
    known = np.unique(labels[train])
    known = known[known != UNLABELLED]
    if held is not None:
        strangers = sorted(set(labels[held].tolist()) - set(known.tolist()) - {UNLABELLED})
        if strangers and len(known):
            raise DataError(
                f"{table.path}: class '{rows.class_names[strangers[0]]}' has {role} images and no "
                "training image: add some, remove it, name the classes to use in data.classes, or "
                "set data.val_fraction=0.2 to hold out training images instead"
            )
        known = np.union1d(known, np.array(strangers, np.int64))
    names = tuple(rows.class_names[i] for i in known)
    places = np.where(np.isin(labels, known), np.searchsorted(known, labels), UNLABELLED)
    return UsedRows(train, held, role, names, places, tuple(notes))  # type: ignore[arg-type]


def columns_used(rows: Rows) -> list[str]:
    """Say which columns have the images and the classes, and which others are kept."""
    said = [f"images by column {plain_name(rows.image_column)}"] if rows.image_column else []
    if rows.label_column and rows.class_names:
        said.append(f"classes by column {plain_name(rows.label_column)}")
    others = [plain_name(column.name, 40) for column in rows.columns]
    if others:
        more = ", …" if len(others) > 8 else ""
        said.append(f"also kept: {', '.join(others[:8])}{more}")
    return [", ".join(said)] if said else []


def _listed_files(
    table: Table,
    rows: Rows,
    used: UsedRows,
    splits: Sequence[_Rows],
    base: Path,
    settings: DataSettings,
    poll: Callable[[], None],
) -> tuple[list[tuple[_Rows, list[ImageFile]]], list[str]]:
    """Find the files that rows name; return the rows that have one, the files, and remarks."""
    every = np.concatenate(splits)
    cells = table.columns[rows.image_column]
    files = find_files(table, rows.image_column, [(int(r), cells[r]) for r in every], base, poll)
    notes = list(files.notes)
    if files.missing:
        if not settings.skip_corrupt or not files.found:
            raise DataError(f"{table.path}: {files.missing}: {files.remedy}")
        notes.append(f"skipped: {files.missing}")
    listed = []
    for chosen in splits:
        there = np.array([r for r in chosen.tolist() if r in files.found], np.int64)
        of = [
            ImageFile(files.found[r].name, int(used.labels[r]), *files.found[r].state)
            for r in there.tolist()
        ]
        listed.append((there, of))
    if again := _listed_again([file for _, of in listed for file in of]):
        notes.append(again)
    if len(listed) > 1:
        first, second = ({file.name for file in of} for _, of in listed)
        if both := first & second:
            are = f"{counted(len(both), 'image')} {'is' if len(both) == 1 else 'are'}"
            notes.append(f"{are} in both splits, such as {min(both)}")
    return listed, notes


def _listed_again(files: Sequence[ImageFile]) -> str:
    """Say how many images several rows name, and whether their classes differ; empty if none."""
    labels: dict[str, list[int]] = {}
    for file in files:
        labels.setdefault(os.path.normpath(file.name), []).append(file.label)
    again = {name: found for name, found in labels.items() if len(found) > 1}
    if not again:
        return ""
    odd = [name for name, found in again.items() if len(set(found)) > 1]
    said = f"{counted(len(again), 'image')} in several rows, such as {min(again)}"
    return (
        f"{said}; {len(odd):,} of these with several classes, such as {min(odd)}" if odd else said
    )


def _stored_files(
    images: StoredImages, chosen: _Rows, labels: NDArray[np.int64], poll: Callable[[], None]
) -> tuple[_Rows, list[ImageFile]]:
    """Return images within larger files, with the size and the times of these."""
    states: dict[Path, tuple[int, int, int, int]] = {}
    files = []
    for row in chosen.tolist():
        poll()
        shard = images.shard(row)
        if shard not in states:
            status = shard.stat()
            times = (status.st_mtime_ns, status.st_ctime_ns)
            states[shard] = (status.st_size, *times, status.st_ino)
        files.append(ImageFile(images.name(row), int(labels[row]), *states[shard]))
    return chosen, files


def _stored_items(images: StoredImages, chosen: _Rows) -> list[ImageItem]:
    return [ImageItem(images.name(row), partial(images.read, row)) for row in chosen.tolist()]
