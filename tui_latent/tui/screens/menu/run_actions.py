"""The actions on a run of the table, and why one is not possible."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal

from tui_latent.tui.remapping import key_name

if TYPE_CHECKING:
    from tui_latent.runs.schema import RunSummary

Action = Literal[
    "open",
    "resume",
    "background",
    "stop",
    "edit",
    "fork",
    "images",
    "explore",
    "evaluate",
    "report",
    "labels",
    "archive",
    "delete",
]


def is_live(run: RunSummary) -> bool:
    """Return whether a run is being trained; one that waits in the queue is not."""
    from tui_latent.runs.schema import LIVE_STATES

    return run.status.state in LIVE_STATES and not run.queued


def why_not_resumed(run: RunSummary, keymap: Mapping[str, str]) -> str:
    """Return why a run cannot be resumed; empty when it can."""
    if run.problem:
        return f"{run.title} cannot be read: {run.problem}"
    if run.status.state == "finished":
        return f"{run.title} is finished. There is nothing left to train."
    if is_live(run):
        key = key_name("run.open", keymap)
        return f"{run.title} is already {run.status.state}. Press {key} to open it."
    return ""


def why_not_opened(run: RunSummary, keymap: Mapping[str, str]) -> str:
    """Return why a run cannot be opened; empty when it can."""
    return f"{run.title} cannot be read: {run.problem}" if run.problem else ""


def why_not_stopped(run: RunSummary, keymap: Mapping[str, str]) -> str:
    """Return why a run cannot be stopped; empty when it can."""
    if run.queued or is_live(run):
        return ""
    return f"{run.title} is not training, so there is nothing to stop."


def why_not_deleted(run: RunSummary, keymap: Mapping[str, str]) -> str:
    """Return why a run cannot be deleted from here; empty when it can."""
    if run.problem:
        return f"{run.title} may not be a run ({run.problem}). Delete the folder by hand."
    if is_live(run):
        stops = key_name("run.stop", keymap)
        return f"{run.title} is {run.status.state}. Stop it first, with {stops}."
    return ""


WHY_NOT: Final = {
    "open": why_not_opened,
    "edit": why_not_opened,
    "fork": why_not_opened,
    "images": why_not_opened,
    "explore": why_not_opened,
    "evaluate": why_not_opened,
    "report": why_not_opened,
    "labels": why_not_opened,
    "archive": why_not_opened,
    "stop": why_not_stopped,
    "resume": why_not_resumed,
    "background": why_not_resumed,
    "delete": why_not_deleted,
}
