"""What a run's curves are flagged with: stages, collapses, resumes, and what people changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

from tui_latent.runs.schema import RunSnapshot
from tui_latent.tui.charts.flags import Flag

_STAGE: Final = "▾"
_COLLAPSE: Final = "!"
_MARKS: Final = {"rate": "↕", "change": "±", "resume": "↻", "retry": "↺", "fork": "Y", "disk": "○"}
"""kind of an event -> its mark; stages and collapses come from preset and records, which old runs
have too"""
_OTHER: Final = "·"


def run_flags(snapshot: RunSnapshot) -> tuple[Flag, ...]:
    """Return the flags of a run's curves, by step."""
    flags = [*_stages(snapshot), *_collapses(snapshot), *_events(snapshot)]
    return tuple(sorted(flags, key=lambda flag: flag.step))


def steps_per_epoch(snapshot: RunSnapshot) -> float:
    """Return the steps of one pass over the training images; 0 if they are not known."""
    status = snapshot.status
    known = status.total_steps > 0 and status.total_epochs > 0
    return status.total_steps / status.total_epochs if known else 0.0


def latent_dimensions(snapshot: RunSnapshot, step: float) -> int | None:
    """Return the dimensions of a latent at a step, as stages may change them; None if unknown."""
    done, epoch = 0, steps_per_epoch(snapshot)
    for stage in _readable_stages(snapshot):
        done += stage["epochs"]
        if step <= done * epoch:
            return int(stage["latent_dim"])
    method = snapshot.preset.get("method")
    dimensions = method.get("latent_dim") if isinstance(method, Mapping) else None
    return dimensions if isinstance(dimensions, int) else None


def _readable_stages(snapshot: RunSnapshot) -> list[Mapping[str, Any]]:
    """Return the preset's stages; none if it is damaged or from a later version."""
    stages = snapshot.preset.get("stages")
    if not isinstance(stages, (list, tuple)):
        return []
    known = [
        stage
        for stage in stages
        if isinstance(stage, Mapping)
        and isinstance(stage.get("epochs"), int)
        and isinstance(stage.get("latent_dim"), int)
    ]
    return known if len(known) == len(stages) else []


def _stages(snapshot: RunSnapshot) -> Iterator[Flag]:
    """Flag the step at which each stage but the first begins, once the run has reached it."""
    epoch = steps_per_epoch(snapshot)
    done = 0
    for number, (before, stage) in enumerate(pairwise(_readable_stages(snapshot)), start=2):
        done += before["epochs"]
        step = done * epoch
        if 0 < step <= snapshot.status.step:
            title = stage.get("title") or f"{stage['latent_dim']}-D"
            yield Flag(step, _STAGE, f"stage {number}: {title}")


def _events(snapshot: RunSnapshot) -> Iterator[Flag]:
    for event in snapshot.events:
        if event.kind not in ("stage", "collapse"):
            yield Flag(event.step, _MARKS.get(event.kind, _OTHER), event.text.rstrip("."))


def _collapses(snapshot: RunSnapshot) -> Iterator[Flag]:
    """Flag each evaluation that found a collapse when the one before it had not."""
    curve = snapshot.curves.get("latent/collapsed")
    if curve is None:
        return
    before = False
    for step, high in zip(curve.steps.tolist(), curve.highs.tolist(), strict=True):
        if high and not before:
            yield Flag(step, _COLLAPSE, "collapsed")
        before = bool(high)
