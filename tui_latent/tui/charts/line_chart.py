"""Curves over steps, epochs or time, reduced to a chart's cells; pure, for the drawing thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from rich.style import Style
from textual.strip import Strip

from tui_latent.map_frame import Frame
from tui_latent.palettes import RGB, class_glyph
from tui_latent.tui.charts.axes import step_axis, time_axis, value_axis
from tui_latent.tui.charts.color_fade import faded
from tui_latent.tui.charts.end_labels import end_labels
from tui_latent.tui.charts.flags import Flag, PlacedFlag, flag_labels, flag_layer, flags_near
from tui_latent.tui.charts.free_cells import FreeCells, lay_labels
from tui_latent.tui.charts.legend import Entry, legend_strips
from tui_latent.tui.charts.plotext_plot import Axis, Layer, canvas_size, draw_plot
from tui_latent.tui.charts.raster import Cells, curve_cells, dotted_cells
from tui_latent.tui.charts.read_out import read_out
from tui_latent.tui.charts.series import (
    Band,
    ChartOptions,
    Series,
    band_of,
    cut,
    front_index,
    is_logarithmic,
    reference,
    shares,
    shown_value,
    value_at,
    x_at_step,
)
from tui_latent.tui.charts.view_part import Plot
from tui_latent.tui.format import number

__all__ = ["ChartOptions", "Series", "draw_chart", "is_logarithmic", "value_at", "value_strips"]

_GREY: Final = (135, 135, 135)
_PLAIN: Final = Style()
_NUMBER: Final = 5
"""cells of a current value"""
_SHARE: Final = 4
"""cells of a part of the sum"""
_LEAST: Final = 2
"""lines of a chart"""
_WITH_AXIS: Final = 4
"""fewest lines at which a chart has room for its lower axis"""
_READ_OUT: Final = 5
"""fewest lines at which the cursor has a line of its own"""


@dataclass(frozen=True, eq=False)
class ChartImage:
    """A chart as lines, and where its curves are on them."""

    strips: list[Strip]
    plot: Plot | None
    """None where no curve could be drawn"""


def draw_chart(
    series: Sequence[Series],
    options: ChartOptions,
    width: int,
    height: int,
    letters: bool = False,
) -> list[Strip]:
    """Draw a legend with the current values, and the curves below it.

    `letters` draws each curve as a character instead of dots, for screens without colour.
    """
    return chart_image(series, options, width, height, letters).strips


def chart_image(
    series: Sequence[Series],
    options: ChartOptions,
    width: int,
    height: int,
    letters: bool = False,
    flags: Sequence[Flag] = (),
    ground: RGB | None = None,
    head: Sequence[Strip] | None = None,
) -> ChartImage:
    """Draw a legend (or `head`), the cursor's line, and the curves with their flags.

    Curves behind the one in front fade to `ground`, the background's colour.
    """
    options = replace(options, log=is_logarithmic(series, options))
    if head is None:
        head = value_strips(series, width, max(1, height // 4), options, letters)
    head = list(head[:height])
    with_line = options.cursor is not None and height - len(head) >= _READ_OUT
    top = len(head) + with_line
    rows = height - top
    bands = [band_of(s, s.curve, options, options.smoothing) for s in series]
    dotted = [band_of(s, s.dotted, options, 0.0) for s in series]
    end = max((float(band.x.max()) for band in (*bands, *dotted) if band), default=0.0)
    left, right = _edges(options, end)
    bands = [cut(band, left, right) for band in bands]
    dotted = [cut(band, left, right) for band in dotted]
    if rows < _LEAST or (frame := _frame([*bands, *dotted], left, right, options)) is None:
        return ChartImage(head, None)
    with_axis = rows >= _WITH_AXIS
    x_size = Axis((), ()) if with_axis else None
    columns, lines = canvas_size(width, rows, x_size, value_axis(0.0, 1.0, rows))
    plot = Plot(width - columns, top, columns, lines, frame, end)
    placed = _placed(flags, series, options)
    if with_line:
        near = flags_near(placed, options.cursor or 0.0, plot)
        line = read_out(series, options, near, width)
        head = [*head, line if line is not None else Strip.blank(width)]
    if columns < 2 or lines < 2:
        return ChartImage([*head, *draw_plot([], width, rows)], None)
    front = front_index(series, options)
    raw = [
        _raw(s, options, left, right) if front in (None, i) else None for i, s in enumerate(series)
    ]
    layers = _curve_layers(series, (raw, dotted, bands), plot, front, letters, ground)
    free = FreeCells(columns, lines, [layer.cells for layer in layers])
    labels = flag_labels(placed, plot, free)
    labels += end_labels(series, bands, plot, free, front, letters)
    under = [flag_layer(placed, plot), _mark(_place(series, options), plot, _GREY)]
    under.append(_mark(options.cursor, plot, None))
    x_axis = time_axis if options.axis == "time" else step_axis
    strips = draw_plot(
        [*(layer for layer in under if layer is not None), *layers],
        width,
        rows,
        x_axis(frame.left, frame.right, columns) if with_axis else None,
        value_axis(frame.bottom, frame.top, lines, bool(options.log)),
    )
    return ChartImage([*head, *lay_labels(strips, labels, plot.left, lines)], plot)


def value_strips(
    series: Sequence[Series],
    width: int,
    lines: int,
    options: ChartOptions = ChartOptions(),  # noqa: B008
    letters: bool = False,
) -> list[Strip]:
    """Write each curve's name, its value and its part of the sum, in at most `lines` lines."""
    return legend_strips(value_entries(series, options, letters), width, lines, gap=0)


def value_entries(series: Sequence[Series], options: ChartOptions, letters: bool) -> list[Entry]:
    """Return the legend's entry of each curve."""
    entries = []
    front = front_index(series, options)
    for index, (item, share) in enumerate(zip(series, shares(series, options), strict=True)):
        value = shown_value(item, options)
        broken = value is not None and not np.isfinite(value)
        text = f"{item.name} {number(value):<{_NUMBER}} "
        text += f"{percent(share):<{_SHARE}} " if item.weights else ""
        style = (
            Style(bold=True, reverse=True)
            if broken
            else Style(bold=True if index == front else None)
        )
        entries.append(curve_entry(text, index, item.color, letters, style))
    return entries


def percent(share: float | None) -> str:
    """Return a share in percent; a small one is not rounded to 0 %."""
    if share is None:
        return ""
    return "<1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"


def curve_layer(cells: Cells, index: int, color: RGB, letters: bool, dim: bool = False) -> Layer:
    """Return the layer of a chart's curve at `index`, in its colour or in its character."""
    if not letters:
        return Layer(cells, color)
    return Layer(replace(cells, marks=(class_glyph(index),) * len(cells.marks)), None, dim)


def curve_entry(text: str, index: int, color: RGB, letters: bool, style: Style = _PLAIN) -> Entry:
    """Return the legend's entry for a chart's curve at `index`; `style` is the text's."""
    mark, ink = (f"{class_glyph(index)} ", None) if letters else ("━ ", color)
    return Entry(mark, text, ink, style, index)


def _curve_layers(
    series: Sequence[Series],
    kinds: tuple[Sequence[Band | None], Sequence[Band | None], Sequence[Band | None]],
    plot: Plot,
    front: int | None,
    letters: bool,
    ground: RGB | None,
) -> list[Layer]:
    """Return the layers of all curves, the first series and the one in front over the others."""
    raw, dotted, solid = kinds
    layers = []
    for index in sorted(range(len(series)), key=lambda each: (each == front, -each)):
        color, behind = series[index].color, front not in (None, index)
        faint = faded(color, ground)
        for band, cells_of, dim in (
            (raw[index], _line, True),
            (dotted[index], _dots, behind),
            (solid[index], _line, behind),
        ):
            if band is not None:
                cells = cells_of(band, plot)
                layers.append(curve_layer(cells, index, faint if dim else color, letters, dim))
    return layers


def _placed(
    flags: Sequence[Flag], series: Sequence[Series], options: ChartOptions
) -> list[PlacedFlag]:
    item = reference(series, options)
    if item is None:
        return []
    places = [(x_at_step(item, flag.step, options.axis), flag) for flag in flags]
    return [PlacedFlag(x, flag) for x, flag in places if x is not None]


def _place(series: Sequence[Series], options: ChartOptions) -> float | None:
    """Return the place of the selected step on the x axis."""
    item = reference(series, options)
    if options.at is None or item is None:
        return None
    return x_at_step(item, options.at, options.axis)


def _mark(x: float | None, plot: Plot, color: RGB | None) -> Layer | None:
    """Draw a vertical line at a place, under the curves."""
    column = None if x is None else plot.column_of(x)
    if column is None:
        return None
    cells = Cells(np.full(plot.rows, column), np.arange(plot.rows), ("│",) * plot.rows)
    return Layer(cells, color)


def _raw(item: Series, options: ChartOptions, left: float, right: float) -> Band | None:
    """Return the records behind a smoothed curve; None if it is not smoothed."""
    return cut(band_of(item, item.curve, options, 0.0), left, right) if options.smoothing else None


def _edges(options: ChartOptions, end: float) -> tuple[float, float]:
    """Return the visible part of the x axis: from the start of the run, or as zoomed."""
    whole = max(end, 1e-6)
    if options.span is None or options.span[0] >= whole:
        return 0.0, whole
    return options.span[0], min(options.span[1], whole)


def _frame(
    bands: Sequence[Band | None], left: float, right: float, options: ChartOptions
) -> Frame | None:
    """Return the box around all visible bands, with a small margin."""
    known = [band for band in bands if band is not None]
    if not known:
        return None
    low = min(float(band.lows.min()) for band in known)
    high = max(float(band.highs.max()) for band in known)
    size = max(abs(low), abs(high))
    air = 0.04 * (high - low) if high - low > 1e-6 * size else 0.05 * size or 0.5
    top = high + air
    if options.ceiling is not None and not options.log:
        top = max(min(top, options.ceiling), high)
    return Frame(left, right, low - air, top)


def _line(band: Band, plot: Plot) -> Cells:
    return curve_cells(band.x, band.lows, band.highs, plot.frame, plot.columns, plot.rows)


def _dots(band: Band, plot: Plot) -> Cells:
    return dotted_cells(band.x, (band.lows + band.highs) / 2, plot.frame, plot.columns, plot.rows)
