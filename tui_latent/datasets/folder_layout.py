"""The layout of an image folder: which folder is which class and split; reads no image."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tui_latent.datasets.splits import Role, is_rubbish, roles_within, split_role
from tui_latent.sources.errors import DataError, shown
from tui_latent.sources.naming import natural_order, plain_text, shown_names

SUFFIXES = frozenset(
    f".{suffix}"
    for suffix in (
        *("jpg", "jpeg", "jpe", "jfif", "png", "bmp", "gif", "webp"),
        *("tif", "tiff", "ppm", "pgm", "pbm", "pnm"),
    )
)
DEFAULT_SIZE = 64
"""pixels a side where `data.size` does not say"""
_LOOKED_AT = 1000
"""entries of a folder that are looked at to know what kind of folder it is"""
_LOOKED_INTO = 20
"""folders that are looked into to know what kind of folders they are"""
_NAMED = 5
"""folders named in a message"""


@dataclass(frozen=True)
class FolderLayout:
    """The folders of a dataset."""

    train: Path
    """its folders are the classes"""
    test: Path | None
    """held out; None where a share of the training images will be"""
    folders: tuple[str, ...]
    """of the classes, in their order"""
    test_folders: tuple[str | None, ...] = ()
    """of each class in `test`; None where it has none"""
    strangers: tuple[str, ...] = ()
    """folders of `test` that are of no class in `train`"""
    notes: tuple[str, ...] = ()
    """what was looked into and what is not used, in words"""

    @property
    def class_names(self) -> tuple[str, ...]:
        """The folders' names as a screen can show them."""
        return shown_names(self.folders)


class ImageFile(NamedTuple):
    """One image, found but not read; a folder may hold millions."""

    name: str
    """path below the folder listed"""
    label: int
    """position among the classes listed"""
    size: int
    """bytes"""
    modified: int
    """nanoseconds since 1970"""
    changed: int
    """the same, of the inode: what no archive sets"""
    inode: int


class _Entries(NamedTuple):
    """What lies directly in a folder."""

    folders: list[str]
    images: int


def find_layout(
    root: Path, look: Callable[[], None] = lambda: None, plain: bool = False
) -> FolderLayout:
    """Look for a split to train on and one held out in `root`, else for folders of classes.

    Splits are known by name, in any case (train, Training; val, Validation, test, Testing, …)
    and by holding folders; folders that a desktop or a NAS left behind are ignored. A folder
    that holds nothing but one folder of folders is looked into. `look` is called now and then and
    may raise. `plain` orders the classes by their characters instead of naturally.

    DataError names the folder and the layout wanted, also for folders that are neither clearly
    splits nor clearly classes.
    """
    if not root.is_dir():
        raise DataError(f"data.path: no folder {root}")
    notes: list[str] = []
    seen: set[tuple[int, int]] = set()
    while True:
        entries = _entries(root, look)
        layout = _splits(root, entries, look)
        if layout is not None or not _is_wrapping(root, entries, seen):
            break
        root = root / entries.folders[0]
        notes = [f"looked into {shown(str(root))}, the only folder there"]
    if layout is None:
        layout = _classes_alone(root, entries, look)
    return _ordered(layout, plain, notes)


def refuse_strangers(layout: FolderLayout, wanted: Sequence[str]) -> None:
    """Raise DataError where a class to be used is held out only.

    `wanted` is `data.classes`: what it leaves out may be anywhere.
    """
    if not layout.strangers or layout.test is None:
        return
    if not wanted:
        raise DataError(
            f"{layout.test}: class '{shown(layout.strangers[0])}' is not in {layout.train}: add "
            "it there, remove it, name the classes to use in data.classes, or set "
            "data.val_fraction=0.2 to hold out training images instead"
        )
    for name in wanted:
        if name in shown_names(layout.strangers) and name not in layout.class_names:
            raise DataError(
                f"data.classes: class '{name}' is in {layout.test} and not in {layout.train}: "
                "add it there, or leave it out of data.classes"
            )


def _splits(root: Path, entries: _Entries, look: Callable[[], None]) -> FolderLayout | None:
    """Return the layout where folders of `root` are splits, None where they are not."""
    known = {name: role for name in entries.folders if (role := split_role(name))}
    if not known:
        _refuse_odd_splits(root, entries, look)
        return None
    inside = {name: _entries(root / name, look, _LOOKED_AT) for name in known}
    others = [name for name in entries.folders if name not in known]
    with_images = _holding_images(root, others, look)
    deep: dict[Role, list[str]] = {}
    for name, role in known.items():
        if inside[name].folders and not (inside[name].images and with_images):
            deep.setdefault(role, []).append(name)
    if not deep:
        if with_images and not ("train" in known.values() and len(set(known.values())) > 1):
            return None  # classes that happen to be called so, such as the vehicles train and bus
        raise _flat(root, known, inside)
    if "train" not in deep:
        _refuse_held_out_alone(root, [n for names in deep.values() for n in names], with_images)
    if len(deep) == 1 and with_images:
        name = deep["train"][0]
        raise DataError(
            f"{root}: {shown(name)} holds folders, as a split does, and {_listed(with_images)} "
            "hold images, as classes do: set data.path to "
            f"{root / name} for the classes in it, or move the images of {shown(name)} out of "
            "their sub-folders for a class of that name"
        )
    for role, names in deep.items():
        if len(names) > 1:
            raise DataError(
                f"{root}: {_listed(names)} all look like the {role} split: keep one of them there"
            )
    train = _without_repeats(root / deep["train"][0], "train", look)
    held: Role = "val" if "val" in deep else "test"
    used = {deep["train"][0]}
    test = None
    if held in deep:
        used.add(deep[held][0])
        test = _without_repeats(root / deep[held][0], held, look)
        if train.samefile(test):
            raise DataError(f"{test}: is the same folder as {train}: remove the link")
    unused = [name for name in entries.folders if name not in used]
    notes = [f"not used: {_listed(unused)} beside {shown(train.name)}"] if unused else []
    return _layout(train, test, notes, look)


def _refuse_held_out_alone(root: Path, names: list[str], with_images: list[str]) -> None:
    if with_images:
        raise DataError(
            f"{root}: {_listed(names)} holds folders, as a split does, and {_listed(with_images)} "
            "hold images, as classes do: move the classes into a folder called train, or the "
            f"images of {shown(names[0])} out of their sub-folders for a class of that name"
        )
    raise DataError(
        f"{root}: there is {_listed(names)} and no train with class folders: put train beside "
        f"it, or set data.path to {root / names[0]} to train on a part of it and hold out the rest"
    )


def _refuse_odd_splits(root: Path, entries: _Entries, look: Callable[[], None]) -> None:
    """Refuse folders called like splits, but not quite: seg_train and seg_test, trainA, testB."""
    odd = {name: roles for name in entries.folders if (roles := roles_within(name))}
    if len(odd) < 2:
        return
    looked = {n: _entries(root / n, look, _LOOKED_AT) for n in list(odd)[:_LOOKED_INTO]}
    deep = [name for name, inside in looked.items() if inside.folders and not inside.images]
    roles = {role for name_roles in odd.values() for role in name_roles}
    apart = "train" in roles and len(roles) > 1
    if (len(odd) == len(entries.folders) and apart) or len(deep) > 1:
        advice = f"set data.path to {root / deep[0]}, or rename" if deep else "rename"
        raise DataError(
            f"{root}: {_listed(list(odd))} look like splits and not like classes: {advice} them "
            "to train and test, with a folder for each class in both"
        )


def _flat(root: Path, known: dict[str, Role], inside: dict[str, _Entries]) -> DataError:
    name = min(known, key=lambda name: (not inside[name].images, known[name] != "train"))
    holds = "images and " if inside[name].images else ""
    return DataError(
        f"{root / name}: holds {holds}no class folders: put the images of each class into a "
        f"folder named after it, as {shown(name)}/<class>/…; without classes put all into one"
    )


def _is_wrapping(root: Path, entries: _Entries, seen: set[tuple[int, int]]) -> bool:
    """Say whether all there is in `root` is one folder that itself holds folders only."""
    if len(entries.folders) != 1 or entries.images:
        return False
    status = root.stat()
    if (status.st_dev, status.st_ino) in seen:
        return False
    seen.add((status.st_dev, status.st_ino))
    inner = _entries(root / entries.folders[0], lambda: None, _LOOKED_AT)
    return bool(inner.folders) and not inner.images


def _classes_alone(root: Path, entries: _Entries, look: Callable[[], None]) -> FolderLayout:
    for name in entries.folders[:_LOOKED_INTO]:
        within = _entries(root / name, look, _LOOKED_AT).folders
        roles = {split_role(folder) for folder in within} - {None}
        if "train" in roles and len(roles) > 1:
            raise DataError(
                f"{root}: {shown(name)} holds {_listed(within)}, so training and held-out images "
                "would be mixed: put the splits outermost, as train/<class>/… and test/<class>/…"
                f"; or set data.path to {root / name}"
            )
    return _layout(root, None, [], look)


def _without_repeats(split: Path, role: Role, look: Callable[[], None]) -> Path:
    """Return the folder of a split, below those that only repeat its name: train/train/cat."""
    entries = _entries(split, look)
    while len(entries.folders) == 1 and split_role(entries.folders[0]) == role:
        inner = _entries(split / entries.folders[0], look)
        if not inner.folders:
            break
        split, entries = split / entries.folders[0], inner
    return split


def _layout(
    train: Path, test: Path | None, notes: Iterable[str], look: Callable[[], None]
) -> FolderLayout:
    folders, images = _entries(train, look)
    if not folders:
        raise DataError(
            f"{train}: no class folders: put the images of each class into a folder named after "
            "it, as train/<class>/… and val/<class>/…, or as <class>/…"
        )
    notes = list(notes)
    if images:
        notes.append(f"not used: {images:,} images in no class folder")
    clashing = _clashing(folders)
    if clashing:
        notes.append(f"classes that differ by case only: {_listed(clashing)}")
    held = [] if test is None else _entries(test, look).folders
    by_text = {plain_text(name): name for name in held} | {name: name for name in held}
    matched = tuple(by_text.get(name, by_text.get(plain_text(name))) for name in folders)
    strangers = tuple(natural_order(set(held).difference(matched)))
    return FolderLayout(train, test, tuple(folders), matched, strangers, tuple(notes))


def _ordered(layout: FolderLayout, plain: bool, notes: list[str]) -> FolderLayout:
    names = sorted(layout.folders) if plain else natural_order(layout.folders)
    held = dict(zip(layout.folders, layout.test_folders, strict=True))
    return FolderLayout(
        layout.train,
        layout.test,
        tuple(names),
        tuple(held[name] for name in names),
        layout.strangers,
        (*notes, *layout.notes),
    )


def _clashing(names: Sequence[str]) -> list[str]:
    by_text: dict[str, list[str]] = {}
    for name in names:
        by_text.setdefault(name.casefold(), []).append(name)
    return [name for same in by_text.values() if len(same) > 1 for name in same]


def _holding_images(root: Path, folders: list[str], look: Callable[[], None]) -> list[str]:
    looked = natural_order(folders)[:_LOOKED_INTO]
    return [name for name in looked if _entries(root / name, look, _LOOKED_AT).images]


def _entries(folder: Path, look: Callable[[], None], most: int | None = None) -> _Entries:
    """Return the folders, sorted, and how many images lie in a folder, of its first `most`."""
    folders, images = [], 0
    try:
        with os.scandir(folder) as entries:
            for number, entry in enumerate(entries):
                if number == most:
                    break
                look()
                if is_folder(entry):
                    if not is_rubbish(entry.name):
                        folders.append(entry.name)
                elif is_image_name(entry.name):
                    images += 1
    except OSError as error:
        raise DataError(f"{folder}: {error.strerror}: make it readable") from error
    return _Entries(sorted(folders), images)


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a folder or leads to one; a link that leads nowhere does not."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def is_image_name(name: str) -> bool:
    """Whether a file is an image by its suffix, and not hidden."""
    return not name.startswith(".") and name[name.rfind(".") :].lower() in SUFFIXES


def _listed(names: Sequence[str]) -> str:
    more = f", … ({len(names):,} in all)" if len(names) > _NAMED else ""
    listed = natural_order(names)[:_NAMED]
    if more or len(listed) == 1:
        return ", ".join(map(shown, listed)) + more
    return f"{', '.join(map(shown, listed[:-1]))} and {shown(listed[-1])}"
