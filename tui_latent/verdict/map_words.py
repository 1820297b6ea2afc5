"""A map in words, for people who cannot see it: separate classes, touching ones, outliers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.map_frame import finite_points
from tui_latent.nouns import IMAGES, Nouns, counted, listed
from tui_latent.runs.latents_file import UNLABELLED
from tui_latent.runs.schema import LatentMap

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_SAMPLED: Final = 2000
"""points compared with each other; if there are more, an evenly spaced sample is used"""
_NEIGHBOURS: Final = 10
_TOUCHES: Final = 0.05
"""share of a class's neighbours in another class above which the two touch"""
_APART: Final = 0.95
"""share of neighbours in the class itself above which a class lies apart, if it touches none"""
_SCATTERED: Final = 0.5
"""that share, below which a class is scattered among others"""
_FAR: Final = 8.0
"""multiple of the usual distance to neighbours above which a point is far from all others"""
_NAMED: Final = 5


def map_sentences(
    latent_map: LatentMap, nouns: Nouns = IMAGES, one_of_many: bool = True
) -> list[str]:
    """Describe a map in sentences: its classes, how they lie to each other, and outliers.

    The step is named if the map is `one_of_many`.
    """
    finite = finite_points(latent_map.points)
    points = np.asarray(latent_map.points, np.float64)[finite]
    labels, indices = latent_map.labels[finite], latent_map.indices[finite]
    names = latent_map.class_names
    which = f" of step {latent_map.step:,}" if one_of_many else ""
    head = (
        f"The map{which} shows {counted(len(latent_map.labels), nouns.held_out)}"
        f"{_of_classes(latent_map.labels, nouns)}."
    )
    lost = len(latent_map.labels) - len(points)
    has = "has" if lost == 1 else "have"
    sentences = [head] + ([f"{lost:,} of them {has} no finite position."] if lost else [])
    if len(points) <= _NEIGHBOURS:
        return [*sentences, "There are too few of them to describe the map."]
    chosen = np.arange(len(points))
    if len(points) > _SAMPLED:
        chosen = np.linspace(0, len(points) - 1, _SAMPLED).astype(int)
    distances, rows = _nearest(points[chosen])
    if not np.ptp(points, axis=0).any():
        return [*sentences, "All of them are at one point."]
    shares, present = _shares(labels[chosen], rows)
    if present:
        sentences += _relations(shares, [_name(names, label) for label in present])
        sentences += _places(points, labels, names, present)
    compared = distances, indices[chosen], labels[chosen]
    return sentences + _outliers(*compared, names, len(points), nouns)


def _nearest(points: Floats) -> tuple[Floats, Ints]:
    """Return the distances and rows of the nearest others of each point, (N, k).

    All pairs of at most `_SAMPLED` points are compared: the search of `metrics/` needs torch, and a
    verdict does without it.
    """
    squares = np.square(points[:, None] - points[None]).sum(axis=2)
    np.fill_diagonal(squares, np.inf)
    rows = np.argpartition(squares, _NEIGHBOURS, axis=1)[:, :_NEIGHBOURS]
    return np.sqrt(np.take_along_axis(squares, rows, axis=1)), rows


def _shares(labels: Ints, rows: Ints) -> tuple[Floats, list[int]]:
    """Return for each class which share of its neighbours is of which class, and the classes.

    Images without a label are not a class, and do not count among the neighbours.
    """
    present, compact = np.unique(labels, return_inverse=True)
    counts = np.zeros((len(present), len(present)))
    np.add.at(counts, (np.repeat(compact, rows.shape[1]), compact[rows].ravel()), 1)
    known = present != UNLABELLED
    counts = counts[np.ix_(known, known)]
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), present[known].tolist()


def _relations(shares: Floats, names: Sequence[str]) -> list[str]:
    own = np.diag(shares)
    others = np.maximum(shares, shares.T)
    np.fill_diagonal(others, 0)
    touching = others >= _TOUCHES
    apart = [n for i, n in enumerate(names) if own[i] >= _APART and not touching[i].any()]
    sentences = []
    if apart:
        lie = "lies" if len(apart) == 1 else "lie"
        sentences.append(f"{listed(apart)} {lie} apart from all other classes.")
    pairs = sorted(zip(*np.nonzero(np.triu(touching)), strict=True), key=lambda p: -others[p])
    if pairs:
        words = [
            f"{names[a]} and {names[b]} ({100 * others[a, b]:.0f} %)" for a, b in pairs[:_NAMED]
        ]
        others_too = counted(len(pairs) - _NAMED, "other pair")
        more = f", and {others_too}" if len(pairs) > _NAMED else ""
        sentences.append(
            "These classes touch (share of neighbours from the other class): "
            f"{', '.join(words)}{more}."
        )
    elif len(names) > 1:
        sentences.append("No two classes touch.")
    for index in np.flatnonzero(own < _SCATTERED)[:_NAMED].tolist():
        sentences.append(
            f"{names[index]} is scattered: {100 * own[index]:.0f} % of its neighbours are its own."
        )
    return sentences


def _places(
    points: Floats, labels: Ints, names: Sequence[str], present: Sequence[int]
) -> list[str]:
    """Say where on the map the median of each class is."""
    low, high = np.quantile(points, [0.01, 0.99], axis=0)
    size = np.where(high > low, high - low, 1.0)
    parts: dict[str, list[str]] = {}
    for label in present:
        x, y = ((np.median(points[labels == label], axis=0) - low) / size).tolist()
        across = "left" if x < 1 / 3 else "right" if x > 2 / 3 else ""
        up = "bottom" if y < 1 / 3 else "top" if y > 2 / 3 else ""
        parts.setdefault(f"{up} {across}".strip() or "middle", []).append(_name(names, label))
    words = [f"{listed(parts[part])} {where}" for part, where in _AT.items() if part in parts]
    return [f"Positions on the map: {'; '.join(words)}."]


_AT: Final = {
    "top left": "at the top left", "top": "at the top", "top right": "at the top right",
    "left": "on the left", "middle": "in the middle", "right": "on the right",
    "bottom left": "at the bottom left", "bottom": "at the bottom",
    "bottom right": "at the bottom right",
}  # fmt: skip


def _outliers(
    distances: Floats, indices: Ints, labels: Ints, names: Sequence[str], images: int, nouns: Nouns
) -> list[str]:
    one = nouns.image
    near = distances.mean(axis=1)
    usual = float(np.median(near))
    far = np.flatnonzero(near > _FAR * usual) if usual > 0 else np.array([], np.int64)
    of = f" of {len(indices):,} compared" if len(indices) < images else ""
    if not len(far):
        return [f"No {one}{of} is far from all others."]
    far = far[np.argsort(-near[far], kind="stable")]
    words = [f"{one} {indices[i]:,} ({_name(names, labels[i])})" for i in far[:_NAMED].tolist()]
    if len(far) == 1:
        return [f"One {one}{of} is far from all others: {words[0]}."]
    farthest = "the farthest are " if len(far) > _NAMED else ""
    return [f"{len(far):,} {one}s{of} are far from all others: {farthest}{listed(words)}."]


def _of_classes(labels: Ints, nouns: Nouns) -> str:
    """Say how many classes the images are of, and how many have no label."""
    unknown, classes = int((labels == UNLABELLED).sum()), len(np.unique(labels[labels >= 0]))
    if unknown == len(labels):
        return ", none of which has a label"
    of = f" of {counted(classes, 'class')}"
    one = nouns.image
    some = f"; {unknown:,} {f'{one} has' if unknown == 1 else f'{one}s have'} no label"
    return of + some * (unknown > 0)


def _name(names: Sequence[str], label: int) -> str:
    if label == UNLABELLED:
        return "no label"
    return names[label] if 0 <= label < len(names) else f"class {label}"
