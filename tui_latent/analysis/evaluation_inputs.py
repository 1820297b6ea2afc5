"""The parts of an evaluation that need the images or the network; each returns JSON types.

They compare latents with what the network sees, and its layers with those of an untrained network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tui_latent.analysis.augmented import no_augmentation
from tui_latent.analysis.evaluation_errors import NotMeasured
from tui_latent.analysis.evaluation_parts import (
    MISSING,
    LabelledLatents,
    correlated_distances,
    different_labels,
    few_to_choose,
    share,
)
from tui_latent.analysis.images import views_of
from tui_latent.analysis.run_data import RunData
from tui_latent.analysis.untrained import untrained_method
from tui_latent.datasets.image_set import Dataset, ImageSet
from tui_latent.methods.method import Method
from tui_latent.metrics.co_ranking import NEIGHBOURS, co_ranking
from tui_latent.metrics.knn import evaluate_knn
from tui_latent.metrics.linear_probe import chosen_penalty, linear_probe, published_probe
from tui_latent.metrics.projection import to_plane
from tui_latent.metrics.sample_order import drawn_order
from tui_latent.metrics.spectrum import lidar
from tui_latent.metrics.trustworthiness import NEIGHBOURS as NEAREST
from tui_latent.metrics.trustworthiness import faithfulness

COMPARED: Final = 2000
"""held-out images above which a sample is compared with the inputs: images have many pixels"""
BANK: Final = 2000
"""training images that are embedded again to compare places of the network"""
QUERIES: Final = 2000
"""held-out images, likewise"""
LIDAR_IMAGES: Final = 1000
LIDAR_VIEWS: Final = 10
"""views of each image: as published (arXiv:2312.04000, section 5)"""
_CHUNK: Final = 256
_VOTERS: Final = 20

Tell = Callable[[], None]


def faithful_to_inputs(source: RunData, space: LabelledLatents, on_chunk: Tell) -> dict[str, Any]:
    """Return how far the map, and latents wider than it, keep the neighbourhoods of the inputs."""
    _require_two(space)
    source.matching_latents()
    dataset = source.inputs()
    rows = drawn_order(space.queries)[:COMPARED]
    inputs = _inputs(dataset, dataset.val, rows).flatten(1).double().numpy()
    latents = space.queries[rows].numpy()
    k = min(NEAREST, (len(rows) - 1) // 2)
    if k < 1:
        raise NotMeasured("there are too few held-out images for neighbourhoods")
    points = to_plane(space.queries.numpy())[rows.numpy()]
    spaces = {"map": points} | ({"latents": latents} if latents.shape[1] > 2 else {})
    found = {name: _faithfulness(inputs, shown, k, on_chunk) for name, shown in spaces.items()}
    missing = {}
    if len(rows) <= NEIGHBOURS + 1:
        why = few_to_choose(len(rows) - 1, NEIGHBOURS, space, other=True)
        missing = dict.fromkeys(("q_nx", "lcmc"), why)
    for each in found.values():
        if why := each.pop("no_distances"):
            missing["distances"] = why
    seen = dataset.train.features is not None
    what = source.own_preset().data.inputs + " features" if seen else "pixels"
    about = {"of": what, "images": len(rows), "k": k, "spaces": found}
    return found["map"] | about | {MISSING: missing}


def _faithfulness(
    inputs: NDArray[np.float64], shown: NDArray[np.floating], k: int, on_chunk: Tell
) -> dict[str, Any]:
    near = faithfulness(inputs, shown, k, on_chunk)
    many = len(inputs) > NEIGHBOURS + 1
    ranked = co_ranking(inputs, shown, NEIGHBOURS if many else 1, on_chunk)
    correlation, why = correlated_distances(inputs, shown)
    return {
        "trustworthiness": near.trustworthiness,
        "continuity": near.continuity,
        "q_nx": ranked.q_nx if many else None,
        "lcmc": ranked.lcmc if many else None,
        "area": ranked.area,
        "distances": correlation,
        "no_distances": why,
    }


@dataclass(frozen=True, eq=False)
class _Sample:
    """Training and held-out images with a class, the same for each row of the table."""

    dataset: Dataset
    bank: Tensor
    """int64 rows"""
    queries: Tensor
    bank_labels: Tensor
    query_labels: Tensor
    classes: int


@torch.inference_mode()
def layers(source: RunData, space: LabelledLatents, on_chunk: Tell) -> dict[str, Any]:
    """Return kNN and probe at each place of the network, untrained and trained, and of the inputs.

    All rows are of the same sample of images, so that they can be compared. The untrained network
    has the run's architecture and seed, and its batch norms the statistics of the sample.
    """
    _require_two(space)
    preset = source.own_preset()
    if preset.method.fitted:
        raise NotMeasured(f"{preset.method.name} has no network")
    model = source.model()
    source.matching_latents()
    sample = _labelled_sample(source.inputs(), space)
    seen = "pixels" if sample.dataset.train.features is None else preset.data.inputs
    rows = [
        _row(place, *latents, sample, on_chunk)
        for place, latents in _places(model.method, sample, on_chunk)
    ]
    untrained = untrained_method(preset, sample.dataset, sample.bank, on_chunk)
    rows += [
        _row(f"{place}, untrained", *latents, sample, on_chunk)
        for place, latents in _places(untrained, sample, on_chunk)
        if place != "projection"
    ]
    data = sample.dataset
    bank = _inputs(data, data.train, sample.bank).flatten(1)
    queries = _inputs(data, data.val, sample.queries).flatten(1)
    rows.append(_row(seen, bank, queries, sample, on_chunk))
    missing = {row["place"]: "the latents are not finite" for row in rows if row["probe"] is None}
    if len(sample.bank) <= _VOTERS:
        missing["kNN@20"] = few_to_choose(len(sample.bank), _VOTERS, space)
    return {
        "step": model.step,
        "training_images": len(sample.bank),
        "images": len(sample.queries),
        "rows": rows,
        MISSING: missing,
    }


def _row(
    place: str, bank: Tensor, queries: Tensor, sample: _Sample, on_chunk: Tell
) -> dict[str, Any]:
    on_chunk()
    images = len(queries)
    if not (bank.isfinite().all() and queries.isfinite().all()):
        return {"place": place, "dimensions": bank.shape[1], "knn": None, "probe": None}
    k = _VOTERS
    knn = evaluate_knn(
        bank, sample.bank_labels, queries, sample.query_labels, sample.classes, (k,), on_chunk
    )
    penalty = chosen_penalty(bank, sample.bank_labels, on_chunk)
    sides = (bank, sample.bank_labels, queries, sample.query_labels)
    read = linear_probe(*sides, penalty)
    on_chunk()
    voted = share(round(knn.accuracies[k] * images), images) if len(bank) > k else None
    return {
        "place": place,
        "dimensions": bank.shape[1],
        "knn": voted,
        "probe": share(round(read * images), images),
        "penalty": penalty,
        "published": published_probe(*sides, sample.classes),
    }


def _labelled_sample(dataset: Dataset, space: LabelledLatents) -> _Sample:
    if not len(space.bank) or space.bank_is_queries:
        raise NotMeasured("the run has no training latents")
    parts = []
    for labels, latents, most in (
        (space.bank_labels, space.bank, BANK),
        (space.query_labels, space.queries, QUERIES),
    ):
        order = drawn_order(latents)
        parts.append(order[labels[order] >= 0][:most])
    bank, queries = parts
    if not len(bank) or not len(queries):
        raise NotMeasured("there are no labels to read")
    labels = space.bank_labels[bank]
    if different_labels(labels) < 2:
        raise NotMeasured("all training images are of one class: there is nothing to classify")
    truth = space.query_labels[queries]
    return _Sample(dataset, bank, queries, labels, truth, space.classes)


def _places(
    method: Method, sample: _Sample, on_chunk: Tell
) -> Iterator[tuple[str, tuple[Tensor, Tensor]]]:
    """Yield each place of a network with the bank's and the queries' values there."""
    data = sample.dataset
    bank = _embedded(method, data, data.train, sample.bank, on_chunk)
    queries = _embedded(method, data, data.val, sample.queries, on_chunk)
    for place, latents in bank.items():
        yield place, (latents, queries[place])


def _embedded(
    method: Method, dataset: Dataset, part: ImageSet, rows: Tensor, on_chunk: Tell
) -> dict[str, Tensor]:
    found: dict[str, list[Tensor]] = {}
    for some in rows.split(_CHUNK):  # type: ignore[no-untyped-call]
        for place, latents in method.layers(_inputs(dataset, part, some)).items():
            found.setdefault(place, []).append(latents.float())
        on_chunk()
    return {place: torch.cat(chunks) for place, chunks in found.items()}


@torch.inference_mode()
def view_rank(source: RunData, space: LabelledLatents, on_chunk: Tell) -> dict[str, Any]:
    """Return LiDAR: the dimensions that tell images apart beyond what augmentation changes."""
    _require_two(space)
    preset = source.own_preset()
    if why := no_augmentation(preset):
        raise NotMeasured(why)
    model, dataset = source.model(), source.dataset()
    source.matching_latents()
    rows = drawn_order(space.queries)[:LIDAR_IMAGES]
    seed = preset.train.seed
    places: dict[str, list[Tensor]] = {}
    for some in rows.split(_CHUNK // LIDAR_VIEWS):  # type: ignore[no-untyped-call]
        views = views_of(dataset.val, some.tolist(), preset.augment, LIDAR_VIEWS, seed)[:, 1:]
        seed += 1
        found = model.method.layers(dataset.normalise(views.flatten(0, 1)))
        for place, latents in found.items():
            each = latents.float().reshape(len(some), LIDAR_VIEWS, -1)
            places.setdefault(place, []).append(each)
        on_chunk()
    whole = {place: torch.cat(parts) for place, parts in places.items()}
    broken = [place for place, views in whole.items() if not views.isfinite().all()]
    if broken:
        raise NotMeasured("the latents of views are not finite: training has diverged")
    values = {place: lidar(views) for place, views in whole.items()}
    return {
        "lidar": values["representation"],
        "places": values,
        "images": len(rows),
        "views": LIDAR_VIEWS,
    }


def _require_two(space: LabelledLatents) -> None:
    if len(space.queries) < 2:
        raise NotMeasured("one held-out image is too few to compare")


def _inputs(dataset: Dataset, part: ImageSet, rows: Tensor) -> Tensor:
    return dataset.inputs(part, rows)
