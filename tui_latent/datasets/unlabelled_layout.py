"""The layout of an image folder whose folders are not classes: `data.labels = "none"`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from tui_latent.config.settings import DataSettings
from tui_latent.datasets.doubtful_layout import refuse_doubtful
from tui_latent.datasets.folder_entries import entries_of, listed
from tui_latent.datasets.folder_layout import (
    LOOKED_INTO,
    FolderLayout,
    find_layout,
    is_wrapping,
    not_used,
    only_one_each,
    refuse_link,
    refuse_odd_splits,
    require_folder,
)
from tui_latent.datasets.splits import Role, split_role
from tui_latent.runtime.sanitize import printable


def layout_of(settings: DataSettings, root: Path, poll: Callable[[], None]) -> FolderLayout:
    """Return the layout of an image folder as `settings` ask for it: with classes or without.

    DataError as for `find_layout`.
    """
    if settings.labels == "none":
        return _layout_without_classes(root, poll)
    plain = settings.class_order == "plain"
    layout = find_layout(root, poll, plain)
    if not settings.classes and not plain:  # runs of version 0.1 keep what they took for classes
        refuse_doubtful(layout, poll)
    return layout


def _layout_without_classes(root: Path, poll: Callable[[], None]) -> FolderLayout:
    """Find the splits in `root`, by their names alone; if there are none, all of it is one."""
    require_folder(root)
    notes: list[str] = []
    seen: set[tuple[int, int]] = set()
    while True:
        entries = entries_of(root, poll)
        roles: dict[Role, list[str]] = {}
        for name in entries.folders:
            if role := split_role(name):
                roles.setdefault(role, []).append(name)
        if roles or not is_wrapping(root, entries, seen):
            break
        root = root / entries.folders[0]
        notes = [f"entered {printable(str(root))}, the only folder there"]
    if not roles:
        refuse_odd_splits(root, entries, poll)
        notes += _splits_within(root, entries.folders, poll)
    held: Role = "val" if "val" in roles else "test"
    both = "train" in roles and held in roles
    if not both and not any(entries_of(root / n, poll).folders for n in roles.get("train", ())):
        return FolderLayout(root, None, (), notes=tuple(notes))  # a folder may just be called so
    only_one_each(root, roles)
    train = root / roles["train"][0]
    test = root / roles[held][0] if both else None
    if test is not None:
        refuse_link(train, test)
    used = {place.name for place in (train, test) if place is not None}
    notes += not_used(entries.folders, used, train)
    return FolderLayout(train, test, (), notes=tuple(notes))


def _splits_within(root: Path, folders: Sequence[str], poll: Callable[[], None]) -> list[str]:
    """Return a remark on the first folder that contains splits, which are not kept apart."""
    for name in folders[:LOOKED_INTO]:
        splits = [folder for folder in entries_of(root / name, poll).folders if split_role(folder)]
        roles = {split_role(folder) for folder in splits}
        if "train" in roles and len(roles) > 1:
            return [
                f"{listed(splits)} in {printable(name)} are not kept apart: "
                f"data.path={printable(str(root / name))} does that"
            ]
    return []
