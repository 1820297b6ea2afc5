"""What the dashboard's panels show of a snapshot, as plain values."""

from __future__ import annotations

import math

from tui_latent.palettes import series_color
from tui_latent.runs.metric_specs import in_group, term_names
from tui_latent.runs.missing import missing_lines
from tui_latent.runs.schema import LIVE_STATES, RunSnapshot
from tui_latent.tui.charts.line_chart import Series
from tui_latent.tui.format import UNKNOWN, number


def loss_series(snapshot: RunSnapshot) -> list[Series]:
    """Return the total loss and each of its terms, with their held-out values."""
    curves = snapshot.curves
    result: list[Series] = []
    for name in ["loss", *term_names(curves)]:
        solid, dotted = curves.get(f"train/{name}"), curves.get(f"val/{name}")
        title = "total" if name == "loss" else name
        result.append(Series(title, series_color(len(result)), solid, dotted))
    return result


def knn_series(snapshot: RunSnapshot) -> tuple[list[Series], str]:
    """Return the kNN accuracies and, in words, the best at k = 20."""
    series = [
        Series(
            spec.short.replace("kNN@", "k="),
            series_color(index + 1),
            snapshot.curves.get(spec.name),
            known=spec.name not in snapshot.missing,
        )
        for index, spec in enumerate(reversed(in_group("accuracy")))
    ]
    last = series[-1].curve
    return series, f"best {number(last.best)}" if last is not None else ""


def why_missing(snapshot: RunSnapshot, *beginnings: str) -> str:
    """Say why metrics whose names begin so are missing from the newest evaluation."""
    named = {
        metric: why for metric, why in snapshot.missing.items() if metric.startswith(beginnings)
    }
    return "; ".join(missing_lines(named))


def when_evaluated(snapshot: RunSnapshot, what: str) -> str:
    """Say when `what`, which an evaluation brings, will be there, as far as it is known."""
    status = snapshot.status
    if status.state not in LIVE_STATES:
        return "This run ended before its first evaluation."
    coming = f"{what} comes with the first evaluation"
    every = snapshot.preset.get("train", {}).get("eval_every")
    if not every or status.total_steps <= 0 or status.total_epochs <= 0:
        return f"{coming}."
    steps = math.ceil(every * status.total_steps / status.total_epochs)
    return f"{coming}, step {min(steps, status.total_steps):,}."


def when_recorded(snapshot: RunSnapshot) -> str:
    """Say when the first loss will be there."""
    if snapshot.status.state not in LIVE_STATES:
        return "This run ended before its first record of the loss."
    return f"The loss comes at step {snapshot.preset.get('train', {}).get('log_every', UNKNOWN)}."


def failure(snapshot: RunSnapshot) -> str:
    """Say why a run does not go on and what to do; empty when nothing is wrong."""
    status = snapshot.status
    where = f"from step {status.checkpoint_step:,}" if status.checkpoint_step else "from the start"
    if status.state == "failed":
        reason = status.error or "it ended without saying why"
        return f"Failed: {reason}\nr trains on {where}; all of it is in {snapshot.path}/train.log"
    if status.state == "paused" and status.error:
        return f"Waiting: {status.error}"
    if status.state == "interrupted":
        return f"Interrupted: its process is gone. r trains on {where}."
    return ""


def collapse(snapshot: RunSnapshot) -> str:
    """Warn when the newest evaluation found the latents collapsed; empty when it did not."""
    curves = snapshot.curves
    if not snapshot.newest("latent/collapsed"):
        return ""
    rank, uniformity, deviation = (
        number(curves[f"latent/{name}"].last) if f"latent/{name}" in curves else UNKNOWN
        for name in ("effective_rank", "uniformity", "std_mean")
    )
    live = "; space pauses the training" if snapshot.status.state == "running" else ""
    return (
        "Collapse: most images lie in one direction, or on one point.\n"
        f"Effective rank {rank}, uniformity {uniformity}, mean deviation {deviation}. "
        f"e measures it{live}."
    )
