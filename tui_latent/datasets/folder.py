"""An image folder as a dataset."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tui_latent.config.settings import DataSettings
from tui_latent.datasets.bit_depth import share_ranges
from tui_latent.datasets.content_digests import Contents, read_contents
from tui_latent.datasets.decoded_cache import CORRUPT, GREY, Decoded, decoded
from tui_latent.datasets.folder_entries import SUFFIXES
from tui_latent.datasets.folder_layout import DEFAULT_SIZE, ImageFile, refuse_strangers
from tui_latent.datasets.identity import DataIdentity, folder_part
from tui_latent.datasets.image_file import CROPPED, FRAMES, MOST_PIXELS, TRANSPARENT, oversized
from tui_latent.datasets.listing import list_images, list_unlabelled
from tui_latent.datasets.selection import chosen_classes
from tui_latent.datasets.unlabelled_layout import layout_of
from tui_latent.runtime.sanitize import printable
from tui_latent.sources.errors import DataError
from tui_latent.sources.files.raw import RawImages, RawSplit

_NAMED = 5
"""maximum number of corrupt files named in a message"""
_DONE = (
    (TRANSPARENT, "with transparency, on a white background (black if the visible part is white)"),
    (CROPPED, "not square, cropped to the centre square"),
    (FRAMES, "of several frames, reduced to the first"),
)


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
    size = settings.size or DEFAULT_SIZE
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
            raise _no_images(place, words, bool(listed), classes=bool(layout.folders))
        notes += [f"{place.name}: {note}" if len(places) > 1 else note for note in words]
        listed.append((place, listing.files, read_contents(place, listing.files, log, poll)))
    names = tuple(layout.class_names[i] for i in kept)
    parts = tuple(folder_part(place.name, files, of) for place, files, of in listed)
    found(DataIdentity(os.path.realpath(root), names, parts))
    splits: list[tuple[Decoded, NDArray[np.int64], NDArray[np.int64]]] = []
    for place, files, contents in listed:
        read = decoded(place, files, contents, size, log, poll)
        rows = _whole_rows(place, files, read, settings.skip_corrupt, log)
        labels = np.array([file.label for file in files], dtype=np.int64)
        splits.append((read, labels, rows))
    images, greys = share_ranges([read for read, _, _ in splits])
    notes += greys
    whole = np.concatenate([read.notes[rows] for read, _, rows in splits])
    notes += [f"{n:,} {words}" for bit, words in _DONE if (n := np.count_nonzero(whole & bit))]
    raw = [
        RawSplit(pixels, labels).take(rows)
        for pixels, (_, labels, rows) in zip(images, splits, strict=True)
    ]
    if all((read.states[rows] == GREY).all() for read, _, rows in splits):
        raw = [replace(s, images=s.images[:, :1]) for s in raw]
    return RawImages(
        printable(root.resolve().name),
        names,
        raw[0],
        raw[1] if len(raw) > 1 else None,
        f"images in {places[-1][0].name}",
        tuple(notes),
    )


def _no_images(place: Path, notes: list[str], held_out: bool, classes: bool) -> DataError:
    why = "; ".join((f"no images ({' '.join(sorted(SUFFIXES))})", *notes))
    if held_out:
        of_them = "some of the classes used" if classes else "some"
        why += f": add {of_them}, or hold out training images: data.val_fraction=0.2"
    return DataError(f"{place}: {'its class folders have' if classes else 'contains'} {why}")


def _whole_rows(
    place: Path,
    files: list[ImageFile],
    read: Decoded,
    skip_corrupt: bool,
    log: Callable[[str], None],
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the rows of intact files; DataError names corrupt ones unless they are skipped."""
    corrupt = np.flatnonzero(read.states == CORRUPT)
    if len(corrupt) == 0:
        return np.arange(len(files))
    names = ", ".join(_described(place, files[row].name) for row in corrupt[:_NAMED])
    more = ", …" if len(corrupt) > _NAMED else ""
    problem = f"{place}: {len(corrupt):,} of {len(files):,} images cannot be read: {names}{more}"
    if not skip_corrupt:
        raise DataError(f"{problem}. Repair, remove or skip them: data.skip_corrupt=true")
    log(f"{problem}: skipped")
    return np.flatnonzero(read.states != CORRUPT)


def _described(place: Path, name: str) -> str:
    """Return the name of a corrupt file, with a remark if it is too large."""
    large = f" (more than {MOST_PIXELS // 1_000_000} million pixels)"
    return printable(name) + (large if oversized(place / name) else "")
