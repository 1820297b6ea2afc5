"""The footer with a screen's keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any, Final, Protocol, runtime_checkable

from textual import events
from textual.binding import ActiveBinding, Binding
from textual.content import Content
from textual.dom import DOMNode
from textual.keys import REPLACED_KEYS, format_key
from textual.screen import Screen
from textual.style import Style
from textual.widget import Widget

from tui_latent.tui.key import joined
from tui_latent.tui.keymap import KEYMAP

_GAP: Final = "  "
_ALWAYS: Final = ("help", "back")
"""verbs at the right end of every footer: Help lists the keys that do not fit"""
_PLACES: Final = {
    row.id: _ALWAYS.index(row.verb) + 1
    for rows in KEYMAP.values()
    for row in rows
    if row.verb in _ALWAYS
}


@dataclass(frozen=True)
class FooterItem:
    """A key, or neighbouring keys that share a label."""

    keys: tuple[tuple[str, str, str, bool], ...]
    """(key to press, key as shown, tooltip, enabled) of each"""
    label: str
    place: int = 0
    """among those that are always shown, from 1; 0 for the others"""

    @property
    def pinned(self) -> bool:
        """Whether it is always shown, at the right end."""
        return self.place > 0


@lru_cache(maxsize=1024)
def _content(item: FooterItem) -> Content:
    """Return the item with what a click and a hover need."""
    parts = []
    keys = item.keys
    if len(keys) > 2 and all(key.isdecimal() for key, *_ in keys):
        keys = (("", joined([shown for _, shown, *_ in keys]), item.label, True),)
    for key, shown, tooltip, enabled in keys:
        look = "bold $footer-key-foreground" if enabled else "dim"
        meta = Style.from_meta({"key": key if enabled else "", "tooltip": tooltip})
        parts.append(Content.styled(shown, look).stylize(meta))
    key, _, tooltip, enabled = keys[0]
    label = Content.styled(f" {item.label}", "" if any(k[3] for k in keys) else "dim")
    meta = Style.from_meta({"key": key if enabled else "", "tooltip": tooltip})
    return Content("").join([*parts, label.stylize(meta)])


@runtime_checkable
class RenamesKeys(Protocol):
    """A screen that gives keys other names as its state changes."""

    labels_now: Mapping[str, str]
    """by the ids of the keys"""


class KeyFooter(Widget, can_focus=False):
    """One line, drawn again only when it changes; whole items give way where it is narrow.

    Textual 8.2's own footer makes a widget per key, 26 on a dashboard, and cuts the line at the
    edge of the screen.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    KeyFooter {
        dock: bottom; height: 1; padding: 0 1;
        color: $footer-description-foreground; background: $panel;
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.items: Sequence[FooterItem] = ()
        """what could be shown, the most important first"""
        self._line = Content("")
        self._focused: Widget | None = None
        self._told_again = False
        """whether a move of the focus will be announced once more, after the refresh"""

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self.bindings_changed)
        self._focused = self.screen.focused
        self.call_after_refresh(self._read)

    def on_unmount(self) -> None:
        self.screen.bindings_updated_signal.unsubscribe(self)

    def on_resize(self) -> None:
        self._write()

    def bindings_changed(self, screen: Screen[Any]) -> None:
        """Show the keys of the screen as they are now.

        Textual announces a move of the focus at once, and again after the refresh. One of the two
        is passed over, because all keys take about a millisecond to collect. What else changes
        between them is read at the second.
        """
        if screen is not self.screen or not self.is_attached:
            return
        moved, self._focused = screen.focused is not self._focused, screen.focused
        if self._told_again and not moved:
            self._told_again = False
            return
        self._told_again = moved
        self._read()

    def _read(self) -> None:
        items = _items(self.screen)
        if items != self.items:
            self.items = items
            self._write()

    def render(self) -> Content:
        return self._line

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Explain the key under the mouse."""
        self.tooltip = event.style.meta.get("tooltip") or None

    def on_click(self, event: events.Click) -> None:
        """Press the key that was clicked."""
        key = event.style.meta.get("key")
        if key:
            self.app.simulate_key(key)
        elif key is not None:
            self.app.bell()

    def _write(self) -> None:
        line = footer_line(self.items, self.content_size.width)
        if line != self._line:
            self._line = line
            self.refresh()


def footer_line(items: Sequence[FooterItem], width: int) -> Content:
    """Return as many items as fit whole into `width` cells, the pinned ones at the right."""
    pinned = sorted((item for item in items if item.pinned), key=lambda item: item.place)
    right = Content(_GAP).join([_content(item) for item in pinned])
    room = width - right.cell_length
    shown: list[Content] = []
    for item in items:
        content = _content(item)
        if not item.pinned and content.cell_length + len(_GAP) <= room:
            shown.append(content)
            room -= content.cell_length + len(_GAP)
    return Content("").join([*(part + _GAP for part in shown), Content(" " * room), right])


def _items(screen: Screen[Any]) -> list[FooterItem]:
    shown: dict[str, tuple[Binding, bool, str]] = {}
    focused = screen.focused
    for active in _in_order(screen):
        key = active.binding.key
        # Textual leaves out the keys that a text field takes as text, but not `/`, `+` and `-`.
        typed = key in REPLACED_KEYS and (
            focused is not None and focused.check_consume_key(key, format_key(key))
        )
        if active.binding.show and not typed:
            # The menu's own key to quit stands for the one that works everywhere.
            does = active.binding.action.removeprefix("app.")
            other = shown.get(does)
            if other is None or (active.binding.id in _PLACES and other[0].id not in _PLACES):
                shown[does] = (active.binding, active.enabled, active.tooltip)
    labels = screen.labels_now if isinstance(screen, RenamesKeys) else {}
    items = []
    for group, several in groupby(shown.values(), lambda row: row[0].group):
        neighbours = list(several)
        for found in [neighbours] if group else [[row] for row in neighbours]:
            binding = found[0][0]
            own = labels.get(binding.id or "", binding.description)
            label = group.description if group and len(found) > 1 else own
            keys = tuple(
                (each.key, screen.app.get_key_display(each), tooltip or each.tooltip, enabled)
                for each, enabled, tooltip in found
            )
            items.append(FooterItem(keys, label, _PLACES.get(binding.id or "", 0)))
    return items


def _in_order(screen: Screen[Any]) -> list[ActiveBinding]:
    """Return the active bindings in the order of the table; Textual puts remapped ones last."""
    active = list(screen.active_bindings.values())
    places: dict[tuple[DOMNode, str | None], int] = {}
    for node in dict.fromkeys(each.node for each in active):
        for _, binding in node._bindings:
            places.setdefault((node, binding.id), len(places))
    return sorted(active, key=lambda each: places[each.node, each.binding.id])
