"""What people call the images of a run: paths, ids or numbers, and which latent each one has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tui_latent.image_columns import read_columns
from tui_latent.runs.manifest import read_manifest
from tui_latent.runs.origin import origin_of
from tui_latent.runs.row_ids import read_row_ids
from tui_latent.runs.thumbnails import Split
from tui_latent.sources.files.columns import Column
from tui_latent.trained_on import read_trained_on

UNUSED: Final = -1
"""row of an image that the run knows and did not use: unreadable, or more than data.per_class"""

_IDS: Final = ("id", "ids", "key")
"""titles of the column of a table that names its images, in any case"""
_MOST_DIGITS: Final = 15


class Place(NamedTuple):
    """Where the latent of an image is."""

    split: Split
    row: int
    """UNUSED if the image has no latent"""


class _Numbers(NamedTuple):
    """The numbers of the latents of a split."""

    titles: Sequence[str]
    """what may stand before a number"""
    sorted: NDArray[np.int64]
    rows: NDArray[np.int64]
    split: Split
    plain: bool
    """whether a number alone is enough"""


class LatentNames:
    """Finds the latents that a text names."""

    def __init__(self) -> None:
        self._names: dict[str, list[tuple[str, Place]]] = {}
        self._last: dict[str, list[str]] = {}
        """names by the last part of a path"""
        self._numbers: list[_Numbers] = []
        self.example = ""
        """a text that names an image"""

    def find(self, text: str) -> list[Place]:
        """Return where the image that a text names is; nothing if it is not known, and several
        places if more than one has that name.

        A path may be absolute, or begin anywhere above the image.
        """
        if text in self._names:
            return [place for _, place in self._names[text]]
        if numbered := self._numbered(text):
            return numbered
        parts = [part for part in text.replace("\\", "/").split("/") if part not in ("", ".")]
        for start in range(len(parts)):
            of_split = self._names.get("/".join(parts[start + 1 :]), [])
            if found := [place for title, place in of_split if title == parts[start]]:
                return found
            if found := [place for _, place in self._names.get("/".join(parts[start:]), [])]:
                return found
        last = self._last.get(parts[0], []) if len(parts) == 1 else []
        return [place for name in last for _, place in self._names[name]]

    def _numbered(self, text: str) -> list[Place]:
        before, slash, number = text.rpartition("/")
        whole, dot, fraction = number.partition(".")
        if not whole.isdecimal() or (dot and fraction.strip("0")) or len(whole) > _MOST_DIGITS:
            return []
        wanted, found = int(whole), []
        for numbers in self._numbers:
            if before.casefold() not in numbers.titles if slash else not numbers.plain:
                continue
            first, end = np.searchsorted(numbers.sorted, [wanted, wanted + 1])
            found += [Place(numbers.split, int(row)) for row in numbers.rows[first:end]]
        return found

    def add_names(self, title: str, names: Sequence[str], places: Iterable[Place]) -> None:
        """Add images by path or id; `title/name` names them too."""
        for name, place in zip(names, places, strict=True):
            if "/" in name and name not in self._names:
                self._last.setdefault(name.rpartition("/")[2], []).append(name)
            self._names.setdefault(name, []).append((title, place))
        if len(names):
            self.example = self.example or names[0]

    def add_numbers(
        self, titles: Sequence[str], numbers: NDArray[np.int64], split: Split, plain: bool
    ) -> None:
        """Add images by number, as `title/7`, and as `7` if `plain`."""
        order = np.argsort(numbers, kind="stable")
        self._numbers.append(_Numbers(titles, numbers[order], order, split, plain))
        if len(numbers):
            first = str(numbers[0]) if plain else f"{titles[0]}/{numbers[0]}"
            self.example = self.example or first


def latent_names(run: Path, train: int, val: int) -> LatentNames:
    """Return the names of a run's latents, of which there are `train` and `val`.

    An image of a folder is named by its path, one of a table by its path or its id. One of an
    archive of arrays or a public dataset is named by its row there. A row of an opened file is
    named by its id or its number, and a latent of a user's own loop by its place among the
    held-out ones, as `7` or `val/7`, or among the training ones, as `train/7`. RunError if the
    record of the images is damaged.
    """
    found = LatentNames()
    ids = read_row_ids(run)
    counts: dict[Split, int] = {"val": val, "train": train}
    for split, count in counts.items():
        of = ids.get(split)
        if of is None or len(of.rows) != count:
            continue
        if of.ids:
            found.add_names(split, of.ids, [Place(split, row) for row in range(count)])
        if not any(name.isdecimal() for name in of.ids):
            found.add_numbers((split,), of.rows, split, plain=True)
    if not ids and origin_of(read_manifest(run).provenance) == "trained":
        _add_trained(found, run, train, val)
    if not found.example:
        found.add_numbers(("val",), np.arange(val), "val", plain=True)
        found.add_numbers(("train",), np.arange(train), "train", plain=False)
    return found


def _add_trained(found: LatentNames, run: Path, train: int, val: int) -> None:
    """Add the images that a run was trained on, if it has recorded which latent is which."""
    trained_on = read_trained_on(run)
    places = None if trained_on is None else trained_on.places
    if trained_on is None or places is None or (len(places.train), len(places.val)) != (train, val):
        return
    parts = trained_on.identity.parts
    of_parts: list[dict[int, Place]] = [{}, {}]
    of_parts[0] = {place: Place("train", row) for row, place in enumerate(places.train.tolist())}
    of_parts[int(places.own_test)] |= {
        place: Place("val", row) for row, place in enumerate(places.val.tolist())
    }
    _add_ids(found, run, {"train": train, "val": val})
    if any(part.names for part in parts):
        for part, rows in zip(parts, of_parts, strict=False):
            known = (rows.get(i, Place("train", UNUSED)) for i in range(len(part.names)))
            found.add_names(part.title, part.names, known)
        return
    single = not places.own_test
    found.add_numbers(("train",), places.train, "train", plain=single)
    if single:
        found.add_numbers(("train",), places.val, "val", plain=True)
    else:
        found.add_numbers(("test", "val"), places.val, "val", plain=False)


def _add_ids(found: LatentNames, run: Path, counts: Mapping[Split, int]) -> None:
    """Add the images of a table by their ids, if it has any."""
    columns = read_columns(run)
    by_split: dict[Split, tuple[Column, ...]] = {"train": columns.train, "val": columns.val}
    for split, of_split in by_split.items():
        ids = next((c for c in of_split if c.name.casefold() in _IDS), None)
        if ids is not None and len(ids) == counts[split]:
            rows = range(len(ids))
            texts = [ids.text(row) for row in rows]
            named = [
                (text, Place(split, row)) for text, row in zip(texts, rows, strict=True) if text
            ]
            found.add_names(split, [text for text, _ in named], [place for _, place in named])
