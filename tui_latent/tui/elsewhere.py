"""Where a key works that does nothing where it was pressed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from textual.keys import format_key
from textual.screen import Screen
from textual.widget import Widget

from tui_latent.nouns import listed
from tui_latent.tui.active_binding import active_binding
from tui_latent.tui.key import phrase
from tui_latent.tui.keymap import KEYMAP
from tui_latent.tui.remapping import TOGETHER, key_name, keys_of
from tui_latent.tui.verbs import VERBS

_SCREENS: Final[Mapping[str, str]] = {
    "menu": "in the menu",
    "settings": "in the form",
    "dashboard": "on the dashboard",
    "explorer": "in the explorer",
    "evaluation": "in the evaluation",
    "comparison": "in the comparison",
    "sweep": "on the page of a sweep",
    "images": "in the viewer",
}
"""the screens that fill the terminal, as a sentence places them"""
_PARTS: Final[Mapping[str, str]] = {
    "preset list": "the presets",
    "presets": "the presets",
    "run list": "the runs",
    "runs": "the runs",
    "curves": "the curves",
    "class rows": "the classes",
    "matrix": "the rows of the confusion matrix",
    "sliders": "the sliders",
}
"""the parts of a screen that have keys of their own while they have the focus"""
_SWITCHES: Final = ("menu.switch", "view.next")
_OF_CURSORS: Final = frozenset(
    {"choose", "next_panel", "previous_panel", "first", "last", "page_up", "page_down"}
    | {f"{far}{way}" for far in ("", "far_") for way in ("up", "down", "left", "right")}
    | {"back", "yes", "no"}
)
"""verbs that mean too little by themselves to be looked for on another screen"""


def where_it_works(key: str, screen: Screen[Any], keymap: Mapping[str, str]) -> str:
    """Say where a key works that has no meaning under the cursor; empty if it has one.

    A key that the screen has but does not offer now is the screen's own to explain.
    """
    rows = {
        (part, row) for part, own in KEYMAP.items() for row in own if key in keys_of(row, keymap)
    }
    here = _ids([screen.focused or screen])
    if not rows or any(row.id in here for _, row in rows) or active_binding(key, screen):
        return ""
    name = _name_of(screen)
    shown = format_key(key)
    for part, row in sorted(rows, key=lambda found: list(KEYMAP).index(found[0])):
        if part in _PARTS and name and any(part in parts for parts in TOGETHER[name]):
            words = f"{shown} ({phrase(row.label)}) works on {_PARTS[part]}"
            if row.id not in _ids(screen.focus_chain):
                return f"{words}. They are not on the screen now."
            return f"{words}. Press {_switch(here, keymap)} to go there first."
    verbs = {row.verb for _, row in rows} - _OF_CURSORS
    found = [screen for screen in _SCREENS if screen != name and _has(screen, verbs)]
    if not found:
        return ""
    meaning = VERBS[next(verb for verb in VERBS if verb in verbs)].meaning
    return f"{shown} ({meaning}) works {listed([_SCREENS[each] for each in found])}."


def listed_but_inactive(key: str, screen: Screen[Any], keymap: Mapping[str, str]) -> str:
    """Return the id of the action that a key has here, if it is not possible now; else empty."""
    active = active_binding(key, screen)
    if active is not None:
        return "" if active.enabled else active.binding.id or ""
    here = _ids([screen.focused or screen])
    rows = (row for own in KEYMAP.values() for row in own if key in keys_of(row, keymap))
    return next((row.id for row in rows if row.id in here), "")


def _ids(widgets: Iterable[Any]) -> set[str]:
    """Return the ids of the actions of widgets and of what they are in."""
    nodes = {node for widget in widgets for node in widget.ancestors_with_self}
    return {
        binding.id
        for node in nodes
        if isinstance(node, Widget)
        for _, binding in node._bindings
        if binding.id
    }


def _name_of(screen: Screen[Any]) -> str:
    """Return the name of a screen in the table of keys; empty for one that is not there."""
    own = {binding.id for _, binding in screen._bindings}
    parts = {part for part, rows in KEYMAP.items() if {row.id for row in rows} <= own} - {"app"}
    return next((name for name in _SCREENS if parts & set().union(*TOGETHER[name])), "")


def _has(screen: str, verbs: set[str]) -> bool:
    parts = {part for view in TOGETHER[screen] for part in view}
    return any(row.verb in verbs for part in parts for row in KEYMAP[part])


def _switch(here: set[str], keymap: Mapping[str, str]) -> str:
    return next((key_name(each, keymap) for each in _SWITCHES if each in here), "Tab")
