"""The parts of an evaluation that take classes for outliers; each returns JSON types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from torch import Tensor

from tui_latent.analysis.evaluation_errors import NotMeasured
from tui_latent.analysis.evaluation_parts import MISSING, LabelledLatents, different_labels
from tui_latent.metrics.nearest_neighbours import NeighbourSearch
from tui_latent.metrics.others import nearest_others
from tui_latent.metrics.outlier_detection import (
    ANOMALY_K,
    Roc,
    anomaly_scores,
    class_rocs,
    roc,
    thinned,
)
from tui_latent.nouns import IMAGES

CURVE_POINTS: Final = 100
"""points of a stored ROC curve"""
MOST_CLASSES: Final = 20
"""classes that are each left out in turn"""


def class_anomaly(space: LabelledLatents, on_chunk: Callable[[], None]) -> dict[str, Any]:
    """Return how well each class is detected when its training latents are removed."""
    bank, queries = space.labelled_bank, space.labelled_queries
    if different_labels(bank[1]) < 2:
        raise NotMeasured("there is only one class: it cannot be left out")
    if space.classes > MOST_CLASSES:
        raise NotMeasured(f"{space.classes} classes are too many to leave each out in turn")
    within = space.bank_is_queries
    found = class_rocs(*bank, *queries, space.classes, on_chunk=on_chunk, within=within)
    points = [_points(curve) if curve else None for curve in found]
    missing = {
        name: _why_no_curve(space, index)
        for index, (name, curve) in enumerate(zip(space.class_names, found, strict=True))
        if curve is None
    }
    if len(missing) == len(found):
        raise NotMeasured("; ".join(dict.fromkeys(missing.values())))
    return {"k": ANOMALY_K, "classes": points, MISSING: missing}


def _why_no_curve(space: LabelledLatents, index: int) -> str:
    """Return why a class cannot be the outlier."""
    outlying = space.query_labels == index
    if not outlying.any():
        return f"the class has no {space.nouns.held_out}s"
    if outlying.all():
        return f"all {space.nouns.held_out}s are of the class"
    others = int((space.labelled_bank[1] != index).sum())
    # Without a bank, an image of another class cannot be its own neighbour.
    needed = f"{ANOMALY_K + space.bank_is_queries} {space.voting.training}s of other classes"
    return f"the anomaly score needs {needed}, not {others}"


def class_curve(space: LabelledLatents, name: str, on_chunk: Callable[[], None]) -> dict[str, Any]:
    """Return the ROC curve with one of the run's own classes as outliers."""
    index = space.class_names.index(name)
    (bank, bank_labels), (queries, query_labels) = space.labelled_bank, space.labelled_queries
    others, outlying = bank_labels != index, query_labels == index
    search = density_search(bank[others], space.voting.training)
    if not outlying.any() or outlying.all():
        raise NotMeasured(f"class '{name}' has no {space.nouns.held_out}s, or all of them")
    if space.bank_is_queries:  # an inlier is its own nearest neighbour, and must not count
        if int(others.sum()) <= ANOMALY_K:
            what = f"{ANOMALY_K} other {space.nouns.image}s"
            raise NotMeasured(f"the anomaly score needs more than {what}")
        own = (others.cumsum(0) - 1).where(others, -1)
        scores = nearest_others(search, queries, own, ANOMALY_K, on_chunk)[0].mean(1)
    else:
        scores = anomaly_scores(search, queries, on_chunk=on_chunk)
    found = roc(scores[~outlying].numpy(), scores[outlying].numpy())
    note = "the network was trained on this class: only its training latents were removed"
    count = int(outlying.sum())
    return named_curve(f"class {name}", found, len(scores) - count, count, [note])


def named_curve(
    outliers: str, found: Roc, inliers: int, count: int, notes: list[str]
) -> dict[str, Any]:
    """Return a ROC curve as it is stored, with the images it was measured on."""
    about = {"outliers": outliers, "inliers": inliers, "images": count, "notes": notes}
    return about | {"k": ANOMALY_K} | _points(found)


def _points(found: Roc) -> dict[str, Any]:
    thin = thinned(found, CURVE_POINTS)
    return {
        "auc": found.auc,
        "aupr": found.aupr,
        "fpr95": found.fpr95,
        "false_positives": [round(x, 5) for x in thin.false_positives.tolist()],
        "true_positives": [round(y, 5) for y in thin.true_positives.tolist()],
    }


def density_search(bank: Tensor, noun: str = IMAGES.training) -> NeighbourSearch:
    """Return the search in a bank; NotMeasured if it is too small for an anomaly score."""
    if len(bank) < ANOMALY_K:
        raise NotMeasured(f"the anomaly score needs {ANOMALY_K} {noun}s, not {len(bank)}")
    return NeighbourSearch(bank)
