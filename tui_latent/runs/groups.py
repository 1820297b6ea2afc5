"""`groups.json`: names that people gave to groups of held-out images.

A group is kept as its images, not as the number of a cluster: clusters are found again at each
evaluation, and a name must stay with what it was given to. An image is in one group at most.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.runs.atomic_files import replace_file
from tui_latent.runs.file_lock import one_at_a_time
from tui_latent.runs.schema import RunError
from tui_latent.runtime.regular_files import read_small
from tui_latent.runtime.sanitize import plain_name

GROUPS_FILE: Final = "groups.json"
LONGEST_NAME: Final = 40
_MOST_BYTES: Final = 1 << 26
_MOST_IMAGES: Final = 10_000_000
"""in a group, and the positions that its images can have"""

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Group:
    """Images that people gave a name."""

    name: str
    images: Ints
    """(n,) positions in the held-out split, ascending"""


def read_groups(path: Path) -> tuple[Group, ...]:
    """Read the groups of the run at `path`; none if the file is missing or damaged."""
    try:
        table = json.loads(read_small(path / GROUPS_FILE, _MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return ()
    found = table.get("groups") if isinstance(table, dict) else None
    groups = [_group(each) for each in found] if isinstance(found, list) else []
    return tuple(group for group in groups if group is not None)


def name_images(path: Path, name: str, images: Ints) -> tuple[Group, ...]:
    """Give images of the run at `path` a name; return all groups.

    They leave the groups that they were in, and a group of this name loses its other images. An
    empty name only takes them out of their groups. RunError when the folder cannot be written.
    """
    name = plain_name(" ".join(name.split()))[:LONGEST_NAME]
    try:
        with one_at_a_time(path / "control.lock"):  # guards all files that people write
            groups = [
                Group(group.name, np.setdiff1d(group.images, images))
                for group in read_groups(path)
                if group.name != name
            ]
            if name:
                groups.append(Group(name, np.unique(np.asarray(images, np.int64))))
            groups = [group for group in groups if len(group.images)]
            replace_file(path / GROUPS_FILE, _text(groups).encode())
    except OSError as error:
        raise RunError(
            f"{path}: the names of groups cannot be written: {error.strerror or error}"
        ) from error
    return tuple(groups)


def group_of_each(groups: Sequence[Group], positions: Ints) -> Ints:
    """Return the group of each image, (n,) positions in `groups`; -1 where it is in none."""
    result = np.full(len(positions), -1, np.int64)
    for number, group in enumerate(groups):
        result[np.isin(positions, group.images)] = number
    return result


def _text(groups: Sequence[Group]) -> str:
    """Write the groups as JSON; neighbouring positions as [first, last]."""
    table = [{"name": group.name, "images": _ranges(group.images)} for group in groups]
    return json.dumps({"groups": table})


def _ranges(images: Ints) -> list[list[int]]:
    breaks = np.flatnonzero(np.diff(images) != 1)
    firsts = images[np.concatenate([[0], breaks + 1])].tolist()
    lasts = images[np.concatenate([breaks, [len(images) - 1]])].tolist()
    return [[first, last] for first, last in zip(firsts, lasts, strict=True)]


def _group(table: Any) -> Group | None:
    """Return a group, None if the table is not one."""
    if not isinstance(table, dict):
        return None
    name, images = table.get("name"), table.get("images")
    if not isinstance(name, str) or not plain_name(name).strip() or not isinstance(images, list):
        return None
    pieces, count = list[Ints](), 0
    for pair in images:
        if not (isinstance(pair, list) and len(pair) == 2 and all(type(x) is int for x in pair)):
            return None
        first, last = pair
        count += last - first + 1
        if not 0 <= first <= last < _MOST_IMAGES or count > _MOST_IMAGES:
            return None
        pieces.append(np.arange(first, last + 1, dtype=np.int64))
    found = np.unique(np.concatenate(pieces)) if pieces else np.empty(0, np.int64)
    return Group(plain_name(name).strip()[:LONGEST_NAME], found)
