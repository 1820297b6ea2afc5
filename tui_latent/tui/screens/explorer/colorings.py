"""What the explorer's points can be coloured by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.palettes import CLASS_GLYPHS, DARK, LIGHT, MUTED_GLYPH, RAMP_GLYPHS, class_glyph
from tui_latent.runs.groups import Group, group_of_each
from tui_latent.tui.charts.scatter import Coloring, class_coloring, class_colors
from tui_latent.tui.screens.explorer.column_colors import column_coloring, column_titles

if TYPE_CHECKING:
    from tui_latent.analysis.neighbourhoods import Space
    from tui_latent.sources.files.columns import Column

ColoringName = str
"""one of the names below, `name` for the names of groups, or the title of a column"""
COLORINGS: Final[tuple[ColoringName, ...]] = ("class", "cluster", "kNN error", "anomaly", "density")
"""of a map whose images have labels"""
_UNLABELLED: Final[tuple[ColoringName, ...]] = ("density", "cluster", "anomaly")
_OWN_NAMES: Final = ("name", *COLORINGS)
NO_NAME: Final = "no name"


def coloring_names(
    space: Space, groups: Sequence[Group] = (), columns: Sequence[Column] = ()
) -> tuple[ColoringName, ...]:
    """Return what a space's points can be coloured by, the usual one first."""
    of_table = tuple(column_titles(columns, _OWN_NAMES))
    if space.has_labels:
        names = ("name",) if groups else ()
        return (*COLORINGS[:1], *names, *of_table, *COLORINGS[1:])
    return (*(("name",) if groups else ()), *_UNLABELLED[:1], *of_table, *_UNLABELLED[1:])


def make_coloring(
    name: ColoringName,
    space: Space,
    groups: Sequence[Group] = (),
    columns: Sequence[Column] = (),
    clusters: NDArray[np.int64] | None = None,
) -> Coloring:
    """Return a colouring of a space's points; may take seconds. Raises InspectionError.

    Where there are no labels, or no names of `groups`, the usual one takes its place. `clusters`
    are those of the space, with the numbers that they should have.
    """
    possible = coloring_names(space, groups, columns)
    name = name if name in possible else possible[0]
    if column := column_titles(columns, _OWN_NAMES).get(name):
        return column_coloring(name, column)
    labels, names = np.asarray(space.map.labels), space.map.class_names
    positions = np.asarray(space.map.indices)
    if name == "name":
        return _named(group_of_each(groups, positions), groups)
    if name == "cluster":
        clusters = space.clusters if clusters is None else clusters
        count = int(clusters.max(initial=0)) + 1
        own = group_of_each(groups, positions)
        titles = tuple(_title(number, own[clusters == number], groups) for number in range(count))
        return Coloring(
            name, clusters, titles, *class_colors(count), tuple(CLASS_GLYPHS[1:]), parts=True
        )
    if name == "kNN error":
        votes = space.votes
        dark, light = class_colors(len(names))
        unlabelled = labels < 0
        titles = ("correct or no label" if unlabelled.any() else "correct", *names)
        values = np.where(unlabelled | (votes == labels), 0, votes + 1)
        return Coloring(
            name,
            values,
            titles,
            (DARK.muted, *dark),
            (LIGHT.muted, *light),
            glyphs=(MUTED_GLYPH, *map(class_glyph, range(len(names)))),
            ground=0,
            others="errors, taken for",
        )
    if name == "anomaly":
        return _levels(name, space.anomaly_score, "low anomaly score", "high anomaly score")
    if name == "density":
        return _levels(name, -space.local_spacing, "sparse", "dense")
    return class_coloring(labels, names)


def plain_coloring(space: Space) -> Coloring:
    """Return the colouring that needs nothing but the map: by class, or all points alike."""
    return class_coloring(np.asarray(space.map.labels), space.map.class_names)


def _levels(name: str, scores: NDArray[np.float64], least: str, most: str) -> Coloring:
    """Colour by quintile of a score; equal scores stay together."""
    finite = np.isfinite(scores)
    values = np.zeros(len(scores), np.int64)
    if finite.any():
        edges = np.quantile(scores[finite], [0.2, 0.4, 0.6, 0.8])
        values[finite] = np.searchsorted(edges, scores[finite], side="left")
    names = (least, "2nd fifth", "3rd fifth", "4th fifth", most)
    return Coloring(name, values, names, DARK.ramp, LIGHT.ramp, tuple(RAMP_GLYPHS))


def _named(own: NDArray[np.int64], groups: Sequence[Group]) -> Coloring:
    """Colour by the groups that people named; the other points lie behind them."""
    count = len(groups)
    dark, light = class_colors(count)
    return Coloring(
        "name",
        np.where(own < 0, count, own),
        (*(group.name for group in groups), NO_NAME),
        (*dark, DARK.muted),
        (*light, LIGHT.muted),
        (*map(class_glyph, range(count)), MUTED_GLYPH),
        ground=count,
    )


def _title(cluster: int, own: NDArray[np.int64], groups: Sequence[Group]) -> str:
    """Return the name that more than half of a cluster's images have, or the cluster's number."""
    named = np.bincount(own[own >= 0], minlength=len(groups) + 1)
    best = int(named.argmax())
    return groups[best].name if 2 * named[best] > len(own) > 0 else f"cluster {cluster + 1}"
