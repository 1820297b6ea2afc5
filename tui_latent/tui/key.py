"""A row of the table of keys."""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding

from tui_latent.tui.verbs import VERBS


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
    """in the footer, where the first key's name does not say enough"""
    group: str = ""
    """label that this row shares in the footer with its neighbours of the same group"""
    only: str = ""
    """those of the verb's keys that work here; empty for all"""

    def __post_init__(self) -> None:
        if self.verb not in VERBS:
            raise ValueError(f"{self.id}: {self.verb!r} is no verb of tui/verbs.py")

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
