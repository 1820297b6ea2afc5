"""Flags on a chart: a line at the step where something happened, and what it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from tui_latent.tui.charts.free_cells import FreeCells, Label
from tui_latent.tui.charts.plotext_plot import Layer
from tui_latent.tui.charts.raster import Cells
from tui_latent.tui.charts.view_part import Plot

_LINE: Final = "┊"
_MOST_CELLS: Final = 48
"""of a flag's words on the chart; the cursor shows all of them"""
_LEAST_CELLS: Final = 5


@dataclass(frozen=True)
class Flag:
    """Something that happened at a step of a run."""

    step: float
    mark: str
    """one character, which says what kind it is"""
    text: str
    """short, for a person"""

    @property
    def words(self) -> str:
        """The mark and the text."""
        return f"{self.mark} {self.text}"


@dataclass(frozen=True)
class PlacedFlag:
    """A flag and its place on the x axis."""

    x: float
    flag: Flag


def flag_layer(flags: Sequence[PlacedFlag], plot: Plot) -> Layer | None:
    """Return a dotted line at each flag; None if none is visible."""
    columns = sorted({c for each in flags if (c := plot.column_of(each.x)) is not None})
    if not columns:
        return None
    cells = Cells(
        np.repeat(np.array(columns), plot.rows),
        np.tile(np.arange(plot.rows), len(columns)),
        (_LINE,) * (plot.rows * len(columns)),
    )
    return Layer(cells, None, dim=True)


def flag_labels(flags: Sequence[PlacedFlag], plot: Plot, free: FreeCells) -> list[Label]:
    """Return the flags' marks in the top row, with their words where there is room for them."""
    seen = {c: each.flag for each in flags if (c := plot.column_of(each.x)) is not None}
    columns = sorted(seen)
    labels = []
    for column, end in pairwise([*columns, plot.columns + 1]):
        words = seen[column].words
        room = min(end - column - 1, _MOST_CELLS, free.run(plot.rows - 1, column))
        if len(words) > room:
            words = _shortened(words, room)
        labels.append(Label(column, plot.rows - 1, words, None, dim=True))
    for label in labels:
        free.take(label.row, label.column, len(label.text))
    return labels


def _shortened(words: str, room: int) -> str:
    """Return as many whole words as fit after the mark, or else the mark alone.

    What is before a colon is kept whole: "stage" without its number would say nothing.
    """
    name, colon, _ = words.partition(":")
    kept = words[: room - 1].rpartition(" ")[0].rstrip(" ,:") if room > _LEAST_CELLS else ""
    if colon and len(kept) <= len(name):
        return name if len(name) <= room else words[:1]
    return f"{kept}…" if len(kept) >= _LEAST_CELLS else words[:1]


def flags_near(flags: Sequence[PlacedFlag], x: float, plot: Plot) -> list[Flag]:
    """Return the flags in the column of a place, and in those beside it."""
    column = plot.column_of(x)
    places = [(each.flag, plot.column_of(each.x)) for each in flags]
    if column is None:
        return []
    return [flag for flag, at in places if at is not None and abs(at - column) <= 1]
