"""The inputs of a method's panels, from the run's latents, weights and images."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.analysis import InspectionError, RunData, RunInspector
from tui_latent.analysis.abilities import NO_LABELS
from tui_latent.analysis.class_extremes import class_extremes
from tui_latent.analysis.decoding import RunDecoder, no_decoder
from tui_latent.analysis.evaluate import evaluate_run
from tui_latent.analysis.evaluation_errors import AssessmentError
from tui_latent.analysis.evaluation_table import is_whole
from tui_latent.analysis.neighbourhoods import Space, images_of, space_at
from tui_latent.analysis.outlier_ranking import AnomalyRanking
from tui_latent.analysis.projections import ProjectionName, project
from tui_latent.analysis.sampling import ClassSampler
from tui_latent.map_frame import central_points, finite_points
from tui_latent.reports.numbers import CLASS, CLUSTER
from tui_latent.reports.samples import COLUMNS
from tui_latent.runs.evaluations import newest_evaluation
from tui_latent.runs.latents_file import UNLABELLED
from tui_latent.runs.schema import LatentMap, RunSnapshot

DRAWN: Final = 128
"""samples of each class that the LDA classifies"""
EXTREMES: Final = 3
RECONSTRUCTED: Final = 16
SAMPLES: Final = 5
"""of them that are shown"""
TSNE_IMAGES: Final = 3000
"""most held-out images that t-SNE shows; if there are more, it shows a sample to save time"""
_CELLS: Final = 20
"""thumbnails across a map"""


@dataclass(frozen=True, eq=False)
class Flat:
    """Held-out images in the plane by a projection."""

    map: LatentMap
    faithful: str
    """how much of the latents it shows, in words"""


@dataclass(frozen=True, eq=False)
class Cloud:
    """Held-out images in three dimensions."""

    points: NDArray[np.float32]
    """(N, 3)"""
    labels: NDArray[np.int64]
    faithful: str


@dataclass(frozen=True, eq=False)
class Thumbnails:
    """Images in the cells of a square map, at most one in each."""

    cells: int
    """across, and as many up"""
    columns: NDArray[np.int64]
    rows: NDArray[np.int64]
    """from the bottom"""
    labels: NDArray[np.int64]
    images: NDArray[np.uint8]
    """(N, H, W, C)"""


@dataclass(frozen=True, eq=False)
class _Run:
    source: RunData
    snapshot: RunSnapshot
    seed: int
    drawn: LatentMap | None
    """the map with the labels that it is coloured by"""

    @property
    def map(self) -> LatentMap:
        if self.snapshot.map is None:
            raise InspectionError("it appears after the first evaluation")
        return self.snapshot.map

    @property
    def shown(self) -> LatentMap:
        return self.map if self.drawn is None else self.drawn

    @property
    def space(self) -> Space:
        space = space_at(self.source, self.map, newest=True)
        if space.is_map:
            raise InspectionError("the latents of this map were not kept")
        return space


def has_labels(latent_map: LatentMap) -> bool:
    """Return whether any image on a map has a label."""
    return bool((latent_map.labels != UNLABELLED).any())


def shown_map(path: Path, snapshot: RunSnapshot) -> tuple[LatentMap | None, str]:
    """Return the newest map as it is drawn, and what its colours mean: CLASS or CLUSTER.

    Without labels its points are coloured by their k-means cluster, if there are latents.
    """
    latent_map = snapshot.map
    if latent_map is None or has_labels(latent_map):
        return latent_map, CLASS
    try:
        clusters = space_at(RunData(path), latent_map, newest=True).clusters
    except InspectionError:
        return latent_map, CLASS
    names = tuple(f"cluster {number + 1}" for number in range(int(clusters.max(initial=-1)) + 1))
    return replace(latent_map, labels=clusters, class_names=names), CLUSTER


def collect_findings(
    path: Path,
    snapshot: RunSnapshot,
    wanted: Iterable[str],
    seed: int,
    drawn: LatentMap | None = None,
) -> dict[str, Any]:
    """Return the requested inputs by name; a text in place of one says why it is missing.

    `drawn` is the map with the labels that it is coloured by, if not its own.
    """
    try:
        run = _Run(RunData(path), snapshot, seed, drawn)
    except InspectionError as error:
        return dict.fromkeys(wanted, str(error))
    return {name: _found(COLLECTORS[name], run) for name in wanted}


def _found(collect: Callable[[_Run], Any], run: _Run) -> Any:
    try:
        return collect(run)
    except (InspectionError, AssessmentError) as error:
        return str(error)


def _evaluation(run: _Run) -> dict[str, Any]:
    """Return the evaluation of these latents: the stored one, or a new one."""
    kept = newest_evaluation(run.source.path)
    written = run.source.latents().signature[2]
    if kept is not None and is_whole(kept) and kept["latents"]["written"] == written:
        return kept
    return evaluate_run(run.source.path)


def _flat(name: ProjectionName) -> Callable[[_Run], Flat]:
    def collect(run: _Run) -> Flat:
        space = run.space
        dimensions = space.points.shape[1]
        if dimensions <= 2:
            raise InspectionError("the latents have two dimensions: the map shows them as they are")
        sampled, shown = "", run.shown
        if name == "t-SNE" and len(space.points) > TSNE_IMAGES:
            space, shown = _sampled(space, shown)
            sampled = f"{TSNE_IMAGES:,} of {len(run.map.points):,} held-out images · "
        found = project(space, name, lambda _: None, threading.Event())
        flat = replace(shown, points=found.points, projection=name)
        return Flat(flat, sampled + found.faithful)

    return collect


def _sampled(space: Space, shown: LatentMap) -> tuple[Space, LatentMap]:
    rows = np.random.default_rng(0).choice(len(space.points), TSNE_IMAGES, replace=False)
    rows.sort()
    part, drawn = (
        replace(m, points=m.points[rows], indices=m.indices[rows], labels=m.labels[rows])
        for m in (space.map, shown)
    )
    return Space(part, space.points[rows], space.bank, space.bank_labels), drawn


def _cloud(wide: ProjectionName) -> Callable[[_Run], Cloud]:
    def collect(run: _Run) -> Cloud:
        space = run.space
        dimensions = space.points.shape[1]
        if dimensions < 3:
            raise InspectionError("the latents have two dimensions: the map shows them as they are")
        name: ProjectionName = "cloud" if dimensions == 3 and wide == "PCA 3-D" else wide
        found = project(space, name, lambda _: None, threading.Event())
        return Cloud(found.points, run.shown.labels, found.faithful)

    return collect


def _thumbnails(run: _Run) -> Thumbnails:
    from tui_latent.reports.map_frame import map_frame

    frame, points = map_frame(run.map), np.asarray(run.map.points, np.float64)
    place = (points - np.array(frame.centre) + frame.half_width) / (2 * frame.half_width) * _CELLS
    chosen, columns, rows = central_points(place, _CELLS, _CELLS)
    if not len(chosen):
        raise InspectionError("no point on the map is finite: training has diverged")
    return Thumbnails(
        _CELLS,
        columns,
        rows,
        run.shown.labels[chosen],
        images_of(run.source, run.map.indices[chosen], run.map.step),
    )


def _voronoi(run: _Run) -> LatentMap:
    if not finite_points(run.map.points).any():
        raise InspectionError("no point on the map is finite: training has diverged")
    if not has_labels(run.shown):
        raise InspectionError(NO_LABELS)
    return run.shown


def _reconstructions(run: _Run) -> Any:
    if why := no_decoder(run.source.preset):
        raise InspectionError(why)
    inspector = RunInspector(run.source.path, run.source)
    return RunDecoder(run.source).reconstruct(inspector.examples(RECONSTRUCTED))


def _samples(run: _Run) -> Any:
    if why := no_decoder(run.source.preset):
        raise InspectionError(why)
    sampler = ClassSampler(run.source)
    return [sampler.sample(label, DRAWN, run.seed) for label in _shown_classes(run)]


def _extremes(run: _Run) -> Any:
    return [class_extremes(run.source, label, EXTREMES) for label in _shown_classes(run)]


def _shown_classes(run: _Run) -> list[int]:
    """Return the classes with training images: all, or ten spread evenly among more."""
    labels = run.source.latents().bank_labels.numpy()
    present = np.unique(labels[labels != UNLABELLED]).tolist()
    if not present:
        raise InspectionError(NO_LABELS)
    spread = np.linspace(0, len(present) - 1, min(COLUMNS, len(present))).round().astype(int)
    return [present[position] for position in spread]


COLLECTORS: Final[dict[str, Callable[[_Run], Any]]] = {
    "evaluation": _evaluation,
    "PCA": _flat("PCA"),
    "LDA": _flat("LDA"),
    "t-SNE": _flat("t-SNE"),
    "cloud": _cloud("PCA 3-D"),
    "LDA 3-D": _cloud("LDA 3-D"),
    "thumbnails": _thumbnails,
    "voronoi": _voronoi,
    "reconstructions": _reconstructions,
    "samples": _samples,
    "extremes": _extremes,
    "anomalies": lambda run: AnomalyRanking(run.source).most_anomalous(COLUMNS),
}
"""by the names that panels use in `needs`"""
