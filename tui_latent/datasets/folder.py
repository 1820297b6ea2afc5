"""An image folder as a dataset."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tui_latent.config.settings import DataSettings
from tui_latent.datasets.content_digests import Contents, read_contents
from tui_latent.datasets.decoded_images import decoded_images
from tui_latent.datasets.decoded_splits import EncodedSplit
from tui_latent.datasets.files_instead import files_instead
from tui_latent.datasets.folder_entries import ARRAYS, SUFFIXES
from tui_latent.datasets.folder_layout import ImageFile, refuse_strangers
from tui_latent.datasets.identity import DataIdentity, folder_part
from tui_latent.datasets.image_item import file_items
from tui_latent.datasets.listing import list_images, list_unlabelled
from tui_latent.datasets.selection import chosen_classes
from tui_latent.datasets.unlabelled_layout import layout_of
from tui_latent.runtime.sanitize import printable
from tui_latent.sources.errors import DataError
from tui_latent.sources.files.raw import RawImages


def load_folder(
    settings: DataSettings,
    log: Callable[[str], None],
    found: Callable[[DataIdentity], None] = lambda _: None,
    poll: Callable[[], None] = lambda: None,
) -> RawImages:
    """Read an image folder; decode the images that are not in the cache.

    Only the classes in `settings.classes` are read. The images have one channel if all files are
    grey. `found` is called with the identity of the images before any of them is decoded; an
    exception from it ends the loading. `poll` is called throughout and may raise. DataError names
    a folder with an unsupported layout, or the corrupt files (unless `settings.skip_corrupt`).
    """
    root = Path(settings.path).expanduser()
    layout = layout_of(settings, root, poll)
    places: list[tuple[Path, Sequence[str | None]]] = [(layout.train, layout.folders)]
    if layout.test is not None and not settings.val_fraction:
        refuse_strangers(layout, settings.classes)
        places.append((layout.test, layout.test_folders))
    kept = chosen_classes(layout.class_names, settings.classes)
    notes = list(layout.notes)
    listed: list[tuple[Path, list[ImageFile], Contents]] = []
    for place, folders in places:
        if layout.folders:
            listing = list_images(place, [folders[i] for i in kept], poll)
        else:
            listing = list_unlabelled(place, poll)
        words = listing.notes()
        if not listing.files:
            inside = [name for name in (folders[i] for i in kept) if name] if folders else [""]
            there = next(filter(None, (files_instead(place / name) for name in inside)), "")
            raise _no_images(place, there, words, bool(listed), classes=bool(layout.folders))
        notes += [f"{place.name}: {note}" if len(places) > 1 else note for note in words]
        listed.append((place, listing.files, read_contents(place, listing.files, log, poll)))
    names = tuple(layout.class_names[i] for i in kept)
    parts = tuple(folder_part(place.name, files, of) for place, files, of in listed)
    found(DataIdentity(os.path.realpath(root), names, parts))
    encoded = [
        EncodedSplit(
            str(place), file_items(place, files), [f.name for f in files], of, _labels(files)
        )
        for place, files, of in listed
    ]
    name, held_out = printable(root.resolve().name), f"images in {places[-1][0].name}"
    return decoded_images(encoded, settings, name, names, held_out, notes, log, poll)


def _labels(files: Sequence[ImageFile]) -> NDArray[np.int64]:
    return np.array([file.label for file in files], dtype=np.int64)


def _no_images(
    place: Path, there: str, notes: list[str], held_out: bool, classes: bool
) -> DataError:
    why = "; ".join((f"no images ({' '.join(sorted({*SUFFIXES, ARRAYS}))}){there}", *notes))
    if held_out:
        of_them = "some of the classes used" if classes else "some"
        why += f": add {of_them}, or hold out training images: data.val_fraction=0.2"
    return DataError(f"{place}: {'its class folders have' if classes else 'contains'} {why}")
