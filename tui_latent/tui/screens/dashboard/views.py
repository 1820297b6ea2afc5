"""Turns a snapshot into what the dashboard's panels show."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from tui_latent.loss_weights import Weights
from tui_latent.palettes import series_color
from tui_latent.runs.metric_specs import MetricSpec, in_group, spec_of, term_names
from tui_latent.runs.missing import missing_lines
from tui_latent.runs.origin import Origin
from tui_latent.runs.schema import LatentMap, RunSnapshot
from tui_latent.tui.charts.line_chart import Series
from tui_latent.tui.charts.scatter import Scene, hidden_share, map_scene
from tui_latent.tui.foreign_runs import POINT_KINDS, begin_again
from tui_latent.tui.format import number
from tui_latent.tui.remapping import key_name
from tui_latent.tui.run_flags import steps_per_epoch

TOTAL: Final = "total"
"""name of the loss in its chart"""
KNN_FRONT: Final = "k=20"
"""name of the accuracy that stands for a run"""

RETRIEVAL: Final = {"among 5": "val/view_retrieval_5", "nearest": "val/view_retrieval_1"}
"""name of a curve -> its metric"""
RETRIEVAL_FRONT: Final = "nearest"

DROPPED: Final = (
    "The oldest records are left out when the disk is full or slow, and evaluations when latents "
    "come faster than they are measured. The line at the top counts them, and the log says when."
)
_UNLABELLED_FIGURES: Final = (
    "clustering/silhouette",
    "map/trustworthiness",
    "map/continuity",
)
"""figures of an evaluation that say something of a space without labels"""


def has_labels(snapshot: RunSnapshot) -> bool:
    """Return whether any image of a run has a class; True while nothing says otherwise."""
    if snapshot.map is not None:
        return bool(snapshot.map.class_names) or bool((snapshot.map.labels >= 0).any())
    data = snapshot.preset.get("data")
    return not (isinstance(data, Mapping) and data.get("labels") == "none")


def loss_terms(snapshot: RunSnapshot) -> list[str]:
    """Return the recorded loss terms: those that the run's method declares, if it is known."""
    # Importing it brings pydantic, which the first frame of a run does not need.
    from tui_latent.config.methods import method_class

    method = method_class(snapshot.preset)
    return term_names(snapshot.curves, None if method is None else method.terms)


def loss_series(
    snapshot: RunSnapshot, weights: Mapping[str, Weights] | None = None, dark: bool = True
) -> list[Series]:
    """Return the total loss and each of its terms, with their held-out values.

    With `weights`, each term is shown as it counts in the total; without, as it is recorded.
    """
    curves, epoch = snapshot.curves, steps_per_epoch(snapshot)
    result: list[Series] = []
    for name in ["loss", *loss_terms(snapshot)]:
        solid, dotted = curves.get(f"train/{name}"), curves.get(f"val/{name}")
        result.append(
            Series(
                TOTAL if name == "loss" else spec_of(f"train/{name}").short,
                series_color(len(result), dark),
                solid,
                dotted,
                weights=weights.get(name, ()) if weights and name != "loss" else (),
                steps_per_epoch=epoch,
            )
        )
    return result


def knn_series(snapshot: RunSnapshot, dark: bool = True) -> tuple[list[Series], str]:
    """Return the kNN accuracies, and the best one at k = 20 as text."""
    specs = [spec for spec in in_group("accuracy") if spec.name.startswith("val/knn_")]
    series = [
        Series(
            spec.short.replace("kNN@", "k="),
            series_color(index + 1, dark),
            snapshot.curves.get(spec.name),
            known=spec.name not in snapshot.missing,
            steps_per_epoch=steps_per_epoch(snapshot),
        )
        for index, spec in enumerate(reversed(specs))
    ]
    last = series[-1].curve
    return series, f"best {number(last.best)}" if last is not None else ""


def retrieval_series(snapshot: RunSnapshot, dark: bool = True) -> tuple[list[Series], str]:
    """Return how often an image's other view is found among the nearest, and the best at 1."""
    series = [
        Series(
            name,
            series_color(index + 1, dark),
            snapshot.curves.get(metric),
            known=metric not in snapshot.missing,
            steps_per_epoch=steps_per_epoch(snapshot),
        )
        for index, (name, metric) in enumerate(RETRIEVAL.items())
        if metric in snapshot.curves
    ]
    first = snapshot.curves.get(RETRIEVAL[RETRIEVAL_FRONT])
    return series, f"best {number(first.best)}" if first is not None else ""


def live_scene(latent_map: LatentMap | None, origin: Origin = "trained") -> Scene | None:
    """Return the map with axes, names and a legend."""
    if latent_map is None:
        return None
    titles = partial(map_titles, latent_map, kind=f"{POINT_KINDS[origin]}s")
    return map_scene(latent_map, axes=True, legend=True, titles=titles)


def map_titles(
    latent_map: LatentMap, hidden: int, kind: str = "held-out images"
) -> tuple[str, ...]:
    """Name a map of points of a kind and its step; say how many of the points are hidden."""
    count = len(latent_map.points)
    share, step = hidden_share(hidden, count), f"step {latent_map.step:,}"
    way = f", {latent_map.projection.upper()}" if latent_map.projection != "native" else ""
    return (
        f"Latent map{way} · {step} · {count:,} {kind} · {share}",
        f"Latent map{way} · {step} · {count:,} {kind.removeprefix('held-out ')} · {share}",
        f"Map{way} · {step} · {count:,} · {share}",
        f"Map · {step} · {share}",
        f"Map · {step}",
    )


def why_missing(snapshot: RunSnapshot, *beginnings: str) -> str:
    """Say why metrics with these prefixes are missing from the newest evaluation."""
    named = {
        metric: why for metric, why in snapshot.missing.items() if metric.startswith(beginnings)
    }
    return "; ".join(missing_lines(named))


def measured_figures(evaluation: Mapping[str, Any] | None) -> dict[MetricSpec, float]:
    """Return an evaluation's figures that need no labels."""
    found = {}
    for name in _UNLABELLED_FIGURES:
        part, _, figure = name.partition("/")
        of = (evaluation or {}).get(part)
        value = of.get(figure) if isinstance(of, Mapping) else None
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            found[spec_of(name)] = float(value)
    return found


def failure(snapshot: RunSnapshot, keymap: Mapping[str, str]) -> str:
    """Say why a run has stopped and what to do; empty if nothing is wrong."""
    status = snapshot.status
    if snapshot.origin != "trained":
        return _foreign_failure(snapshot)
    step = f"step {status.checkpoint_step:,}" if status.checkpoint_step else "the beginning"
    resume = f"Press {key_name('run.resume', keymap)} to resume from {step}."
    if status.state == "failed":
        reason = status.error or "no reason was recorded"
        key = key_name("run.resume", keymap)
        return f"Failed: {reason}\nPress {key} to retry, resume, start over or read the log."
    if status.state == "paused" and status.error:
        return f"Waiting: {status.error}"
    if status.unbegun:
        key = key_name("run.resume", keymap)
        return f"No process has begun to train it yet. Press {key} to train it here."
    if status.state == "interrupted":
        return f"Interrupted: its process no longer exists. {resume}"
    return ""


def _foreign_failure(snapshot: RunSnapshot) -> str:
    """Say why a user's own loop has stopped, and how it can continue."""
    status, again = snapshot.status, begin_again(snapshot.provenance)
    if status.state == "failed":
        return f"Failed: {status.error or 'no reason was recorded'}\n{again}"
    if status.state == "interrupted":
        return f"Interrupted: its process no longer exists.\n{again}"
    return f"Waiting: {status.error}" if status.state == "paused" and status.error else ""
