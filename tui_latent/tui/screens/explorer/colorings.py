"""What the explorer's points can be coloured by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from numpy.typing import NDArray

from tui_latent.palettes import CLASS_GLYPHS, DARK, LIGHT, MUTED_GLYPH, RAMP_GLYPHS, class_glyph
from tui_latent.tui.charts.scatter import Coloring, class_coloring, class_colors

if TYPE_CHECKING:
    from tui_latent.analysis.neighbourhoods import Space

ColoringName = Literal["class", "cluster", "kNN error", "anomaly", "density"]
COLORINGS: Final[tuple[ColoringName, ...]] = ("class", "cluster", "kNN error", "anomaly", "density")


def make_coloring(name: ColoringName, space: Space) -> Coloring:
    """Return a colouring of a space's points; may take seconds. Raises InspectionError."""
    labels, names = np.asarray(space.map.labels), space.map.class_names
    if name == "cluster":
        clusters = space.clusters
        count = int(clusters.max(initial=0)) + 1
        titles = tuple(f"cluster {number}" for number in range(1, count + 1))
        return Coloring(name, clusters, titles, *class_colors(count), tuple(CLASS_GLYPHS[1:]))
    if name == "kNN error":
        votes = space.votes
        dark, light = class_colors(len(names))
        titles = ("correct", *names)
        values = np.where(votes == labels, 0, votes + 1)
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


def _levels(name: str, scores: NDArray[np.float64], least: str, most: str) -> Coloring:
    """Colour by quintile of a score; equal scores stay together."""
    finite = np.isfinite(scores)
    values = np.zeros(len(scores), np.int64)
    if finite.any():
        edges = np.quantile(scores[finite], [0.2, 0.4, 0.6, 0.8])
        values[finite] = np.searchsorted(edges, scores[finite], side="left")
    names = (least, "2nd fifth", "3rd fifth", "4th fifth", most)
    return Coloring(name, values, names, DARK.ramp, LIGHT.ramp, tuple(RAMP_GLYPHS))
