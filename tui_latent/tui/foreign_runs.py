"""What cannot be done with a run that comes from elsewhere, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tui_latent.nouns import listed
from tui_latent.runs.origin import Origin, Wish, obeyed, origin_of
from tui_latent.runtime.sanitize import plain_text

POINT_KINDS: Final[Mapping[Origin, str]] = {
    "trained": "held-out image",
    "watched": "held-out latent",
    "opened": "vector",
}
"""what a point of the map stands for: a run from elsewhere need not be of images"""
_WISHES: Final[Mapping[str, Wish]] = {
    "pause": "pause",
    "stop": "stop",
    "ask_to_stop": "stop",
    "checkpoint": "checkpoint",
    "scale_lr": "lr",
}
"""action -> what it asks of a live run"""
_ASKED: Final[Mapping[Wish, str]] = {
    "pause": "pause",
    "stop": "stop",
    "checkpoint": "save a checkpoint",
    "lr": "change its learning rate",
}
_OWN: Final = ("resume", "background", "edit", "fork", "undo", "weights")
"""actions that need a preset of this program"""


def why_impossible(action: str, preset: Mapping[str, Any], provenance: Mapping[str, Any]) -> str:
    """Say why a run's origin rules out an action, and what can be done; empty if it does not.

    `preset` and `provenance` are those of the run's `preset.toml`.
    """
    origin = origin_of(provenance)
    if origin == "trained":
        return ""
    wish = _WISHES.get(action)
    if wish is not None and wish not in obeyed(preset, provenance):
        return _not_obeyed(wish, origin, obeyed(preset, provenance))
    return _of_others(action, provenance) if action in _OWN else ""


def own_command(provenance: Mapping[str, Any]) -> str:
    """Return the command that started a run; empty if it is not known."""
    command = provenance.get("command")
    return plain_text(command).strip() if isinstance(command, str) else ""


def begin_again(provenance: Mapping[str, Any]) -> str:
    """Say how a watched run can continue."""
    command = own_command(provenance)
    return f"Start its own script again: {command}" if command else "Start its own script again."


def _not_obeyed(wish: Wish, origin: Origin, obeys: frozenset[Wish]) -> str:
    if origin == "opened":
        return "This run was opened from files. Nothing is being trained."
    others = [f"“{each}”" for each in sorted(obeys)]
    does = f"It obeys only {listed(others)}." if others else "It obeys no request."
    if wish == "stop":
        does += " Press Ctrl+C in its own terminal to stop it."
    return (
        f"This training loop cannot be asked to {_ASKED[wish]}. {does} "
        "Its call to tui_latent.watch says what it obeys."
    )


def _of_others(action: str, provenance: Mapping[str, Any]) -> str:
    if origin_of(provenance) == "opened":
        return "This run was opened from files. There is no training to resume or to change."
    if action in ("resume", "background"):
        return (
            "This run was trained by another program, and only that program can resume it. "
            f"{begin_again(provenance)}"
        )
    if action == "weights":
        return "Only the training loop itself knows how its loss terms are weighted."
    return (
        "This run was trained by another program. Its settings are in that program's code, "
        "so they can only be changed there."
    )
