"""An image folder as a dataset."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tui_latent.data.contents import read_contents
from tui_latent.data.decode import CORRUPT, GREY, MOST_PIXELS, Decoded, decoded, oversized
from tui_latent.data.errors import DataError, shown
from tui_latent.data.identity import DataIdentity, folder_part
from tui_latent.data.layout import (
    DEFAULT_SIZE,
    SUFFIXES,
    ImageFile,
    find_layout,
    list_images,
)
from tui_latent.data.raw import RawImages, RawSplit
from tui_latent.data.selection import chosen_classes
from tui_latent.settings import DataSettings

_NAMED = 5
"""corrupt files named in a message"""


def load_folder(
    settings: DataSettings,
    log: Callable[[str], None],
    found: Callable[[DataIdentity], None] = lambda _: None,
) -> RawImages:
    """Read an image folder, decoding what is not decoded yet.

    `found` is told which images there are before any is decoded; what it raises ends the loading.
    Only the classes in `settings.classes` are read. The images have one channel where every
    file is grey. DataError names the folder that is not laid out as wanted, or the corrupt files
    (unless `settings.skip_corrupt`).
    """
    root = Path(settings.path).expanduser()
    layout = find_layout(root)
    size = settings.size or DEFAULT_SIZE
    kept = chosen_classes(layout.class_names, settings.classes)
    folders = [layout.folders[i] for i in kept]
    places = [layout.train]
    if layout.test is not None and not settings.val_fraction:
        places.append(layout.test)
    listed = []
    for place in places:
        files = list_images(place, folders)
        if not files:
            raise DataError(
                f"{place}: no images in its class folders ({' '.join(sorted(SUFFIXES))})"
            )
        listed.append((place, files, read_contents(place, files, log)))
    names = tuple(layout.class_names[i] for i in kept)
    parts = tuple(folder_part(place.name, files, of) for place, files, of in listed)
    found(DataIdentity(os.path.realpath(root), names, parts))
    splits, grey = [], True
    for place, files, contents in listed:
        read = decoded(place, files, contents, size, log)
        rows = _whole_rows(place, files, read, settings.skip_corrupt, log)
        labels = np.array([file.label for file in files], dtype=np.int64)
        splits.append(RawSplit(read.images, labels).take(rows))
        grey = grey and bool((read.states[rows] == GREY).all())
    if grey:
        splits = [RawSplit(np.ascontiguousarray(s.images[:, :1]), s.labels) for s in splits]
    test = splits[1] if len(splits) > 1 else None
    held_out = f"images in {places[-1].name}"
    return RawImages(shown(root.resolve().name), names, splits[0], test, held_out)


def _whole_rows(
    place: Path,
    files: list[ImageFile],
    read: Decoded,
    skip_corrupt: bool,
    log: Callable[[str], None],
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the rows that are no corrupt files; DataError names those when not to be skipped."""
    corrupt = np.flatnonzero(read.states == CORRUPT)
    if len(corrupt) == 0:
        return np.arange(len(files))
    names = ", ".join(_described(place, files[row].name) for row in corrupt[:_NAMED])
    more = ", …" if len(corrupt) > _NAMED else ""
    told = f"{place}: {len(corrupt):,} of {len(files):,} images cannot be read: {names}{more}"
    if not skip_corrupt:
        raise DataError(f"{told}. Repair or remove them, or leave them out: data.skip_corrupt=true")
    log(f"{told}: left out")
    return np.flatnonzero(read.states != CORRUPT)


def _described(place: Path, name: str) -> str:
    """Return a file's name, and its size in words where that is what is wrong with it."""
    large = f" (more than {MOST_PIXELS // 1_000_000} million pixels)"
    return shown(name) + (large if oversized(place / name) else "")
