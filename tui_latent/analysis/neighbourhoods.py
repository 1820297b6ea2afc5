"""Held-out images in their space, and facts about the neighbourhood of each."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.analysis.errors import InspectionError
from tui_latent.analysis.point_facts import PointFacts, RelatedImages
from tui_latent.analysis.run_data import RunData
from tui_latent.analysis.run_latents import RunLatents
from tui_latent.nouns import IMAGES, Nouns
from tui_latent.runs.latents_file import UNLABELLED
from tui_latent.runs.schema import LatentMap

if TYPE_CHECKING:
    from torch import Tensor

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

K: Final = 20
"""neighbours that vote"""
_STARTS: Final = 4
"""starts of k-means; few, because a person waits for it"""
_NEAR: Final = 0.05
"""a neighbour is near on the map if it is among this share of the nearest points there"""


class Space:
    """The held-out images at one evaluation: (M, D) points, and the bank that votes on them.

    For the newest evaluation the bank is the training latents. For earlier
    ones only the map was kept: there the other held-out images vote, in the plane.
    """

    def __init__(
        self,
        latent_map: LatentMap,
        points: Tensor,
        bank: Tensor | None,
        bank_labels: Tensor | None,
        bank_is_points: bool = False,
        nouns: Nouns = IMAGES,
    ) -> None:
        import torch

        self.map = latent_map
        self.points = points
        self.bank = points if bank is None else bank
        labels = torch.from_numpy(np.array(latent_map.labels))
        self.bank_labels = labels if bank_labels is None else bank_labels
        self.is_map = bank is None
        """whether only the map is known of this evaluation"""
        self._nouns, self._among_themselves = nouns, bank is None or bank_is_points

    @property
    def voters(self) -> str:
        """The voters, in words."""
        if self.is_map:
            return f"{self._nouns.held_out}s on the map"
        return self._nouns.voters(self._among_themselves)

    def held_out(self, rows: Ints) -> Ints:
        """Return the positions of points in the held-out split: a large split's map is a sample."""
        return np.asarray(self.map.indices)[rows]

    @property
    def has_labels(self) -> bool:
        """Whether any held-out image has a label."""
        return bool((np.asarray(self.map.labels) != UNLABELLED).any())

    @cached_property
    def _near(self) -> tuple[Floats, Ints]:
        """Distances and rows of the bank's nearest to every point, (M, k), nearest first."""
        return self._nearest(self.bank, self._own_rows())

    @cached_property
    def _voted(self) -> Ints:
        """Labels of the nearest that have one, (M, k), nearest first."""
        known = self.bank_labels != UNLABELLED
        if known.all():
            return self.bank_labels.numpy()[self._near[1]]
        own = self._own_rows()
        if self._among_themselves:  # for each row that has a label, its place among those that do
            own = (known.cumsum(0) - 1).where(known, -1)
        return self.bank_labels[known].numpy()[self._nearest(self.bank[known], own)[1]]

    def _own_rows(self) -> Tensor:
        """Return the row of the bank that is each point itself, -1 where none is: int64 (M,)."""
        import torch

        count = len(self.points)
        return torch.arange(count) if self._among_themselves else torch.full((count,), -1)

    def _nearest(self, bank: Tensor, own: Tensor) -> tuple[Floats, Ints]:
        """Return distances and rows of the nearest in a bank, except the points themselves.

        A point is its own nearest neighbour, and must not vote.
        """
        from tui_latent.metrics.nearest_neighbours import NeighbourSearch
        from tui_latent.metrics.others import nearest_others

        k = min(K, len(bank) - self._among_themselves)
        if k < 1:
            return np.empty((len(self.points), 0)), np.empty((len(self.points), 0), np.int64)
        try:
            search = NeighbourSearch(bank)
            if self._among_themselves:
                distances, rows = nearest_others(search, self.points, own, k)
            else:
                distances, rows = search.nearest(self.points, k)
        except ValueError as error:
            raise InspectionError(f"step {self.map.step:,}: {error}") from error
        return distances.double().numpy(), rows.numpy()

    @cached_property
    def _wide(self) -> Floats:
        """(M, D); numpy's, because torch's threads cost more than they save here."""
        return self.points.double().numpy()

    @cached_property
    def votes(self) -> Ints:
        """(M,) the class of most neighbours of each point; the smallest if there is a tie.

        The point's own where there is no neighbour with a label.
        """
        import torch

        from tui_latent.metrics.knn import knn_predictions

        labels = self._voted
        if not labels.shape[1]:
            return np.asarray(self.map.labels)
        classes = int(max(labels.max(), self.map.labels.max())) + 1
        return knn_predictions(torch.from_numpy(labels), [K], classes)[K].numpy()

    @cached_property
    def anomaly_score(self) -> Floats:
        """(M,) mean distance to the neighbours: the anomaly score of kNN density."""
        distances = self._near[0]
        return distances.mean(axis=1) if distances.shape[1] else np.zeros(len(distances))

    @cached_property
    def local_spacing(self) -> Floats:
        """(M,) distance to the 20th nearest held-out image on the map: small where it is dense."""
        import torch

        from tui_latent.metrics.nearest_neighbours import nearest

        points = torch.from_numpy(np.array(self.map.points, np.float32))
        finite = torch.isfinite(points).all(dim=1)
        result = np.full(len(points), np.nan)
        k = min(K + 1, int(finite.sum()))
        if k > 1:
            distances, _ = nearest(points[finite], points[finite], k)
            result[finite.numpy()] = distances[:, -1].numpy()
        return result

    @cached_property
    def clusters(self) -> Ints:
        """(M,) k-means clusters of the points, as many as classes.

        Each has the number of the class that it fits best, so that it keeps its colour
        from one evaluation to the next. Without labels there are as many clusters as have the
        best silhouette, numbered from the left of the map to its right.
        """
        from tui_latent.metrics.cluster_count import best_count
        from tui_latent.metrics.clustering import k_means, matched_classes

        labels = np.asarray(self.map.labels)
        known = labels != UNLABELLED
        points = self.points.numpy()
        try:
            count = len(self.map.class_names) if known.any() else best_count(points)
            found = k_means(points, count, starts=_STARTS)
        except ValueError as error:
            raise InspectionError(f"step {self.map.step:,}: {error}") from error
        if not known.any():
            return _from_the_left(found, np.asarray(self.map.points))
        classes = matched_classes(found[known], labels[known])
        return np.array([classes.get(cluster, 0) for cluster in found.tolist()], dtype=np.int64)

    def facts(
        self, index: int, count: int, shown: NDArray[np.floating] | None = None
    ) -> PointFacts:
        """Return facts about a held-out image, with its `count` nearest and most distant ones.

        `shown` (M, 2 or 3) are the points on the screen, if not those of the map.
        InspectionError if its latent, or one that votes, is not finite.
        """
        away = self._wide - self._wide[index]
        every = np.sqrt(np.einsum("nd,nd->n", away, away))
        others = np.flatnonzero(np.isfinite(every))
        others = others[others != index]
        far = _far_on_map(self.map.points if shown is None else shown, index)
        nearest = others[_smallest(every[others], count)]
        distant = others[_smallest(-every[others], count)]
        vote = int(self.votes[index])
        score = self.anomaly_score[index]
        return PointFacts(
            index=index,
            label=int(self.map.labels[index]),
            vote=vote,
            votes=int((self._voted[index] == vote).sum()),
            voters=self._voted.shape[1],
            thinner=float((self.anomaly_score > score).mean()),
            nearest=RelatedImages(nearest, every[nearest], far[nearest]),
            distant=RelatedImages(distant, every[distant], far[distant]),
        )


def _far_on_map(shown: NDArray[np.floating], index: int) -> NDArray[np.bool_]:
    """Return which images are not among the nearest share of the shown points, (M,)."""
    points = np.asarray(shown, np.float64)
    squares = np.square(points - points[index]).sum(axis=1)
    finite = squares[np.isfinite(squares)]
    if not len(finite):
        return np.ones(len(squares), np.bool_)
    nearest = max(round(_NEAR * len(finite)), 1)
    return np.asarray(~(squares <= np.partition(finite, nearest - 1)[nearest - 1]))


def _from_the_left(clusters: Ints, points: NDArray[np.floating]) -> Ints:
    """Number clusters by where their middle lies on the map, from 0 at the left."""
    present, compact = np.unique(clusters, return_inverse=True)
    middles = [np.median(points[compact == cluster, 0]) for cluster in range(len(present))]
    places = np.empty(len(present), np.int64)
    places[np.argsort(middles, kind="stable")] = np.arange(len(present))
    return np.asarray(places[compact], np.int64)


def _smallest(values: Floats, count: int) -> Ints:
    """Return the indices of the smallest values, smallest first; equal ones in their order."""
    if len(values) > count:
        limit = np.partition(values, count - 1)[count - 1]
        chosen = np.flatnonzero(values <= limit)
    else:
        chosen = np.arange(len(values))
    return np.asarray(chosen[np.argsort(values[chosen], kind="stable")][:count], np.int64)


def space_at(source: RunData, latent_map: LatentMap, newest: bool) -> Space:
    """Return the space of an evaluation: the full-width latents if it is the newest, else its map.

    The newest latents may belong to a later evaluation than the map, or be missing: then the
    space is the map.
    """
    import torch

    points = torch.from_numpy(np.array(latent_map.points, dtype=np.float32))
    if newest:
        try:
            latents = source.latents()
        except InspectionError:
            latents = None
        labels = torch.from_numpy(np.array(latent_map.labels))
        at = latents.step if latents is not None else None
        if latents is not None and at in (None, latent_map.step):
            rows = torch.from_numpy(np.array(latent_map.indices))
            whole = len(rows) == len(latents.queries)
            if not whole and len(rows) and int(rows.max()) < len(latents.queries):
                return _sampled_space(latent_map, latents, rows, source.nouns)
            if whole and latents.query_labels.equal(labels):
                among = (*latents.bank_for_all, latents.bank_is_queries)
                return Space(latent_map, latents.queries, *among, source.nouns)
    return Space(latent_map, points, None, None, nouns=source.nouns)


def _sampled_space(latent_map: LatentMap, latents: RunLatents, rows: Tensor, nouns: Nouns) -> Space:
    """Return the space of a map that shows a sample of the held-out images.

    Without training latents the sample is its own bank: searching a million others for
    each point would take minutes.
    """
    points, labels = latents.queries[rows], latents.query_labels[rows]
    if latents.bank_is_queries:
        return Space(latent_map, points, points, labels, bank_is_points=True, nouns=nouns)
    return Space(latent_map, points, *latents.bank_for_all, nouns=nouns)


def images_of(source: RunData, indices: Ints, step: int | None = None) -> NDArray[np.uint8]:
    """Return the run's held-out images at a step, (n, H, W, C); None is the newest step."""
    source.require_images_of(step)
    split = source.pictures("val")
    if len(indices):
        source.require(int(indices.max()), split)
    return split.images(indices)
