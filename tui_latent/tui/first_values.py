"""When the first values of a run will appear, for panels that are still empty."""

from __future__ import annotations

import math

from tui_latent.runs.origin import MEASURING
from tui_latent.runs.schema import LIVE_STATES, RunSnapshot
from tui_latent.tui.format import UNKNOWN


def when_evaluated(snapshot: RunSnapshot, what: str, verb: str = "appears") -> str:
    """Say when the first evaluation will bring `what`, if that is known."""
    status = snapshot.status
    if snapshot.origin == "opened":
        return f"{what} cannot be shown: the opened files do not contain it."
    if status.state not in LIVE_STATES and not status.unbegun:
        if snapshot.map_steps:
            return f"{what} was not measured in this run."
        if status.skipped:
            what = (
                "The evaluation" if status.skipped == 1 else f"All {status.skipped:,} evaluations"
            )
            verb = "was" if status.skipped == 1 else "were"
            return f"{what} of this run {verb} left out. The log says why."
        return "This run ended before its first evaluation."
    if snapshot.origin == "watched" and status.phase == MEASURING:
        return f"{what} {verb} as soon as the latents are measured."
    if snapshot.origin == "watched":
        return f"{what} {verb} when the loop hands over latents."
    coming = f"{what} {verb} after the first evaluation"
    every = snapshot.preset.get("train", {}).get("eval_every")
    if not every or status.total_steps <= 0 or status.total_epochs <= 0:
        return f"{coming}."
    steps = math.ceil(every * status.total_steps / status.total_epochs)
    return f"{coming}, at step {min(steps, status.total_steps):,}."


def when_recorded(snapshot: RunSnapshot) -> str:
    """Say when the first loss will be recorded."""
    if snapshot.origin == "opened":
        return "The opened files do not contain any curves."
    if snapshot.status.state not in LIVE_STATES and not snapshot.status.unbegun:
        return "This run ended before its first loss was recorded."
    if snapshot.origin == "watched":
        return "The loss appears when the loop logs it."
    return f"The loss appears at step {snapshot.preset.get('train', {}).get('log_every', UNKNOWN)}."
