"""The notice at the end of training: how the run did, and what to look at next."""

from __future__ import annotations

from collections.abc import Mapping

from tui_latent.runs.schema import RunSnapshot
from tui_latent.tui.format import duration
from tui_latent.tui.remapping import key_name
from tui_latent.verdict import judge

_NEXT = (
    ("view.explore", "the map"),
    ("view.evaluate", "its evaluation"),
    ("run.report", "a report"),
)


def finished_words(snapshot: RunSnapshot, keymap: Mapping[str, str]) -> str:
    """Return how long a finished run took, its verdict, and what to do next."""
    keys = ", ".join(f"{key_name(key_id, keymap)} {what}" for key_id, what in _NEXT)
    took = f"Finished in {duration(snapshot.status.seconds)}."
    return " ".join(part for part in (took, judge(snapshot).line(), f"Next: {keys}.") if part)
