"""What one key does now."""

from __future__ import annotations

from typing import Any

from textual.binding import ActiveBinding
from textual.screen import Screen


def active_binding(key: str, screen: Screen[Any]) -> ActiveBinding | None:
    """Return what `screen.active_bindings` has for a key; None if it does nothing.

    Textual 8.2 asks for every key of the screen whether it is possible, which takes ten times as
    long.
    """
    found: ActiveBinding | None = None
    for node, bindings in screen._modal_binding_chain:
        for binding in bindings.key_to_bindings.get(key, ()):
            possible = screen.app._check_action_state(binding.action, node)
            if possible is False:  # None means that it is shown, greyed
                continue
            if found is None or (binding.priority and not found.binding.priority):
                found = ActiveBinding(node, binding, bool(possible), binding.tooltip)
    return found
