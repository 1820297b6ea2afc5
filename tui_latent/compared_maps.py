"""Maps side by side: the newest of each run, aligned where they show the same images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from tui_latent.procrustes import align, disparity
from tui_latent.runs.latents_file import UNLABELLED
from tui_latent.runs.schema import LatentMap

_OTHERS: Final = "its held-out images differ from those of the first map"


@dataclass(frozen=True, eq=False)
class ComparedMap:
    """The newest map of a run, aligned to the first one of the same images."""

    map: LatentMap | None
    onto: int | None = None
    """position of the run whose map it was aligned to; None for that map itself"""
    disparity: float | None = None
    """0 for two maps of the same shape, 1 for unrelated ones"""
    problem: str = ""
    """why there is no map, or why it is not aligned"""


def compared_maps(maps: Sequence[LatentMap | None], alike: bool = True) -> tuple[ComparedMap, ...]:
    """Align every map to the first one, where both show the same held-out images.

    Maps whose points are not `alike` are known to show other images, whatever else they say.
    """
    first = next((i for i, m in enumerate(maps) if m is not None and _finite(m)), None)
    found = (_compared_map(maps, index, first if alike else index) for index in range(len(maps)))
    return tuple(
        each if alike or each.problem else replace(each, problem="not aligned: other vectors")
        for each in found
    )


def _compared_map(maps: Sequence[LatentMap | None], index: int, first: int | None) -> ComparedMap:
    own = maps[index]
    reference = maps[first] if first is not None else None
    if own is None:
        return ComparedMap(None, problem="no evaluation has made a map")
    if not _finite(own):
        return ComparedMap(own, problem="no point on this map is finite: training has diverged")
    if reference is None or first is None or index == first:
        return ComparedMap(own)
    if difference := other_images(own, reference):
        return ComparedMap(own, problem=f"not aligned: {difference}")
    found = disparity(own.points, reference.points)
    turned = replace(own, points=align(own.points, reference.points))
    return ComparedMap(turned, first, None if math.isnan(found) else found)


def other_images(own: LatentMap, reference: LatentMap) -> str:
    """Return why two maps cannot show the same images; empty if they can."""
    if len(own.points) != len(reference.points):
        return f"{len(own.points):,} images, but the first map has {len(reference.points):,}"
    if not np.array_equal(own.indices, reference.indices):
        return _OTHERS
    if not same_labels_known(own, reference):
        return ""
    if own.class_names != reference.class_names:
        return "its classes differ from those of the first map"
    known = (own.labels != UNLABELLED) & (reference.labels != UNLABELLED)
    return "" if np.array_equal(own.labels[known], reference.labels[known]) else _OTHERS


def _finite(latent_map: LatentMap) -> bool:
    return bool(np.isfinite(latent_map.points).all(axis=1).any())


def same_labels_known(own: LatentMap, reference: LatentMap) -> bool:
    """Return whether any image has a label in both maps, which tells whether they are the same."""
    return bool(((own.labels != UNLABELLED) & (reference.labels != UNLABELLED)).any())
