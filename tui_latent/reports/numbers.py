"""Every number of a report as plain values, for the figure and the JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.loss_weights import Weights, loss_weights
from tui_latent.reports.confusion import Confusion, knn_confusion
from tui_latent.reports.map_frame import MapFrame, map_frame
from tui_latent.reports.run_summary import About, about_run
from tui_latent.reports.samples import Sample, Samples, ViewSheet
from tui_latent.reports.terms import loss_terms
from tui_latent.runs.metric_specs import in_group, spec_in_run, term_names
from tui_latent.runs.schema import Curve, RunSnapshot

_RETRIEVAL: Final = ("val/view_retrieval_1", "val/view_retrieval_5")
CLASS: Final = "class"
CLUSTER: Final = "cluster"


@dataclass(frozen=True, eq=False)
class Line:
    """One curve."""

    metric: str
    last: float
    best: float
    """the largest of an accuracy, else the smallest"""
    not_finite: int
    """records that were NaN or infinite, and are not drawn"""
    steps: NDArray[np.float64]
    means: NDArray[np.float64]
    lows: NDArray[np.float64]
    highs: NDArray[np.float64]


@dataclass(frozen=True)
class Term:
    """The total loss or one of its terms."""

    name: str
    train: Line | None
    val: Line | None
    """both before weighting"""
    weights: Weights = ()
    """how much it counts in the loss; empty for the loss, and where it is not known"""


@dataclass(frozen=True)
class Accuracy:
    """Share of the held-out images whose class the k nearest training images name."""

    k: int | None
    """None for an accuracy of another classifier"""
    line: Line


@dataclass(frozen=True)
class NeighbourNumbers:
    """One neighbour of a sample."""

    training_image: int
    label: str
    distance: float
    wrong: bool


@dataclass(frozen=True)
class SampleNumbers:
    """A held-out image and its neighbours."""

    held_out_image: int
    label: str
    neighbours: tuple[NeighbourNumbers, ...]


@dataclass(frozen=True)
class ViewNumbers:
    """The augmentation sheet."""

    held_out_images: tuple[int, ...]
    views: int
    seed: int


@dataclass(frozen=True, eq=False)
class ReportNumbers:
    """Everything a report shows except points and pixels."""

    about: About
    metrics: dict[str, float]
    """newest value of every metric"""
    missing: Mapping[str, str]
    """metric -> why it means nothing at the newest evaluation"""
    class_names: tuple[str, ...]
    loss: tuple[Term, ...]
    knn: tuple[Accuracy, ...]
    map: MapFrame | None
    confusion: Confusion | None
    views: ViewNumbers | str
    neighbours: tuple[SampleNumbers, ...] | str
    others: tuple[Line, ...] = ()
    """recorded metrics that no other panel shows"""
    family: Mapping[str, Any] = field(default_factory=dict)
    """numbers of the method's own panels, by input; a text says why one is missing"""
    verdict: str = ""
    """what can be said about the run in one line"""
    severity: str = "note"
    """the worst severity of what the line says"""
    retrieval: tuple[Line, ...] = ()
    """view retrieval, which needs no labels"""
    unlabelled: bool = False
    """whether no image on the map has a label"""
    colors: str = CLASS
    """what the colours of the map mean: class or cluster"""
    findings: tuple[Mapping[str, Any], ...] = ()
    """everything that can be said about the run, with evidence"""


def report_numbers(snapshot: RunSnapshot, samples: Samples) -> ReportNumbers:
    """Collect the numbers of a run and its samples."""
    curves = snapshot.curves
    terms = loss_terms(snapshot.preset, curves)
    weights = loss_weights(snapshot) or {}
    knn = [(spec, curves.get(spec.name)) for spec in reversed(in_group("accuracy"))]
    recorded = term_names(curves)
    others = [name for name in curves if spec_in_run(name, recorded).group == "other"]
    return ReportNumbers(
        about=about_run(snapshot),
        metrics={
            name: curve.last for name, curve in curves.items() if name not in snapshot.missing
        },
        missing=snapshot.missing,
        class_names=snapshot.class_names,
        loss=tuple(
            Term(
                *(name, _line(f"train/{name}", curves), _line(f"val/{name}", curves)),
                weights=weights.get(name, ()),
            )
            for name in terms
        ),
        knn=tuple(_accuracy(spec.name, curve) for spec, curve in knn if curve),
        retrieval=tuple(line_of(name, curves[name]) for name in _RETRIEVAL if name in curves),
        map=map_frame(snapshot.map) if snapshot.map is not None else None,
        confusion=knn_confusion(snapshot.confusion, snapshot.class_names)
        if snapshot.confusion is not None
        else None,
        views=_view_numbers(samples.views),
        neighbours=samples.neighbours
        if isinstance(samples.neighbours, str)
        else tuple(map(_sample_numbers, samples.neighbours)),
        others=tuple(line_of(name, curves[name]) for name in others),
    )


def with_evaluation(numbers: ReportNumbers, evaluation: Mapping[str, Any]) -> ReportNumbers:
    """Return the numbers with what only an evaluation tells of a run from elsewhere."""
    about = replace(numbers.about, latent_dim=evaluation["latents"]["dimensions"])
    confusion, counts = numbers.confusion, evaluation.get("knn_held_out", {}).get("confusion")
    if confusion is None and counts is not None:
        names = tuple(evaluation["class_names"])
        confusion = knn_confusion(np.array(counts, dtype=np.int64), names)
    return replace(numbers, about=about, confusion=confusion)


def as_json(value: Any) -> Any:
    """Convert a value to JSON types; numbers that are not finite become null."""
    if is_dataclass(value):
        return {f.name: as_json(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return as_json(value.tolist())
    if isinstance(value, (tuple, list)):
        return [as_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _line(metric: str, curves: Mapping[str, Curve]) -> Line | None:
    return line_of(metric, curves[metric]) if metric in curves else None


def line_of(metric: str, curve: Curve) -> Line:
    """Return a recorded curve as it is drawn."""
    return Line(
        metric,
        curve.last,
        curve.best,
        curve.non_finite,
        curve.steps,
        curve.means,
        curve.lows,
        curve.highs,
    )


def _accuracy(metric: str, curve: Curve) -> Accuracy:
    k = metric.removeprefix("val/knn_")
    return Accuracy(int(k) if k.isdecimal() else None, line_of(metric, curve))


def _view_numbers(views: ViewSheet | str) -> ViewNumbers | str:
    if isinstance(views, str):
        return views
    return ViewNumbers(views.indices, views.images.shape[1] - 1, views.seed)


def _sample_numbers(sample: Sample) -> SampleNumbers:
    found = sample.neighbours
    rows = zip(found.indices.tolist(), found.labels, found.distances.tolist(), strict=True)
    neighbours = tuple(
        NeighbourNumbers(
            index, label, distance, bool(label and sample.label) and label != sample.label
        )
        for index, label, distance in rows
    )
    return SampleNumbers(found.index, sample.label, neighbours)
