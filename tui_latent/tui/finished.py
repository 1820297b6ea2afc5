"""What is said when a training has ended: whether the promise was met, and what is next."""

from __future__ import annotations

from collections.abc import Mapping

from tui_latent.runs.metric_specs import spec_of
from tui_latent.runs.schema import RunSnapshot
from tui_latent.tui.format import duration, number
from tui_latent.tui.remapping import key_name

_NEXT = (("view.explore", "the map"), ("view.evaluate", "its tests"), ("run.report", "a report"))


def finished_words(snapshot: RunSnapshot, keymap: Mapping[str, str]) -> str:
    """Return a sentence about a finished run and one about what to do next."""
    status = snapshot.status
    keys = ", ".join(f"{key_name(key_id, keymap)} {what}" for key_id, what in _NEXT)
    took = f"Finished in {duration(status.seconds)}."
    return " ".join(part for part in (took, promise_words(snapshot), f"Next: {keys}.") if part)


def promise_words(snapshot: RunSnapshot) -> str:
    """Say whether the newest figure is the one that the preset promises; empty without one.

    Half a point below it is within what another seed does.
    """
    expect = snapshot.preset.get("expect", {})
    for metric, promised in expect.items() if isinstance(expect, Mapping) else ():
        newest, curve = snapshot.newest(metric), snapshot.curves.get(metric)
        if newest is None or curve is None or not isinstance(promised, float):
            continue
        name = spec_of(metric).short
        figures = f"{name} {number(newest)} newest, {number(curve.best)} best"
        met = "as promised" if newest >= promised - 0.005 else "below what the preset promises"
        return f"{figures}: {met} ({number(promised)})."
    return ""
