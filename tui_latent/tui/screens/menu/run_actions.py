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
    if why := why_foreign("resume", run):
        return why
    if run.status.state == "finished":
        return f"{run.title} is finished. There is nothing left to train."
    if is_live(run):
        key = key_name("run.open", keymap)
        return f"{run.title} is already {run.status.state}. Press {key} to open it."
    return ""


def why_foreign(action: Action, run: RunSummary) -> str:
    """Return why a run's origin rules out an action; empty if it does not.

    What a live loop obeys is not in the list: `request_refused` asks its folder.
    """
    if run.method == "sweep":
        return why_sweep(run)
    if run.method not in ("watched", "opened"):
        return ""
    from tui_latent.tui.foreign_runs import why_impossible

    return why_impossible(action, {}, {"origin": run.method})


def why_sweep(run: RunSummary) -> str:
    """Return why a sweep cannot do what a run can; empty for a run."""
    if run.method != "sweep":
        return ""
    return f"{run.title} is a sweep. Open it first; to continue it, run its command again."


def why_no_run(run: RunSummary, keymap: Mapping[str, str]) -> str:
    """Return why there is no single run to look into; empty when there is."""
    return why_not_opened(run, keymap) or why_sweep(run)


def request_refused(run: RunSummary) -> str:
    """Return why a live run cannot be asked to stop; empty if it can. Reads its `preset.toml`."""
    from tui_latent.runs.manifest import read_manifest
    from tui_latent.tui.foreign_runs import why_impossible

    found = read_manifest(run.path)
    return why_impossible("stop", found.preset, found.provenance)


def why_not_edited(run: RunSummary, keymap: Mapping[str, str]) -> str:
    """Return why a run's settings cannot be edited; empty when they can."""
    return why_not_opened(run, keymap) or why_foreign("edit", run)


def why_not_forked(run: RunSummary, keymap: Mapping[str, str]) -> str:
    """Return why a run cannot be forked; empty when it can."""
    return why_not_opened(run, keymap) or why_foreign("fork", run)


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
    "edit": why_not_edited,
    "fork": why_not_forked,
    "images": why_no_run,
    "explore": why_no_run,
    "evaluate": why_no_run,
    "report": why_not_opened,
    "labels": why_not_opened,
    "archive": why_not_opened,
    "stop": why_not_stopped,
    "resume": why_not_resumed,
    "background": why_not_resumed,
    "delete": why_not_deleted,
}
