"""Curves over steps or time, reduced to a chart's cells; pure, for the drawing thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from rich.style import Style
from textual.strip import Strip

from tui_latent.map_frame import Frame, drawable
from tui_latent.palettes import RGB, class_glyph
from tui_latent.runs.schema import Curve
from tui_latent.tui.charts.axes import step_axis, time_axis, value_axis
from tui_latent.tui.charts.legend import Entry, legend_strips
from tui_latent.tui.charts.plotext_plot import Axis, Layer, canvas_size, draw_plot
from tui_latent.tui.charts.raster import Cells, Floats, curve_cells, dotted_cells, smoothed
from tui_latent.tui.format import number

_FAR_APART: Final = 30.0
"""ratio of two curves beyond which the smaller one is a flat line on a linear axis"""
_GREY: Final = (135, 135, 135)
_PLAIN: Final = Style()
_NUMBER: Final = 5
"""cells of a current value"""


@dataclass(frozen=True, eq=False)
class Series:
    """One curve of a chart."""

    name: str
    color: RGB
    curve: Curve | None
    dotted: Curve | None = None
    """drawn as dots in the same colour: the held-out value"""
    known: bool = True
    """whether the newest evaluation could give it a value"""


@dataclass(frozen=True)
class ChartOptions:
    """How a chart shows its curves."""

    log: bool | None = None
    """None is logarithmic where the curves' sizes differ much, as those of loss terms do"""
    axis: Literal["step", "time"] = "step"
    smoothing: float = 0.0
    """weight of the past in the moving average; 0 shows the records as they are"""
    at: int | None = None
    """selected step: marked, and its values in the legend; None is the newest"""


@dataclass(frozen=True, eq=False)
class _Band:
    """A curve in the chart's coordinates."""

    x: Floats
    lows: Floats
    highs: Floats


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
    options = replace(options, log=is_logarithmic(series, options))
    legend = value_strips(series, width, max(1, height // 4), letters, options.at)[:height]
    rows = height - len(legend)
    if rows < 3:
        return legend
    solid = [_band(s.curve, options, options.smoothing) for s in series]
    dotted = [_band(s.dotted, options, 0.0) for s in series]
    frame = _frame([*solid, *dotted])
    if frame is None:
        return legend
    columns, lines = canvas_size(width, rows, Axis((), ()), value_axis(0.0, 1.0, rows))
    x_axis = time_axis if options.axis == "time" else step_axis
    x = x_axis(frame.left, frame.right, columns)
    y = value_axis(frame.bottom, frame.top, lines, bool(options.log))
    layers = []
    for index, item in reversed(list(enumerate(series))):
        for band, cells_of in ((dotted[index], _dots), (solid[index], _line)):
            if band is not None and columns > 1 and lines > 1:
                cells = cells_of(band, frame, columns, lines)
                layers.append(curve_layer(cells, index, item.color, letters))
    if (place := _place(series, options)) is not None:
        layers.insert(0, _mark(place, frame, columns, lines))
    return [*legend, *draw_plot(layers, width, rows, x, y)]


def is_logarithmic(series: Sequence[Series], options: ChartOptions) -> bool:
    """Return whether the y axis is logarithmic: as chosen, else if values differ greatly."""
    if options.log is not None:
        return options.log
    means = [float(s.curve.means[-1]) for s in series if s.curve is not None and len(s.curve.means)]
    return len(means) > 1 and min(means) > 0 and max(means) > _FAR_APART * min(means)


def value_strips(
    series: Sequence[Series],
    width: int,
    lines: int,
    letters: bool = False,
    at: int | None = None,
) -> list[Strip]:
    """Write each curve's name and its value at a step, or the newest, in at most `lines` lines."""
    entries = []
    for index, item in enumerate(series):
        shown = item.curve is not None and (item.known or at is not None)
        value = value_at(item.curve, at) if item.curve is not None and shown else None
        broken = value is not None and not np.isfinite(value)
        text = f"{item.name} {number(value):<{_NUMBER}} "
        style = Style(bold=True, reverse=True) if broken else Style()
        entries.append(curve_entry(text, index, item.color, letters, style))
    return legend_strips(entries, width, lines, gap=0)


def curve_layer(cells: Cells, index: int, color: RGB, letters: bool) -> Layer:
    """Return the layer of a chart's curve at `index`, in its colour or in its character."""
    if not letters:
        return Layer(cells, color)
    return Layer(replace(cells, marks=(class_glyph(index),) * len(cells.marks)), None)


def curve_entry(text: str, index: int, color: RGB, letters: bool, style: Style = _PLAIN) -> Entry:
    """Return the legend's entry for a chart's curve at `index`; `style` is the text's."""
    mark, ink = (f"{class_glyph(index)} ", None) if letters else ("━ ", color)
    return Entry(mark, text, ink, style)


def value_at(curve: Curve, step: int | None) -> float | None:
    """Return a curve's value at a step, the one recorded last until then; the newest for None."""
    if step is None:
        return curve.last
    known = int(np.searchsorted(curve.steps, step, side="right"))
    return float(curve.means[known - 1]) if known else None


def _place(series: Sequence[Series], options: ChartOptions) -> float | None:
    """Return the place of the selected step on the x axis."""
    curves = [s.curve for s in series if s.curve is not None and len(s.curve.steps)]
    if options.at is None or not curves:
        return None
    longest = max(curves, key=lambda curve: len(curve.steps))
    if options.axis == "step":
        return float(options.at)
    return float(np.interp(options.at, longest.steps, longest.times))


def _mark(x: float, frame: Frame, columns: int, rows: int) -> Layer:
    """Draw a vertical line at a place, under the curves."""
    share = (x - frame.left) / (frame.right - frame.left)
    column = min(max(round(share * (columns - 1)), 0), columns - 1)
    cells = Cells(np.full(rows, column), np.arange(rows), ("│",) * rows)
    return Layer(cells, _GREY)


def _band(curve: Curve | None, options: ChartOptions, smoothing: float) -> _Band | None:
    if curve is None or not len(curve.steps):
        return None
    x = curve.times if options.axis == "time" else curve.steps
    lows, highs = curve.lows, curve.highs
    if smoothing:
        lows = highs = smoothed(curve.means, smoothing)
    keep = drawable(x) & drawable(lows) & drawable(highs)
    if options.log:
        keep &= lows > 0
    x, lows, highs = x[keep], lows[keep], highs[keep]
    if options.log:
        lows, highs = np.log10(lows), np.log10(highs)
    return _Band(x, lows, highs) if len(x) else None


def _frame(bands: Sequence[_Band | None]) -> Frame | None:
    """Return the box from the start of the run around all bands, with a small margin."""
    known = [band for band in bands if band is not None]
    if not known:
        return None
    right = max(float(band.x.max()) for band in known)
    low = min(float(band.lows.min()) for band in known)
    high = max(float(band.highs.max()) for band in known)
    size = max(abs(low), abs(high))
    air = 0.04 * (high - low) if high - low > 1e-6 * size else 0.05 * size or 0.5
    return Frame(0.0, max(right, 1e-6), low - air, high + air)


def _line(band: _Band, frame: Frame, columns: int, rows: int) -> Cells:
    return curve_cells(band.x, band.lows, band.highs, frame, columns, rows)


def _dots(band: _Band, frame: Frame, columns: int, rows: int) -> Cells:
    return dotted_cells(band.x, (band.lows + band.highs) / 2, frame, columns, rows)
