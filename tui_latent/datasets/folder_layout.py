"""The layout of an image folder: which folder is which class or split; opens no image."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tui_latent.datasets.class_folders import matched_folders, same_folders
from tui_latent.datasets.files_instead import files_instead, use_of_file
from tui_latent.datasets.folder_entries import Entries, entries_of, is_image_name, listed
from tui_latent.datasets.splits import Role, roles_within, split_role
from tui_latent.nouns import counted
from tui_latent.runtime.near_names import near_names
from tui_latent.runtime.sanitize import printable
from tui_latent.sources.errors import DataError
from tui_latent.sources.naming import composed, look_alike, natural_order, shown_names

DEFAULT_SIZE = 64
"""side of the images in pixels if `data.size` is 0"""
_LOOKED_AT = 1000
"""maximum number of entries examined to find out what kind of folder it is"""
LOOKED_INTO = 20
"""maximum number of folders examined to find out what kind of folders they are"""


@dataclass(frozen=True)
class FolderLayout:
    """The folders of a dataset."""

    train: Path
    """folder with one folder per class, or with images if there are no classes"""
    test: Path | None
    """the same for held-out images; None if a share of the training images is held out"""
    folders: tuple[str, ...]
    """folder of each class, in the order of the classes; none if images have no classes"""
    test_folders: tuple[str | None, ...] = ()
    """folder of each class in `test`; None if it has none"""
    strangers: tuple[str, ...] = ()
    """folders in `test` of classes that are not in `train`"""
    notes: tuple[str, ...] = ()
    """remarks on folders that were entered and on what is not used"""

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the folders, without characters that a screen cannot show."""
        return shown_names(self.folders)


class ImageFile(NamedTuple):
    """An image that was listed but not read; a tuple because a folder may hold millions."""

    name: str
    """path relative to the listed folder"""
    label: int
    """index of its class in the list; UNLABELLED if there are no classes"""
    size: int
    """bytes"""
    modified: int
    """modification time in nanoseconds since 1970"""
    changed: int
    """time of the last change of the inode, which archives cannot set"""
    inode: int


def find_layout(
    root: Path, poll: Callable[[], None] = lambda: None, plain: bool = False
) -> FolderLayout:
    """Find the training and held-out splits in `root`, or class folders if there are no splits.

    Splits are recognised by their names, in any case (train, Training; val, Validation, test,
    Testing, …), and by containing folders. If neither the folder nor splits in it contain folders
    but images, these have no classes. Folders created by a desktop or a NAS are ignored. A
    folder that contains only one folder of folders is entered. `plain` sorts the classes by
    their characters instead of in natural order. `poll` is called regularly and may raise.

    DataError names the folder and the expected layout; it is also raised for folders that could
    be either splits or classes.
    """
    require_folder(root)
    notes: list[str] = []
    seen: set[tuple[int, int]] = set()
    while True:
        entries = entries_of(root, poll)
        layout = _splits(root, entries, poll)
        if layout is not None or not is_wrapping(root, entries, seen):
            break
        root = root / entries.folders[0]
        notes = [f"entered {printable(str(root))}, the only folder there"]
    if layout is None:
        layout = _classes_alone(root, entries, poll)
    return _ordered(layout, plain, notes)


def require_folder(root: Path) -> None:
    """Raise DataError if there is no such folder; for a file it says what can be done with it."""
    if root.is_dir():
        return
    if not root.exists():
        raise DataError(f"data.path: no folder {root.absolute()}")
    name = root.name.casefold()
    helps = use_of_file(name)
    if is_image_name(name):
        helps = f"name the folder of the images: {root.absolute().parent}"
    raise DataError(
        f"data.path: {root.absolute()} is a file, not a folder of images: "
        f"{helps or 'name a folder'}"
    )


def refuse_strangers(layout: FolderLayout, wanted: Sequence[str]) -> None:
    """Raise DataError if a class in use has held-out images only.

    `wanted` is `data.classes`; classes that it leaves out do not matter.
    """
    if not layout.strangers or layout.test is None:
        return
    if not wanted:
        stranger = printable(layout.strangers[0])
        close = near_names(stranger, layout.class_names)
        hint = f"if it is '{close[0]}', give it that name; else " if close else ""
        raise DataError(
            f"{layout.test}: class '{stranger}' is not in {layout.train}: {hint}add it there, "
            "remove it, name the classes to use in data.classes, or set data.val_fraction=0.2 to "
            "hold out training images instead"
        )
    known = {composed(name) for name in layout.class_names}
    strange = {composed(name) for name in shown_names(layout.strangers)} - known
    for name in wanted:
        if composed(name) in strange:
            raise DataError(
                f"data.classes: class '{name}' is in {layout.test} and not in {layout.train}: "
                "add it there, or leave it out of data.classes"
            )


def _splits(root: Path, entries: Entries, poll: Callable[[], None]) -> FolderLayout | None:
    """Return the layout if folders of `root` are splits, else None."""
    known = {name: role for name in entries.folders if (role := split_role(name))}
    if not known:
        refuse_odd_splits(root, entries, poll)
        return None
    inside = {name: entries_of(root / name, poll, _LOOKED_AT) for name in known}
    others = [name for name in entries.folders if name not in known]
    with_images = _holding_images(root, others, poll)
    deep: dict[Role, list[str]] = {}
    for name, role in known.items():
        if inside[name].folders and not (inside[name].images and with_images):
            deep.setdefault(role, []).append(name)
    if not deep:
        if with_images and not ("train" in known.values() and len(set(known.values())) > 1):
            return None  # classes with such names, for example the vehicles train and bus
        return _flat_splits(root, known, inside, bool(with_images))
    if "train" not in deep:
        held_out = [name for names in deep.values() for name in names]
        _refuse_held_out_alone(root, held_out, others, with_images)
    if len(deep) == 1 and with_images:
        name = deep["train"][0]
        raise DataError(
            f"{root}: {printable(name)} contains folders, like a split, and "
            f"{listed(with_images)} contain images, like classes: set data.path to "
            f"{root / name} for the classes in it, or move the images of {printable(name)} out of "
            "their subfolders for a class of that name"
        )
    only_one_each(root, deep)
    train = _without_repeats(root / deep["train"][0], "train", poll)
    held: Role = "val" if "val" in deep else "test"
    used = {deep["train"][0]}
    test = None
    if held in deep:
        used.add(deep[held][0])
        test = _without_repeats(root / deep[held][0], held, poll)
        refuse_link(train, test)
    return _layout(train, test, not_used(entries.folders, used, train), poll)


def refuse_link(train: Path, test: Path) -> None:
    """Raise DataError if both splits are the same folder."""
    if train.samefile(test):
        raise DataError(f"{test}: the same folder as {train}: remove the link")


def not_used(folders: Iterable[str], used: Container[str], train: Path) -> list[str]:
    """Return a remark on the folders beside the splits, if there are any."""
    unused = [name for name in folders if name not in used]
    return [f"not used: {listed(unused)} beside {printable(train.name)}"] if unused else []


def only_one_each(root: Path, roles: Mapping[Role, list[str]]) -> None:
    """Raise DataError if several folders look like one split."""
    for role, names in roles.items():
        if len(names) > 1:
            raise DataError(
                f"{root}: {listed(names)} look like the {role} split: keep one of them there"
            )


def _flat_splits(
    root: Path, known: Mapping[str, Role], inside: Mapping[str, Entries], classes_beside: bool
) -> FolderLayout:
    """Return the splits of images without classes: of folders that contain no folders."""
    roles: dict[Role, list[str]] = {}
    for name, role in known.items():
        if inside[name].images:
            roles.setdefault(role, []).append(name)
    if "train" not in roles or classes_beside:
        raise _flat(root, known, inside)
    only_one_each(root, roles)
    held: Role = "val" if "val" in roles else "test"
    train = root / roles["train"][0]
    used = {roles["train"][0]}
    test = None
    if held in roles:
        used.add(roles[held][0])
        test = root / roles[held][0]
        refuse_link(train, test)
    return FolderLayout(train, test, (), notes=tuple(not_used(known, used, train)))


def _refuse_held_out_alone(
    root: Path, names: list[str], others: list[str], with_images: list[str]
) -> None:
    if with_images:
        raise DataError(
            f"{root}: {listed(names)} contains folders, like a split, and {listed(with_images)} "
            "contain images, like classes: move the classes into a folder called train, or the "
            f"images of {printable(names[0])} out of their subfolders for a class of that name"
        )
    meant = near_names("train", others) or near_names("training", others)
    add = f"rename {printable(meant[0])} to train" if meant else "add train"
    raise DataError(
        f"{root}: there is {listed(names)}, but no train with class folders: {add}, "
        f"or set data.path to {root / names[0]} to train on a part of it and hold out the rest"
    )


def refuse_odd_splits(root: Path, entries: Entries, poll: Callable[[], None]) -> None:
    """Refuse folders whose names only resemble splits: seg_train and seg_test, trainA, testB."""
    odd = {name: roles for name in entries.folders if (roles := roles_within(name))}
    if len(odd) < 2:
        return
    looked = {n: entries_of(root / n, poll, _LOOKED_AT) for n in list(odd)[:LOOKED_INTO]}
    deep = [name for name, inside in looked.items() if inside.folders and not inside.images]
    roles = {role for name_roles in odd.values() for role in name_roles}
    apart = "train" in roles and len(roles) > 1
    if (len(odd) == len(entries.folders) and apart) or len(deep) > 1:
        best = min(deep, key=lambda name: "train" not in odd[name], default="")
        advice = f"set data.path to {root / best}, or rename" if best else "rename"
        raise DataError(
            f"{root}: {listed(list(odd))} look like splits rather than classes: {advice} them "
            "to train and test, with a folder for each class in both"
        )


def _flat(root: Path, known: Mapping[str, Role], inside: Mapping[str, Entries]) -> DataError:
    name = min(known, key=lambda name: (not inside[name].images, known[name] != "train"))
    place, shown = root / name, printable(name)
    if not inside[name].images:
        return DataError(
            f"{place}: contains no class folders and no images{files_instead(place)}: put the "
            f"images of each class into a folder named after it, as in {shown}/<class>/…, or all "
            f"of them into {shown} if there are no classes"
        )
    return DataError(
        f"{place}: contains images, but no class folders: put the images of each class into a "
        f"folder named after it, as in {shown}/<class>/…, or set data.path to {place} for its "
        "images alone, without classes"
    )


def is_wrapping(root: Path, entries: Entries, seen: set[tuple[int, int]]) -> bool:
    """Return whether `root` contains only one folder, which itself contains only folders."""
    if len(entries.folders) != 1 or entries.images:
        return False
    status = root.stat()
    if (status.st_dev, status.st_ino) in seen:
        return False
    seen.add((status.st_dev, status.st_ino))
    inner = entries_of(root / entries.folders[0], lambda: None, _LOOKED_AT)
    return bool(inner.folders) and not inner.images


def _classes_alone(root: Path, entries: Entries, poll: Callable[[], None]) -> FolderLayout:
    for name in entries.folders[:LOOKED_INTO]:
        within = entries_of(root / name, poll, _LOOKED_AT).folders
        roles = {split_role(folder) for folder in within} - {None}
        if "train" in roles and len(roles) > 1:
            raise DataError(
                f"{root}: {printable(name)} contains {listed(within)}, so training and held-out "
                "images would be mixed: put the splits outermost, as in train/<class>/… and "
                f"test/<class>/…, or set data.path to {root / name}"
            )
    return _layout(root, None, [], poll, entries)


def _without_repeats(split: Path, role: Role, poll: Callable[[], None]) -> Path:
    """Return the innermost folder of a split whose name is repeated, as in train/train/cat."""
    entries = entries_of(split, poll)
    while len(entries.folders) == 1 and split_role(entries.folders[0]) == role:
        inner = entries_of(split / entries.folders[0], poll)
        if not inner.folders:
            break
        split, entries = split / entries.folders[0], inner
    return split


def _layout(
    train: Path,
    test: Path | None,
    notes: Iterable[str],
    poll: Callable[[], None],
    entries: Entries | None = None,
) -> FolderLayout:
    """Return the layout of two splits; `entries` are those of `train` if they are known."""
    folders, images = entries or entries_of(train, poll)
    if not folders and images:
        return FolderLayout(train, test, ())
    if not folders:
        raise DataError(
            f"{train}: no class folders and no images{files_instead(train)}: put the images of "
            "each class into a folder named after it, as in train/<class>/… and val/<class>/…, or "
            "in <class>/…, or all of them into this one if there are no classes"
        )
    notes = list(notes)
    if images:
        stray = counted(images, "image")
        notes.append(f"not used: {stray} outside the class folders; data.labels=none uses all "
                     "images, without classes")  # fmt: skip
    if clashing := look_alike(folders):
        notes.append(f"classes whose names look alike: {listed(clashing)}")
    if same := same_folders(train, folders):
        notes.append(f"the same folder, so the same images: {listed(same)}")
    held = [] if test is None else entries_of(test, poll).folders
    matched = matched_folders(folders, held)
    if other := [name for name, own in zip(folders, matched, strict=True) if own not in (None, name)
                 and composed(own or "") != composed(name)]:  # fmt: skip
        notes.append(f"matched although the case differs: {listed(other)}")
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


def _holding_images(root: Path, folders: list[str], poll: Callable[[], None]) -> list[str]:
    looked = natural_order(folders)[:LOOKED_INTO]
    return [name for name in looked if entries_of(root / name, poll, _LOOKED_AT).images]
