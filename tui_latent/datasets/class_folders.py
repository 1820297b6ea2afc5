"""Folders of classes: which are the same, and which held-out folder belongs to which class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tui_latent.sources.naming import composed


def matched_folders(folders: Sequence[str], held: Sequence[str]) -> tuple[str | None, ...]:
    """Return the held-out folder of each class: of its name, or the only one but for case."""
    by_text = {composed(name): name for name in held} | {name: name for name in held}
    exact = [by_text.get(name, by_text.get(composed(name))) for name in folders]
    rest: dict[str, list[str]] = {}
    for name in set(held).difference(exact):
        rest.setdefault(composed(name).casefold(), []).append(name)
    own = Counter(composed(name).casefold() for name in folders)
    found = []
    for name, match in zip(folders, exact, strict=True):
        alike = rest.get(composed(name).casefold(), [])
        single = len(alike) == 1 and own[composed(name).casefold()] == 1
        found.append(alike[0] if match is None and single else match)
    return tuple(found)


def same_folders(root: Path, folders: Sequence[str]) -> list[str]:
    """Return folders that are the same one, through links."""
    places: dict[tuple[int, int], list[str]] = {}
    for name in folders:
        status = (root / name).stat()
        places.setdefault((status.st_dev, status.st_ino), []).append(name)
    return [name for names in places.values() if len(names) > 1 for name in names]
