"""The commands of a screen, from its bindings, for the palette and the help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, get_args

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.dom import DOMNode
from textual.screen import Screen

from tui_latent.tui.key import joined
from tui_latent.tui.keymap import KEYMAP
from tui_latent.tui.verbs import VERBS, Topic

_TOPICS: Final = get_args(Topic)
"""in the order of display"""
_TOPIC_OF: Final[Mapping[str, str]] = {
    row.id: VERBS[row.verb].topic for rows in KEYMAP.values() for row in rows
}


@dataclass(frozen=True)
class Command:
    """One action with all its keys."""

    group: str
    verb: str
    keys: str
    tooltip: str
    topic: str
    """under which the help lists it"""
    action: str
    node: DOMNode
    """where the action is defined"""
    enabled: bool


def commands_of(screen: Screen[Any]) -> list[Command]:
    """Return the commands of the active bindings with an id `group.verb`, by group."""
    keys: dict[tuple[str, str], list[str]] = {}
    found: dict[tuple[str, str], Command] = {}
    for node, binding, enabled, tooltip in screen.active_bindings.values():
        group, dot, _ = (binding.id or "").partition(".")
        if not dot:
            continue
        place = (group.capitalize(), binding.description)
        display = screen.app.get_key_display(binding)
        if display not in keys.setdefault(place, []):
            keys[place].append(display)
        first = found.get(place)
        words = first.tooltip if first else tooltip or binding.tooltip
        action = first.action if first else binding.action
        topic = _TOPIC_OF.get(binding.id or "", "Everywhere")
        found[place] = Command(*place, joined(keys[place]), words, topic, action, node, enabled)
    return sorted(found.values(), key=lambda command: _TOPICS.index(command.topic))


class BindingCommands(Provider):
    """Offers every enabled binding as "Group: Verb"."""

    async def discover(self) -> Hits:
        """Offer all of them, before anything is typed."""
        for command in commands_of(self.screen):
            if command.enabled:
                yield DiscoveryHit(_title(command), self._run(command), help=_help(command))

    async def search(self, query: str) -> Hits:
        """Offer those whose title matches the query."""
        matcher = self.matcher(query)
        for command in commands_of(self.screen):
            score = matcher.match(_title(command))
            if command.enabled and score > 0:
                shown = matcher.highlight(_title(command))
                yield Hit(score, shown, self._run(command), help=_help(command))

    def _run(self, command: Command) -> Any:
        return partial(self.app.run_action, command.action, command.node)


def _title(command: Command) -> str:
    return f"{command.group}: {command.verb}"


def _help(command: Command) -> str:
    return f"{command.tooltip}  ({command.keys})"
