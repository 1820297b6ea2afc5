"""The identity of a dataset: the contents and order of its images, independent of file times."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tui_latent.datasets.content_digests import (
    BYTES,
    Contents,
    packed_names,
    unpacked_names,
)
from tui_latent.datasets.folder_layout import ImageFile
from tui_latent.datasets.row_digests import digests_of, kept_digests
from tui_latent.datasets.row_file import row_file
from tui_latent.nouns import counted
from tui_latent.sources.files.raw import UNLABELLED, RawImages, RawSplit, in_file

_TORN = (
    OSError, ValueError, TypeError, KeyError, EOFError, NotImplementedError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Part:
    """Images that belong together in the source, such as one split, in reading order."""

    title: str
    """ "train", "test", the folder's name"""
    labels: NDArray[np.int32]
    """(N,) indices into the class names; UNLABELLED where an image has no class"""
    contents: Contents
    """(N, BYTES) digest of each file, or of the pixels if an image is not a file of its own"""
    names: tuple[str, ...] = ()
    """paths of the files in the folder of this part; empty if images are not files"""


@dataclass(frozen=True, eq=False)
class DataIdentity:
    """What distinguishes the images of a source from all others.

    The location is recorded but not compared: a folder that was moved or copied is the same.
    """

    where: str
    """absolute path with links resolved, or the name of a source without a path"""
    class_names: tuple[str, ...]
    parts: tuple[Part, ...]

    def same_as(self, other: DataIdentity) -> bool:
        """Return whether both have the same images of the same classes in the same order."""
        return (
            self.class_names == other.class_names
            and len(self.parts) == len(other.parts)
            and all(map(_same, self.parts, other.parts))
        )


@dataclass(frozen=True, eq=False)
class Places:
    """Which image of a source each row of a dataset is."""

    train: NDArray[np.int64]
    """(N,) places in the first part, counted before classes are chosen"""
    val: NDArray[np.int64]
    """(M,) places in the first part, or in the second if the source holds out images of its own"""
    own_test: bool
    """whether `val` counts in the second part"""


def folder_part(title: str, files: Sequence[ImageFile], contents: Contents) -> Part:
    """Return the identity of listed files."""
    labels = np.array([file.label for file in files], dtype=np.int32)
    return Part(title, labels, contents, tuple(file.name for file in files))


def identity_of(raw: RawImages, where: str, kept: Sequence[int] | None = None) -> DataIdentity:
    """Return the identity of arrays of images; only of some classes if their indices are given."""
    splits = [("training images", raw.train), ("test images", raw.test)]
    parts = [_part(title, split, kept) for title, split in splits if split is not None]
    names = raw.class_names if kept is None else tuple(raw.class_names[i] for i in kept)
    return DataIdentity(where, names, tuple(parts))


def _part(title: str, split: RawSplit, kept: Sequence[int] | None) -> Part:
    labels, rows = split.labels, np.arange(len(split.labels))
    if kept is not None:
        rows = np.flatnonzero(np.isin(split.labels, kept))
        labels = np.searchsorted(kept, split.labels[rows])
    taken = rows if split.rows is None else split.rows[rows]
    file = row_file(split.images) if in_file(split.images) else None
    contents = digests_of(split.images, taken) if file is None else kept_digests(file)[taken]
    return Part(title, labels.astype(np.int32), contents)


def _same(one: Part, other: Part) -> bool:
    return np.array_equal(one.labels, other.labels) and np.array_equal(one.contents, other.contents)


def changes(then: DataIdentity, now: DataIdentity) -> str:
    """Describe the changes between two identities in one sentence; empty if there are none.

    Example: "train: 3 images added (cat/101.png, …), 1 changed (cat/003.png); the run had 1,200".
    """
    if then.same_as(now):
        return ""
    found = []
    more = [name for name in now.class_names if name not in then.class_names]
    fewer = [name for name in then.class_names if name not in now.class_names]
    found += [
        f"{_classes(names)} {how}" for names, how in ((more, "new"), (fewer, "gone")) if names
    ]
    for number in range(max(len(then.parts), len(now.parts))):
        old, new = (i.parts[number] if number < len(i.parts) else None for i in (then, now))
        words = _part_changes(old or _nothing(), new or _nothing(), then, now)
        if words:
            title = (new or old or _nothing()).title
            found.append(f"{title}: {words}; the run had {len((old or _nothing()).labels):,}")
    return "; ".join(found) or "the order of the classes has changed"


def _nothing() -> Part:
    return Part("", np.zeros(0, np.int32), np.zeros((0, BYTES), np.uint8))


def _classes(names: Sequence[str]) -> str:
    return f"{'class' if len(names) == 1 else 'classes'} {_some(names)}"


def _part_changes(old: Part, new: Part, then: DataIdentity, now: DataIdentity) -> str:
    before, after = _entries(old, then), _entries(new, now)
    if before == after:
        return ""
    named = bool(old.names or new.names)
    words = _named_changes(dict(before), dict(after)) if named else _counted(before, after)
    return ", ".join(words) or "the same images in a different order"


def _entries(part: Part, identity: DataIdentity) -> list[tuple[str, tuple[str, bytes]]]:
    """Return the name (or number) of each image with its class and digest; names are unique."""
    names = _numbered(part.names) or [f"number {row:,}" for row in range(len(part.labels))]
    content = part.contents.tobytes()
    names_of = dict(enumerate(identity.class_names)) | {UNLABELLED: ""}
    return [
        (name, (names_of[label], content[BYTES * row : BYTES * (row + 1)]))
        for row, (name, label) in enumerate(zip(names, part.labels.tolist(), strict=True))
    ]


def _numbered(names: Sequence[str]) -> list[str]:
    """Number the repetitions of a name: several rows of a table may have the same image."""
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(f"{name} ({seen[name]})" if seen[name] > 1 else name)
    return found


def _named_changes(
    before: dict[str, tuple[str, bytes]], after: dict[str, tuple[str, bytes]]
) -> list[str]:
    gone = [name for name in before if name not in after]
    new = [name for name in after if name not in before]
    both = [name for name in before if name in after]
    changed = [name for name in both if before[name][1] != after[name][1]]
    moved = [
        _class_change(name, before[name][0], after[name][0])
        for name in both
        if before[name][0] != after[name][0] and before[name][1] == after[name][1]
    ]
    at = {after[name][1]: name for name in new}
    renamed = {name: at.pop(before[name][1]) for name in gone if before[name][1] in at}
    words = [
        _listed([name for name in new if name not in renamed.values()], "added"),
        _listed([name for name in gone if name not in renamed], "removed"),
        f"{len(changed):,} changed ({_some(changed)})" if changed else "",
        _with_another_class(moved),
        f"{len(renamed):,} renamed ({_some([f'{a} to {b}' for a, b in renamed.items()])})"
        if renamed
        else "",
    ]
    return [word for word in words if word]


def _counted(
    before: list[tuple[str, tuple[str, bytes]]], after: list[tuple[str, tuple[str, bytes]]]
) -> list[str]:
    old, new = Counter(what for _, what in before), Counter(what for _, what in after)
    gone, come = old - new, new - old
    classes: dict[bytes, list[str]] = {}
    for name, digest in gone.elements():
        classes.setdefault(digest, []).append(name)
    moved, where = [], []
    for name, what in after:
        if come[what] < 1:
            continue
        come[what] -= 1
        if before_it := classes.get(what[1]):
            moved.append(_class_change(name, before_it.pop(), what[0]))
        else:
            where.append(name)
    fewer, more = gone.total() - len(moved), len(where)
    changed = min(fewer, more)
    words = [_count(more - changed, "added"), _count(fewer - changed, "removed")]
    if changed:
        words.append(f"{changed:,} changed ({_some(where)})")
    words.append(_with_another_class(moved))
    return [word for word in words if word]


def _class_change(name: str, before: str, after: str) -> str:
    return f"{name}: {before or 'no class'} to {after or 'no class'}"


def _with_another_class(images: Sequence[str]) -> str:
    return f"{len(images):,} with another class ({_some(images)})" if images else ""


def _listed(names: Sequence[str], how: str) -> str:
    return f"{_count(len(names), how)} ({_some(names)})" if names else ""


def _count(number: int, how: str) -> str:
    return f"{counted(number, 'image')} {how}" if number else ""


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:2]) + (", …" if len(names) > 2 else "")


def pack(identity: DataIdentity, places: Places | None = None, **about: object) -> bytes:
    """Return an identity, and other values that JSON can hold, as the bytes of a NumPy archive."""
    if places is not None:
        about["own_test"] = places.own_test
    values = {
        "where": identity.where,
        "class_names": identity.class_names,
        "parts": [part.title for part in identity.parts],
        **about,
    }
    arrays: dict[str, NDArray[np.generic]] = {
        "about": np.frombuffer(json.dumps(values).encode(), np.uint8)
    }
    for number, part in enumerate(identity.parts):
        arrays[f"labels_{number}"], arrays[f"contents_{number}"] = part.labels, part.contents
        arrays[f"names_{number}"] = packed_names(part.names)
    if places is not None:
        arrays["places_train"], arrays["places_val"] = places.train, places.val
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def unpack(path: Path) -> tuple[DataIdentity, dict[str, object]]:
    """Read a file written by `pack`; ValueError if it is damaged, OSError if it is missing."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            about = json.loads(arrays["about"].tobytes())
            parts = tuple(
                _read_part(str(title), *(arrays[f"{what}_{number}"] for what in _ARRAYS))
                for number, title in enumerate(about["parts"])
            )
            names = tuple(str(name) for name in about["class_names"])
            identity = DataIdentity(str(about["where"]), names, parts)
    except FileNotFoundError:
        raise
    except _TORN as error:
        raise ValueError(str(error)) from error
    if any(len(part.labels) and part.labels.max() >= len(names) for part in parts):
        raise ValueError("a label has no class")
    return identity, about


def unpack_places(path: Path) -> Places | None:
    """Read the places in a file written by `pack`; None if it has none. Raises as `unpack`."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if "places_train" not in arrays or "places_val" not in arrays:
                return None
            own_test = json.loads(arrays["about"].tobytes()).get("own_test") is True
            train, val = (arrays[f"places_{name}"].astype(np.int64) for name in ("train", "val"))
    except FileNotFoundError:
        raise
    except (*_TORN, AttributeError) as error:
        raise ValueError(str(error)) from error
    if train.ndim != 1 or val.ndim != 1:
        raise ValueError("there is not one place per image")
    return Places(train, val, own_test)


_ARRAYS = ("labels", "contents", "names")


def _read_part(
    title: str,
    labels: NDArray[np.int32],
    contents: NDArray[np.uint8],
    names: NDArray[np.uint8],
) -> Part:
    files = tuple(unpacked_names(names))
    if contents.shape != (len(labels), BYTES) or len(files) not in (0, len(labels)):
        raise ValueError("the arrays differ in length")
    if len(labels) and labels.min() < UNLABELLED:
        raise ValueError("a label is negative")
    return Part(title, labels.astype(np.int32), contents.astype(np.uint8), files)
