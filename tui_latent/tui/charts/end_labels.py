"""Curves' names at their ends, so that no one has to match colours with a legend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tui_latent.palettes import class_glyph
from tui_latent.tui.charts.free_cells import FreeCells, Label
from tui_latent.tui.charts.series import Band, Series
from tui_latent.tui.charts.view_part import Plot
from tui_latent.tui.format import clip

_NAME: Final = 14
"""cells of a name at most"""
_SHARE: Final = 3
"""least width of a canvas, as a multiple of a name's"""
_REACH: Final = 2
"""rows between a curve's end and its name at most"""


def end_labels(
    series: Sequence[Series],
    bands: Sequence[Band | None],
    plot: Plot,
    free: FreeCells,
    front: int | None,
    letters: bool,
) -> list[Label]:
    """Return a label beside the end of each visible curve, where cells are free for it.

    The curve in front chooses first. Names stand in the order of the curves' ends. A single curve
    needs no name.
    """
    drawn = [index for index, band in enumerate(bands) if band is not None]
    if len(drawn) < 2:
        return []
    labels: list[Label] = []
    ends: list[float] = []
    for index in sorted(drawn, key=lambda each: each != front):
        item, band = series[index], bands[index]
        assert band is not None
        name = clip(item.name, min(_NAME, plot.columns // _SHARE))
        text = f"{class_glyph(index)} {name}" if letters else name
        end = plot.column_of(float(band.x[-1]))
        column = min(plot.columns if end is None else end + 1, plot.columns - len(text))
        middle = float(band.lows[-1] + band.highs[-1]) / 2
        share = (middle - plot.frame.bottom) / (plot.frame.top - plot.frame.bottom)
        if column < 0 or not name or not 0 <= share <= 1:
            continue
        lower = [at.row for at, other in zip(labels, ends, strict=True) if other < middle]
        higher = [at.row for at, other in zip(labels, ends, strict=True) if other > middle]
        between = range(max(lower, default=-1) + 1, min(higher, default=plot.rows))
        nearest = int(share * (plot.rows - 1) + 0.5)
        row = free.nearest_row(nearest, column, len(text), _REACH, between)
        if row is None:
            continue
        # A curve behind another one fades, but its name must stay readable.
        dim = letters and front not in (None, index)
        free.take(row, column, len(text))
        ends.append(middle)
        labels.append(Label(column, row, text, None if letters else item.color, dim, index))
    return labels
