"""Whether the loss is finite, still falling, or lower on training images alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tui_latent.nouns import counted
from tui_latent.number_format import number
from tui_latent.verdict.doors import CURVES, LOG
from tui_latent.verdict.finding import Finding
from tui_latent.verdict.subject import Subject
from tui_latent.verdict.thresholds import (
    DEVIATIONS,
    FEWEST_EVALUATIONS,
    FEWEST_RECORDS,
    NOISES,
    PAST,
    RISE,
    STILL,
)

if TYPE_CHECKING:
    from tui_latent.runs.schema import Float


def failed(about: Subject) -> Finding | None:
    """Say that a run failed, and why."""
    status = about.run.status
    if status.state != "failed":
        return None
    reasons, traced = _reasons(status.error or "no reason was recorded")
    why = _one_sentence(reasons)
    # Losses are read every few steps: the step that the reason names is the exact one.
    where = "" if " at step " in why else f" at step {status.step:,}"
    return Finding(
        "failed",
        "bad",
        f"Failed{where}: {why.rstrip('.')}.",
        evidence=f"The {'traceback' if traced else 'log'} is in {about.run.path}/train.log.",
        threshold="",
        door=LOG,
    )


def _reasons(error: str) -> tuple[list[str], bool]:
    """Return the lines of an error that say why, and whether another one names the log."""
    lines = [" ".join(line.split()) for line in error.splitlines() if line.strip()]
    reasons = [line for line in lines if not line.startswith("the traceback is in ")]
    return reasons or lines, len(reasons) < len(lines)


def _one_sentence(reasons: list[str]) -> str:
    """Join lines; one that ends without punctuation gets a semicolon."""
    *before, last = reasons
    joined = [line if line[-1] in ".:;!?," else f"{line};" for line in before]
    return " ".join([*joined, last])


def not_finite(about: Subject) -> Finding | None:
    """Find a loss that became NaN or infinite."""
    curve = about.run.curves.get("train/loss")
    if curve is None or not curve.non_finite:
        return None
    records = counted(curve.non_finite, "record")
    last = f"the last finite one is of step {int(curve.steps[-1]):,}" if len(curve.steps) else ""
    if math.isfinite(curve.last):
        sentence = f"The loss was not finite in {records}, but is finite again."
    elif last:
        sentence = f"The loss is not finite after step {int(curve.steps[-1]):,}."
    else:
        sentence = "The loss was never finite."
    return Finding(
        "not finite",
        "warning" if math.isfinite(curve.last) else "bad",
        sentence,
        evidence=f"The training loss is NaN or infinite in {records}{f'; {last}' if last else ''}.",
        threshold="None is allowed: weights that took such a step are lost.",
        door=LOG,
    )


def overfitting(about: Subject) -> Finding | None:
    """Find a held-out loss that rises while the training loss falls, within the last stage."""
    held_out, training = _late(about, "val/loss"), _late(about, "train/loss")
    if held_out is None or training is None or len(held_out[0]) < FEWEST_EVALUATIONS:
        return None
    steps, values = held_out
    smooth = _medians(values)
    at = int(np.argmin(smooth))
    lowest, now = float(smooth[at]), float(smooth[-1])
    usual = float(np.median(np.abs(np.diff(values))))
    rise = now - lowest
    if at > len(values) - 1 - PAST or rise < max(RISE * abs(lowest), NOISES * usual):
        return None
    then = _mean_about(training, float(steps[at]))
    late = _mean_about(training, float(steps[-1]))
    if late >= then:
        return None
    return Finding(
        "overfitting",
        "warning",
        f"Overfitting since step {int(steps[at]):,}: held-out loss rises, training loss falls.",
        evidence=f"Held out, {number(lowest)} then and {number(now)} now; training, "
        f"{number(then)} then and {number(late)} now.",
        threshold=f"A rise of {100 * RISE:.0f} % and of {NOISES:.0f} times the usual change "
        f"between two evaluations, which is {number(usual)}.",
        door=CURVES,
    )


def still_falling(about: Subject) -> Finding | None:
    """Find a finished run whose loss was still falling at its end."""
    found = _late(about, "train/loss")
    if found is None or not about.finished:
        return None
    steps, values = found
    start, end = float(steps[0]), float(steps[-1])
    tenth = (end - start) / 10
    first = values[steps <= start + tenth]
    before = values[(steps > end - 2 * tenth) & (steps <= end - tenth)]
    last = values[steps > end - tenth]
    if min(len(first), len(before), len(last)) < FEWEST_RECORDS:
        return None
    whole, fall = float(first.mean() - last.mean()), float(before.mean() - last.mean())
    error = math.sqrt(before.var() / len(before) + last.var() / len(last))
    if whole <= 0 or fall < STILL * whole or fall < DEVIATIONS * error:
        return None
    longer = "longer training" if about.foreign else "more epochs"
    return Finding(
        "still falling",
        "warning",
        f"The loss was still falling at the end: {longer} may help.",
        evidence=f"The last tenth of the stage brought {100 * fall / whole:.0f} % of its fall: "
        f"{number(float(before.mean()))} to {number(float(last.mean()))}.",
        threshold=f"{100 * STILL:.0f} % of the whole fall, and {DEVIATIONS:.0f} standard errors.",
        door=CURVES,
    )


def _late(about: Subject, metric: str) -> tuple[Float, Float] | None:
    """Return the steps and means of a curve within the last stage; None if there are too few."""
    curve = about.run.curves.get(metric)
    if curve is None:
        return None
    late = curve.steps > about.last_stage
    return (curve.steps[late], curve.means[late]) if late.sum() > 1 else None


def _medians(values: Float) -> Float:
    """Return the medians of three neighbours, so that one outlier is not a minimum."""
    padded = np.concatenate([values[:1], values, values[-1:]])
    medians: Float = np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0)
    return medians


def _mean_about(curve: tuple[Float, Float], step: float) -> float:
    """Return the mean of a curve over the tenth of its steps that ends at `step`."""
    steps, values = curve
    width = (steps[-1] - steps[0]) / 10
    near = (steps <= step) & (steps >= step - width)
    return float(values[near].mean() if near.any() else values[np.abs(steps - step).argmin()])
