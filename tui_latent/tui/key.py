"""A row of the table of keys, and how several keys of one action are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from textual.binding import Binding

from tui_latent.tui.verbs import VERBS

_SIGNS: Final = {"up": "↑", "down": "↓", "left": "←", "right": "→"}
_ARROWS: Final = _SIGNS | {sign: sign for sign in _SIGNS.values()}


@dataclass(frozen=True)
class Key:
    """One action, the keys that trigger it, and what people read about it."""

    id: str
    verb: str
    """name of the meaning in `verbs.VERBS`, which has the keys"""
    action: str
    label: str
    """in the footer and the command palette"""
    tooltip: str
    """in the help and the README"""
    show: bool = True
    """in the footer and the README"""
    priority: bool = False
    """before the focused widget"""
    display: str | None = None
    """in the footer, in place of the first key's name"""
    group: str = ""
    """label that this row shares in the footer with its neighbours of the same group"""
    only: str = ""
    """those of the verb's keys that work here; empty for all"""

    def __post_init__(self) -> None:
        if self.verb not in VERBS:
            raise ValueError(f"{self.id}: {self.verb!r} is not a verb of tui/verbs.py")

    @property
    def keys(self) -> str:
        """Comma-separated, in Textual's names."""
        return self.only or VERBS[self.verb].keys

    def binding(self) -> Binding:
        """Return Textual's binding for this row."""
        return Binding(
            self.keys,
            self.action,
            self.label,
            show=self.show,
            key_display=self.display,
            priority=self.priority,
            tooltip=self.tooltip,
            id=self.id,
            group=Binding.Group(self.group, compact=True) if self.group else None,
        )


def hidden(
    key_id: str, verb: str, action: str, tooltip: str, priority: bool = False, only: str = ""
) -> Key:
    """Return a row that the footer does not show."""
    return Key(key_id, verb, action, tooltip, tooltip, show=False, priority=priority, only=only)


def help_key(action: str = "app.help") -> Key:
    """Return the row for the help."""
    return Key("app.help", "help", action, "Help", "Explain this screen: its keys and its terms")


def back(key_id: str, action: str, tooltip: str, label: str = "Back") -> Key:
    """Return the row that leaves a screen."""
    return Key(key_id, "back", action, label, tooltip)


def joined(keys: Sequence[str]) -> str:
    """Write the keys of one action briefly: `↑↓`, `shift+←→`, `0–9`."""
    if len(keys) > 2 and all(key.isdecimal() for key in keys):
        return f"{keys[0]}–{keys[-1]}"
    plain = [key.removeprefix("shift+") for key in keys]
    arrows = "".join(_ARROWS.get(key, "") for key in plain)
    if len(keys) > 1 and len(arrows) == len(keys):
        return ("shift+" if keys[0] != plain[0] else "") + arrows
    return " ".join(keys)


def phrase(words: str) -> str:
    """Return a label or a tooltip as part of a sentence; a name in capitals keeps them."""
    return words if words[:2].isupper() else words[:1].lower() + words[1:]
