"""The notice at the end of training: how the run did, and what to look at next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tui_latent.nouns import listed
from tui_latent.runs.schema import RunSnapshot, RunSummary
from tui_latent.tui.expected_time import ExpectedTime, expected_time
from tui_latent.tui.format import duration
from tui_latent.tui.remapping import key_name
from tui_latent.verdict import judge

_NEXT = (
    ("view.explore", "opens the map"),
    ("view.evaluate", "the evaluation"),
    ("run.report", "writes a report"),
)


def finished_words(
    snapshot: RunSnapshot, keymap: Mapping[str, str], expected: ExpectedTime | None = None
) -> str:
    """Return how long a finished run took and was expected to, its verdict, and what is next."""
    keys = listed([f"{key_name(key_id, keymap)} {what}" for key_id, what in _NEXT])
    took = f"Finished in {duration(snapshot.status.seconds)}"
    took += "." if expected is None else f"; {duration(expected.seconds)} were expected."
    return " ".join(part for part in (took, judge(snapshot).line(), f"Next: {keys}.") if part)


def what_was_expected(snapshot: RunSnapshot, runs: Sequence[RunSummary]) -> ExpectedTime | None:
    """Return how long a run was expected to take when it began, from the runs before it.

    None if that was not known then.
    """
    from tui_latent.config.preset_files import PresetError
    from tui_latent.config.presets import load_run_preset

    own = next((run for run in runs if run.path == snapshot.path), None)
    if own is None:
        return None
    earlier = [run for run in runs if run.path != own.path and run.created <= own.created]
    try:
        preset = load_run_preset(own.path)
    except PresetError:
        return None
    kind = "cuda" if snapshot.status.device.startswith("cuda") else "cpu"
    return expected_time(own.preset, preset, kind, earlier, own.changes)
