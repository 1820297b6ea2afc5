"""Held-out images in their space, and facts about the neighbourhood of each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.analysis.errors import InspectionError
from tui_latent.analysis.run_data import RunData
from tui_latent.runs.schema import LatentMap

if TYPE_CHECKING:
    from torch import Tensor

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

K: Final = 20
"""neighbours that vote"""
_STARTS: Final = 4
"""of k-means; few, because a person waits for it"""
_NEAR: Final = 0.05
"""a neighbour is near on the map if it is among this share of the nearest points there"""


@dataclass(frozen=True, eq=False)
class RelatedImages:
    """Other held-out images and how far they are from one."""

    indices: Ints
    """(n,) positions in the held-out split"""
    distances: Floats
    """(n,) Euclidean, in the space"""
    far_on_map: NDArray[np.bool_]
    """(n,) whether the map does not show them among the nearest points"""


@dataclass(frozen=True, eq=False)
class PointFacts:
    """Facts about one held-out image."""

    index: int
    label: int
    vote: int
    """class of most of its neighbours"""
    votes: int
    """neighbours of that class"""
    voters: int
    thinner: float
    """share of the held-out images in a sparser neighbourhood"""
    nearest: RelatedImages
    distant: RelatedImages


class Space:
    """The held-out images at one evaluation: (M, D) points, and the bank that votes on them.

    For the newest evaluation the bank is the training latents. Of earlier ones only the map was
    kept: there the other held-out images vote, in the plane.
    """

    def __init__(
        self, latent_map: LatentMap, points: Tensor, bank: Tensor | None, bank_labels: Tensor | None
    ) -> None:
        import torch

        self.map = latent_map
        self.points = points
        self.bank = points if bank is None else bank
        labels = torch.from_numpy(np.array(latent_map.labels))
        self.bank_labels = labels if bank_labels is None else bank_labels
        self.is_map = bank is None
        """whether only the map is known of this evaluation"""

    @property
    def voters(self) -> str:
        """The voters, in words."""
        return "held-out images on the map" if self.is_map else "training images"

    @cached_property
    def _found(self) -> tuple[Floats, Ints]:
        """Distances and labels of the voters of every point, (M, k), nearest first."""
        from tui_latent.metrics.nearest_neighbours import NeighbourSearch

        own = int(self.is_map)  # a point is its own nearest neighbour, and must not vote
        k = min(K + own, len(self.bank))
        if k <= own:
            return np.empty((len(self.points), 0)), np.empty((len(self.points), 0), np.int64)
        try:
            distances, rows = NeighbourSearch(self.bank).nearest(self.points, k)
        except ValueError as error:
            raise InspectionError(f"step {self.map.step:,}: {error}") from error
        labels = self.bank_labels[rows[:, own:]]
        return distances[:, own:].double().numpy(), labels.numpy()

    @cached_property
    def _wide(self) -> Floats:
        """(M, D); numpy's, because torch's threads cost more than they save here."""
        return self.points.double().numpy()

    @cached_property
    def votes(self) -> Ints:
        """(M,) the class of most neighbours of each point; of a tie the smallest."""
        import torch

        from tui_latent.metrics.knn import knn_predictions

        labels = self._found[1]
        if not labels.shape[1]:
            return np.asarray(self.map.labels)
        classes = int(max(labels.max(), self.map.labels.max())) + 1
        return knn_predictions(torch.from_numpy(labels), [K], classes)[K].numpy()

    @cached_property
    def anomaly_score(self) -> Floats:
        """(M,) mean distance to the neighbours: the anomaly score of kNN density."""
        distances = self._found[0]
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
        from one evaluation to the next.
        """
        from tui_latent.metrics.clustering import k_means, matched_classes

        try:
            found = k_means(self.points.numpy(), len(self.map.class_names), starts=_STARTS)
        except ValueError as error:
            raise InspectionError(f"step {self.map.step:,}: {error}") from error
        classes = matched_classes(found, np.asarray(self.map.labels))
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
            votes=int((self._found[1][index] == vote).sum()),
            voters=self._found[1].shape[1],
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
        if (
            latents is not None
            and at in (None, latent_map.step)
            and (latents.query_labels.equal(labels))
        ):
            return Space(latent_map, latents.queries, latents.bank, latents.bank_labels)
    return Space(latent_map, points, None, None)


def images_of(source: RunData, indices: Ints, step: int | None = None) -> NDArray[np.uint8]:
    """Return the run's held-out images at a step, (n, H, W, C); None is the newest step."""
    import torch

    from tui_latent.analysis.images import shown

    source.require_images_of(step)
    split = source.dataset().val
    if len(indices):
        source.require(int(indices.max()), split)
    return shown(split.images[torch.from_numpy(np.asarray(indices, dtype=np.int64))])
