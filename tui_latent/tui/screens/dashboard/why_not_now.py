"""Why a key of the dashboard does nothing in the state that a run is in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tui_latent.runs.command_word import command_word
from tui_latent.runs.schema import LIVE_STATES, RunSnapshot
from tui_latent.tui.remapping import key_name

OF_TRAINING: Final = ("pause", "ask_to_stop", "checkpoint", "scale_lr", "undo")
"""actions on a run while it is training"""


def why_not_now(action: str, snapshot: RunSnapshot, keymap: Mapping[str, str]) -> str:
    """Return why a run's state rules out an action, and what can be done; empty if it does not."""
    state, name = snapshot.status.state, snapshot.name
    if action == "resume" and state == "paused":
        return f"{name} is paused. {key_name('run.pause', keymap)} continues it."
    if action == "resume" and state in LIVE_STATES:
        return f"{name} is already {state}."
    if action == "resume" and state == "finished":
        longer = f"tui-latent resume {command_word(snapshot.path)} --epochs N"
        return f"{name} is finished. To train it for longer, run: {longer}"
    if action in OF_TRAINING and state not in LIVE_STATES:
        if snapshot.origin != "trained":
            return f"{name} is not training."
        if state == "finished":
            edit, fork = key_name("run.edit", keymap), key_name("run.fork", keymap)
            return f"{name} is finished. {edit} or {fork} starts a new run from it."
        return f"{name} is not training. {key_name('run.resume', keymap)} resumes it."
    return ""
