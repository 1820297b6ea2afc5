"""The parts of an evaluation that need only latents and labels; each returns JSON types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tui_latent.analysis.abilities import NO_LABELS
from tui_latent.analysis.cluster_rows import cluster_rows
from tui_latent.analysis.evaluation_errors import NotMeasured
from tui_latent.analysis.spectrum_words import MOST_AXES
from tui_latent.metrics import clustering as clusters
from tui_latent.metrics.class_scores import class_scores, wilson_interval
from tui_latent.metrics.cluster_count import best_count
from tui_latent.metrics.co_ranking import NEIGHBOURS as RANKS
from tui_latent.metrics.co_ranking import co_ranking, distance_correlation
from tui_latent.metrics.collapse import collapse_signs, space_figures, why_no_figures
from tui_latent.metrics.knn import (
    KS,
    KnnResult,
    evaluate_knn,
    evaluate_knn_within,
    why_no_vote,
)
from tui_latent.metrics.linear_probe import chosen_penalty, linear_probe, published_probe
from tui_latent.metrics.neighbourhood_hit import neighbourhood_hit
from tui_latent.metrics.projection import to_plane
from tui_latent.metrics.spectrum import alpha_req, participation_ratio, spectrum
from tui_latent.metrics.trustworthiness import NEIGHBOURS, SAMPLE, faithfulness
from tui_latent.nouns import IMAGES, Nouns, counted
from tui_latent.runs.latents_file import UNLABELLED
from tui_latent.runs.schema import Curve

MISSING: Final = "missing"
"""figure of a part -> why it is None"""
NO_BANK: Final = "the run has no training latents"
NO_VIEWS: Final = "no two views of an image were recorded"
NATIVE: Final = "the map is the latent space itself"


@dataclass(frozen=True, eq=False)
class LabelledLatents:
    """The latents of a run with their labels, on the CPU; UNLABELLED where there is none."""

    bank: Tensor
    """float32 (N, D), of the training images"""
    bank_labels: Tensor
    queries: Tensor
    """float32 (M, D), of the held-out images"""
    query_labels: Tensor
    class_names: tuple[str, ...]
    bank_is_queries: bool = False
    """whether the run has no training latents, and the bank is the queries"""
    nouns: Nouns = IMAGES

    @property
    def labelled_bank(self) -> tuple[Tensor, Tensor]:
        """Return the latents of the bank that have a label, and the labels; NotMeasured without
        any."""
        return _labelled(self.bank, self.bank_labels)

    @property
    def labelled_queries(self) -> tuple[Tensor, Tensor]:
        """Return the held-out latents that have a label, and the labels; NotMeasured without
        any."""
        return _labelled(self.queries, self.query_labels)

    @property
    def voting(self) -> Nouns:
        """Return the nouns of the run; what votes are the others where there is no bank."""
        alone = self.nouns._replace(training=self.nouns.image)
        return alone if self.bank_is_queries else self.nouns

    @property
    def classes(self) -> int:
        """Return the number of classes, including those without images."""
        return len(self.class_names)

    def require_finite(self) -> None:
        """Raise NotMeasured if there are no latents, or some are not finite."""
        both = [(self.nouns.training, self.bank)] if not self.bank_is_queries else []
        for what, latents in (*both, (self.nouns.held_out, self.queries)):
            if not len(latents):
                raise NotMeasured(f"there are no {what}s")
            broken = int((~torch.isfinite(latents)).any(1).sum())
            if broken:
                raise NotMeasured(
                    f"the latents of {broken:,} of {len(latents):,} {what}s are not finite: "
                    "training has diverged"
                )

    def notes(self) -> list[str]:
        """Return warnings that concern every figure."""
        notes = []
        if len(self.bank) > 1 and bool((self.bank == self.bank[0]).all()):
            what = "" if self.bank_is_queries else "training "
            notes.append(f"all {what}latents are equal: neighbours and clusters mean nothing")
        bank = [(self.nouns.training, self.bank_labels)] if not self.bank_is_queries else []
        for what, labels in (*bank, (self.nouns.held_out, self.query_labels)):
            unknown = int((labels == UNLABELLED).sum())
            if 0 < unknown < len(labels):
                are = "has no label and is" if unknown == 1 else "have no label and are"
                notes.append(
                    f"{unknown:,} of {counted(len(labels), what)} {are} left out where classes "
                    "count"
                )
        return notes


def _labelled(latents: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    known = labels != UNLABELLED
    if not known.any():
        raise NotMeasured(NO_LABELS)
    return (latents, labels) if known.all() else (latents[known], labels[known])


def share(right: int, of: int) -> dict[str, Any]:
    """Return a share with its 95 % confidence interval."""
    low, high = wilson_interval(right, of)
    return {"value": right / of, "low": low, "high": high, "right": right, "of": of}


def knn_train(space: LabelledLatents, on_chunk: Callable[[], None]) -> dict[str, Any]:
    """Return the leave-one-out kNN accuracy of the training images."""
    bank, labels = space.labelled_bank
    if space.bank_is_queries:
        raise NotMeasured(NO_BANK)
    if len(bank) < 2:
        raise NotMeasured(f"needs at least two {space.nouns.training}s")
    missing = why_no_vote(bank, labels, len(bank), within=True, nouns=space.nouns)
    known = _known(missing)
    found = evaluate_knn_within(bank, labels, space.classes, known, on_chunk)
    return _knn(found, missing, len(bank))


def knn_held_out(space: LabelledLatents, on_chunk: Callable[[], None]) -> dict[str, Any]:
    """Return the kNN accuracy of the held-out images among the training images.

    Without training images the other held-out images vote: leave-one-out.
    """
    bank, queries = space.labelled_bank, space.labelled_queries
    images = len(queries[0])
    if space.bank_is_queries:
        if images < 2:
            raise NotMeasured(f"needs at least two {space.nouns.image}s with a label")
        missing = why_no_vote(*queries, images, within=True, nouns=space.voting)
        found = evaluate_knn_within(*queries, space.classes, _known(missing), on_chunk)
    else:
        missing = why_no_vote(*bank, images, nouns=space.nouns)
        found = evaluate_knn(*bank, *queries, space.classes, _known(missing), on_chunk)
    return _knn(found, missing, images)


def probe(space: LabelledLatents, on_chunk: Callable[[], None]) -> dict[str, Any]:
    """Return the held-out accuracy of a linear classifier of the training latents."""
    bank, queries = space.labelled_bank, space.labelled_queries
    images = len(queries[0])
    if space.bank_is_queries:
        raise NotMeasured(NO_BANK)
    if different_labels(bank[1]) < 2:
        what = f"all {space.nouns.training}s are of one class"
        raise NotMeasured(f"{what}: there is nothing to classify")
    if images < 2:
        raise NotMeasured(f"one {space.nouns.held_out} is too few for an accuracy")
    penalty = chosen_penalty(*bank, on_chunk)
    accuracy = linear_probe(*bank, *queries, penalty)
    published = published_probe(*bank, *queries, space.classes)
    return share(round(accuracy * images), images) | {"penalty": penalty, "published": published}


def clustering(space: LabelledLatents, on_chunk: Callable[[], None]) -> dict[str, Any]:
    """Return how k-means of the held-out latents agrees with their classes.

    Without labels there are as many clusters as have the best silhouette, and nothing to agree
    with.
    """
    latents, labels = space.queries.numpy(), space.query_labels.numpy()
    known = labels[labels != UNLABELLED]
    if len(known) and (why := clusters.why_no_clustering(known, space.nouns)):
        raise NotMeasured(why)
    if len(labels) < 3 and not len(known):
        raise NotMeasured(f"two {space.nouns.image}s are too few for clusters")
    asked = len(np.unique(known)) or best_count(latents)
    found = clusters.evaluate_clustering(latents, labels, asked)
    if found.clusters < 2:
        latents_of = space.nouns.held_out.replace("image", "latent")
        raise NotMeasured(f"all {latents_of}s are equal: there are no clusters to find")
    figures = asdict(found) | {"class_silhouette": found.class_silhouette}
    rows = cluster_rows(latents, figures.pop("assigned"), labels, space.class_names)
    by_class = {space.class_names[i]: value for i, value in found.class_silhouettes.items()}
    figures["class_silhouettes"] = by_class
    agreement = ("accuracy", "nmi", "ari", "ami", "class_silhouette")
    missing = {} if len(known) else dict.fromkeys(agreement, NO_LABELS)
    if np.isnan(found.silhouette):
        missing["silhouette"] = f"each cluster has one {space.nouns.image}"
    if len(known) and not by_class:
        missing["class_silhouette"] = f"each class has one {space.nouns.image}"
    figures = {name: None if name in missing else value for name, value in figures.items()}
    images = {"asked": asked, "images": len(labels), "labelled": len(known), "rows": rows}
    return figures | images | {MISSING: missing}


def collapse(
    space: LabelledLatents,
    on_chunk: Callable[[], None],
    curves: Mapping[str, Curve],
    reasons: Mapping[str, str],
) -> dict[str, Any]:
    """Return collapse metrics of the held-out latents, with the alignment that training recorded.

    `reasons` says why training could not record it.
    """
    if why := why_no_figures(len(space.queries), space.nouns):
        raise NotMeasured(why)
    figures = space_figures(space.queries)
    signs = collapse_signs(figures, min(space.queries.shape))
    curve = None if "latent/alignment" in reasons else curves.get("latent/alignment")
    known = curve is not None and np.isfinite(curve.last)
    why = reasons.get("latent/alignment", NO_VIEWS)
    axes = _spectrum(space.queries)
    missing = axes.pop(MISSING) | ({} if known else {"alignment": why})
    return {
        **figures,
        **axes,
        "alignment": curve.last if curve is not None and known else None,
        "signs": signs,
        MISSING: missing,
    }


def _spectrum(latents: Tensor) -> dict[str, Any]:
    """Return the variances along the principal axes, the largest first, and what sums them up."""
    variances = spectrum(latents)
    alpha, ratio = alpha_req(variances), participation_ratio(variances)
    missing = {}
    if np.isnan(ratio):
        missing["participation_ratio"] = "the latents do not vary"
    if np.isnan(alpha) and latents.shape[1] > 2:  # in a plane nobody asks for a power
        missing["alpha_req"] = "the latents vary along fewer than three axes"
    return {
        "participation_ratio": None if np.isnan(ratio) else ratio,
        "alpha_req": None if np.isnan(alpha) else alpha,
        "spectrum": [float(f"{value:.4g}") for value in variances[:MOST_AXES]],
        MISSING: missing,
    }


def map_faithfulness(space: LabelledLatents, on_chunk: Callable[[], None]) -> dict[str, Any]:
    """Return how far the 2-D map's neighbourhoods are those of the held-out latents.

    A space of one or two dimensions is its own map, and a comparison with itself says nothing.
    """
    latents = space.queries.numpy()
    k = min(NEIGHBOURS, (len(latents) - 1) // 2)
    if k < 1:
        noun = space.nouns.held_out
        few = f"one {noun} has" if len(latents) == 1 else f"two {noun}s have"
        raise NotMeasured(f"{few} no neighbourhoods to compare")
    points = to_plane(latents)
    found: dict[str, Any] = {"projection": "pca", "k": k, "images": min(len(latents), SAMPLE)}
    missing: dict[str, str] = {}
    if latents.shape[1] <= 2:
        missing = dict.fromkeys(("trustworthiness", "continuity"), NATIVE)
        found |= {"projection": "native"} | dict.fromkeys(missing)
    else:
        found |= asdict(faithfulness(latents, points, k, on_chunk=on_chunk))
        ranked = co_ranking(latents, points, min(RANKS, len(latents) - 2), on_chunk)
        correlation, why = correlated_distances(latents, points)
        found |= {"area": ranked.area, "distances": correlation}
        missing |= {"distances": why} if why else {}
    hit, why = _hit(space, points, on_chunk)
    if why:
        missing["neighbourhood_hit"] = why
    return found | {"neighbourhood_hit": hit, "hit_k": RANKS, MISSING: missing}


def correlated_distances(
    latents: NDArray[np.floating], points: NDArray[np.floating]
) -> tuple[float | None, str]:
    """Return the rank correlation of distances in two spaces, or why there is none."""
    value, images = distance_correlation(latents, points)
    if not np.isnan(value):
        return value, ""
    if images < 3:
        return None, "there is only one distance"
    return None, "all distances of a space are equal: none is larger than another"


def _hit(
    space: LabelledLatents, points: NDArray[np.floating], on_chunk: Callable[[], None]
) -> tuple[float | None, str]:
    """Return the share of neighbours on the map that are of an image's class, or why not."""
    known = space.query_labels != UNLABELLED
    images = int(known.sum())
    if not images:
        return None, NO_LABELS
    if images <= RANKS + 1:
        return None, few_to_choose(images - 1, RANKS, space, other=True)
    shown = torch.from_numpy(np.ascontiguousarray(points))[known]
    return neighbourhood_hit(shown, space.query_labels[known], RANKS, on_chunk), ""


def few_to_choose(images: int, k: int, space: LabelledLatents, other: bool = False) -> str:
    """Say that all images are among the k nearest; `other` held-out ones, or those that vote."""
    noun = f"other {space.nouns.image}" if other else space.voting.training
    there = f"is {images}" if images == 1 else f"are {images:,}"
    return f"there {there} {noun}{'s' * (images != 1)} to choose the {k} nearest from"


def different_labels(labels: Tensor) -> int:
    """Return how many different labels there are."""
    return len(labels.bincount().nonzero())


def _known(missing: Mapping[int, str]) -> list[int]:
    """Return the values of k whose vote means something; NotMeasured if there are none."""
    known = [k for k in KS if k not in missing]
    if not known:
        raise NotMeasured("; ".join(dict.fromkeys(missing.values())))
    return known


def _knn(found: KnnResult, missing: Mapping[int, str], images: int) -> dict[str, Any]:
    """Return the accuracy for each k and the confusion of the largest; None where missing."""
    right = {k: round(value * images) for k, value in found.accuracies.items()}
    confusion = found.confusion.numpy() if max(KS) in right else None
    return {
        "images": images,
        "accuracy": {str(k): share(right[k], images) if k in right else None for k in KS},
        "confusion": None if confusion is None else confusion.tolist(),
        "classes": [] if confusion is None else [asdict(c) for c in class_scores(confusion)],
        MISSING: {f"k={k}": why for k, why in missing.items()},
    }
