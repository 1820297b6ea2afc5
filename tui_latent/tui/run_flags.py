"""What a run's curves are flagged with: its stages, and collapses that evaluations found."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from tui_latent.runs.schema import RunSnapshot
from tui_latent.tui.charts.flags import Flag

_STAGE, _COLLAPSE = "▾", "!"


def run_flags(snapshot: RunSnapshot) -> tuple[Flag, ...]:
    """Return the flags of a run's curves, in the order of their steps."""
    flags = [*_stages(snapshot), *_collapses(snapshot)]
    return tuple(sorted(flags, key=lambda flag: flag.step))


def steps_per_epoch(snapshot: RunSnapshot) -> float:
    """Return the steps of one pass over the training images; 0 if they are not known."""
    status = snapshot.status
    known = status.total_steps > 0 and status.total_epochs > 0
    return status.total_steps / status.total_epochs if known else 0.0


def _stages(snapshot: RunSnapshot) -> Iterator[Flag]:
    """Flag the step at which each stage but the first begins, once the run has reached it."""
    stages: Any = snapshot.preset.get("stages") or ()
    epoch = steps_per_epoch(snapshot)
    done = 0
    for number, (before, stage) in enumerate(pairwise(stages), start=2):
        done += int(before["epochs"])
        step = done * epoch
        if 0 < step <= snapshot.status.step:
            title = stage.get("title") or f"{stage.get('latent_dim', '?')}-D"
            yield Flag(step, _STAGE, f"stage {number}: {title}")


def _collapses(snapshot: RunSnapshot) -> Iterator[Flag]:
    """Flag the evaluations that found a collapse the one before them had not."""
    curve = snapshot.curves.get("latent/collapsed")
    if curve is None:
        return
    before = False
    for step, high in zip(curve.steps.tolist(), curve.highs.tolist(), strict=True):
        if high and not before:
            yield Flag(step, _COLLAPSE, "collapsed")
        before = bool(high)
