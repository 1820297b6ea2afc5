"""Folders that are found to be classes, but look like something else."""

from __future__ import annotations

from collections.abc import Callable

from tui_latent.datasets.folder_entries import entries_of, listed
from tui_latent.datasets.folder_layout import FolderLayout
from tui_latent.datasets.splits import is_images_name, is_images_with_masks
from tui_latent.runtime.sanitize import printable
from tui_latent.sources.errors import DataError

_LOOKED_AT = 1000
"""maximum number of entries examined in a folder"""
_MOST_SPLITS = 3


def refuse_doubtful(layout: FolderLayout, poll: Callable[[], None]) -> None:
    """Raise DataError for a few folders that look like splits, or like images with their masks.

    The first contain nothing but folders, with the same names in each. Whoever names the classes
    in data.classes is not asked.
    """
    folders = layout.folders
    if not 2 <= len(folders) <= _MOST_SPLITS:
        return
    names = ", ".join(f'"{name}"' for name in map(printable, folders))
    sure = f"or, if they are classes, name them: data.classes=[{names}]"
    if is_images_with_masks(folders):
        images = next(name for name in folders if is_images_name(name))
        raise DataError(
            f"{layout.train}: {listed(folders)} look like images and their masks or labels, not "
            f"like classes: set data.path to {layout.train / images}, {sure}"
        )
    if layout.test is not None:
        return
    inside = [entries_of(layout.train / name, poll, _LOOKED_AT) for name in folders]
    within = {tuple(entries.folders) for entries in inside}
    if len(within) > 1 or any(entries.images for entries in inside) or len(inside[0].folders) < 2:
        return
    if all(name.isdecimal() for name in inside[0].folders):
        return  # years and the like
    raise DataError(
        f"{layout.train}: {listed(folders)} contain folders of the same names "
        f"({listed(inside[0].folders)}), like splits: rename them to train and test, set data.path "
        f"to {layout.train / folders[0]}, {sure}"
    )
