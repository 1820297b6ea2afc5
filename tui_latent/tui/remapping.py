"""Users' own keys, by the ids in the table of keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from textual.keys import Keys, _normalize_key_list, format_key

from tui_latent.runtime.near_names import near_names
from tui_latent.tui.key import Key
from tui_latent.tui.keymap import KEYMAP

TOGETHER: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "menu": (("preset list", "presets", "menu"), ("run list", "runs", "menu")),
    "settings": (("settings grid", "settings"), ("save preset",)),
    "dashboard": (("dashboard", "class rows"), ("curves", "dashboard")),
    "explorer": (("explorer",),),
    "evaluation": (("evaluation", "class rows"), ("evaluation", "matrix")),
    "verdict": (("findings",),),
    "comparison": (("comparison",), ("curves", "comparison"), ("metric picker",)),
    "sweep": (("sweep",),),
    "images": (("viewer", "images"), ("sliders", "viewer", "images")),
    "columns": (("column list", "columns"),),
    "labels": (("labels",),),
    "group name": (("group name",),),
    "second run": (("second run",),),
    "queue": (("queue list", "queue"),),
}
"""for each screen, the parts of the table that are active at the same time"""

_SMALL: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "menu": (("preset filter", "presets", "menu"), ("run filter", "runs", "menu")),
    "question": (("confirm",),),
    "choice": (("choice",),),
    "mixing desk": (("desk",),),
    "fork": (("fork",),),
    "log": (("log",),),
    "help": (("help",),),
}
"""the same for lines of text and dialogs, which show their keys themselves"""

_NAMES: Final = {"enter": "Enter", "escape": "Esc", "space": "Space", "tab": "Tab"}
"""keys that sentences write as they are engraved"""
_MODIFIERS: Final = frozenset({"ctrl", "shift", "alt", "super", "hyper", "meta"})


class KeymapError(ValueError):
    """A user's keymap that cannot be used; the text says why."""


def keys_of(row: Key, keymap: Mapping[str, str]) -> list[str]:
    """Return the keys of a row, in Textual's names."""
    return _normalize_key_list(keymap.get(row.id, row.keys)).split(",")


def key_label(row: Key, keymap: Mapping[str, str]) -> str:
    """Return how the first key of a row is written on the screen."""
    return format_key(keys_of(row, keymap)[0])


def key_name(key_id: str, keymap: Mapping[str, str]) -> str:
    """Return the first key of an action, as a sentence names it."""
    row = next(row for rows in KEYMAP.values() for row in rows if row.id == key_id)
    key = keys_of(row, keymap)[0]
    return _NAMES.get(key) or format_key(key)


def check_keymap(keymap: Mapping[str, str]) -> None:
    """Raise KeymapError unless every id exists, every key has a name, and no two actions clash."""
    if problems := keymap_problems(keymap):
        raise KeymapError("\n".join(problems))


def keymap_problems(keymap: Mapping[str, str]) -> list[str]:
    """Return everything that is wrong with a user's keymap, a sentence each."""
    ids = {row.id for rows in KEYMAP.values() for row in rows}
    problems: list[str] = []
    for key_id, keys in keymap.items():
        if key_id not in ids:
            close = near_names(key_id, sorted(ids))
            hint = f" Did you mean {close[0]!r}?" if close else ""
            problems.append(f"Keymap: there is no action {key_id!r}.{hint}")
        for key in _normalize_key_list(keys).split(","):
            if not _is_key(key):
                problems.append(f"Keymap: {key!r} of {key_id} is not the name of a key.")
    clashes: dict[tuple[str, str, str], str] = {}
    for screen, views in (*TOGETHER.items(), *_SMALL.items()):
        for parts in views:
            for clash in _clashes((*parts, "app"), keymap):
                clashes.setdefault(clash, screen)
    for (key, first, second), screen in clashes.items():
        problems.append(
            f"Keymap: on the {screen} screen, {format_key(key)} would do both {first} and {second}."
        )
    return problems


def _clashes(parts: Sequence[str], keymap: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield each key that would do several things while `parts` are active, with two of them."""
    rows = [row for part in parts for row in KEYMAP[part]]
    by_default = _ids_by_key(rows, {})
    shared = [ids for ids in by_default.values() if len(ids) > 1]
    for key, ids in _ids_by_key(rows, keymap).items():
        if len(ids) > 1 and not any(ids <= together for together in shared):
            first, second = sorted(ids)[:2]
            yield key, first, second


def _ids_by_key(rows: list[Key], keymap: Mapping[str, str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in rows:
        for key in keys_of(row, keymap):
            found.setdefault(key, set()).add(row.id)
    return found


def _is_key(name: str) -> bool:
    *modifiers, key = name.split("+")
    named = {each.value for each in Keys} | {
        key for rows in KEYMAP.values() for row in rows for key in keys_of(row, {})
    }
    return set(modifiers) <= _MODIFIERS and (name in named or key in named or len(key) == 1)
