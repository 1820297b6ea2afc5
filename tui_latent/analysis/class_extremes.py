"""The images of a class nearest to its mean latent, and those farthest from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tui_latent.analysis.errors import InspectionError
from tui_latent.analysis.latent_stats import finite
from tui_latent.analysis.run_data import RunData


@dataclass(frozen=True, eq=False)
class RankedImages:
    """Training images, ordered by their distances."""

    indices: NDArray[np.int64]
    """(k,) positions in the training split"""
    distances: NDArray[np.float64]
    """(k,) Euclidean, in the full-width latent space"""
    labels: tuple[str, ...]
    """(k,) names of their classes; empty without a label"""
    images: NDArray[np.uint8]
    """(k, H, W, C)"""


@dataclass(frozen=True, eq=False)
class ClassExtremes:
    """The training images of one class, by their distance from the mean of its latents."""

    label: int
    class_names: tuple[str, ...]
    size: int
    """training images of the class"""
    nearest: RankedImages
    """nearest first"""
    farthest: RankedImages
    """farthest first, without the nearest"""
    median: float
    """median distance of the class's images from their mean"""


def class_extremes(source: RunData, label: int, k: int) -> ClassExtremes:
    """Return the k nearest and the k farthest images of a class, fewer in a small class.

    InspectionError if the class has no training image, or latents are missing or not finite.
    """
    split = source.pictures("train")
    latents = source.matching_latents()
    rows = (split.labels == label).nonzero()[:, 0].numpy()
    if not len(rows):
        voters = source.nouns.voters(latents.bank_is_queries)
        raise InspectionError(f"{source.path.name}: class {label} has no {voters}")
    own = finite(latents, latents.bank[rows]).double().numpy()
    distances = np.linalg.norm(own - own.mean(axis=0), axis=1)
    order = np.argsort(distances, kind="stable")
    near = min(k, (len(rows) + 1) // 2)
    far = min(k, len(rows) - near)
    farthest = order[::-1][:far]
    return ClassExtremes(
        label=label,
        class_names=split.class_names,
        size=len(rows),
        nearest=_ranked(source, rows[order[:near]], distances[order[:near]]),
        farthest=_ranked(source, rows[farthest], distances[farthest]),
        median=float(np.median(distances)),
    )


def most_distant(source: RunData, index: int, k: int) -> RankedImages:
    """Return the k training images most distant from held-out image `index`, farthest first.

    InspectionError if there is no such image, or latents are missing or not finite.
    """
    source.require(index, source.pictures("val"))
    latents = source.matching_latents()
    finite(latents, latents.queries[index : index + 1])
    asked = latents.queries[index].double().numpy()
    bank = finite(latents, latents.bank).numpy()
    squares = np.square(bank - asked).sum(axis=1)
    k = min(k, len(bank))
    rows = np.argpartition(-squares, k - 1)[:k]
    rows = rows[np.argsort(-squares[rows], kind="stable")]
    return _ranked(source, rows, np.sqrt(squares[rows]))


def _ranked(
    source: RunData, rows: NDArray[np.int64], distances: NDArray[np.float64]
) -> RankedImages:
    split = source.pictures("train")
    return RankedImages(rows, distances, split.names(rows), split.images(rows))
