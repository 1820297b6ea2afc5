"""The curves of a chart, how they are shown, and their values at a place on the x axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from tui_latent.loss_weights import Weights, factors
from tui_latent.map_frame import drawable
from tui_latent.palettes import RGB
from tui_latent.runs.schema import Curve
from tui_latent.tui.charts.raster import Floats, smoothed

XAxis = Literal["step", "epoch", "time"]
X_AXES: Final[tuple[XAxis, ...]] = ("step", "epoch", "time")


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
    weights: Weights = ()
    """its weight in a sum, by which its values are multiplied; empty shows them as recorded"""
    steps_per_epoch: float = 0.0
    """0 if it is not known"""

    def same_as(self, other: Series) -> bool:
        """Return whether a chart would draw both alike."""
        return (
            (self.curve is other.curve and self.dotted is other.dotted)
            and (self.name, self.color, self.known) == (other.name, other.color, other.known)
            and (self.weights, self.steps_per_epoch) == (other.weights, other.steps_per_epoch)
        )


@dataclass(frozen=True)
class ChartOptions:
    """How a chart shows its curves."""

    log: bool | None = None
    """None is logarithmic if the curves' sizes differ greatly, as those of loss terms do"""
    axis: XAxis = "step"
    smoothing: float = 0.0
    """weight of the past in the moving average; 0 shows the records as they are"""
    at: int | None = None
    """selected step: marked, and its values in the legend; None is the newest"""
    front: str = ""
    """name of the curve drawn over the others, which are dimmed; empty dims none"""
    span: tuple[float, float] | None = None
    """visible part of the x axis, in its unit, up to infinity for the newest; None is the whole"""
    cursor: float | None = None
    """place of the reading cursor on the x axis, in its unit"""
    ceiling: float | None = None
    """largest value that is possible, above which the axis has no tick"""
    parts: bool = False
    """whether a large chart has a small one for each term of the sum below it"""


@dataclass(frozen=True, eq=False)
class Band:
    """A curve in the chart's coordinates."""

    x: Floats
    lows: Floats
    highs: Floats


def x_of(item: Series, curve: Curve, axis: XAxis) -> Floats:
    """Return the places of a curve's records on the x axis; empty if they are not known."""
    if axis == "time":
        return curve.times
    if axis == "step":
        return curve.steps
    return curve.steps / item.steps_per_epoch if item.steps_per_epoch else curve.steps[:0]


def axes_of(series: Sequence[Series]) -> tuple[XAxis, ...]:
    """Return the x axes that every curve has."""
    known = all(item.steps_per_epoch for item in series if item.curve is not None)
    return tuple(axis for axis in X_AXES if known or axis != "epoch")


def front_index(series: Sequence[Series], options: ChartOptions) -> int | None:
    """Return the position of the curve in front; None if no curve is."""
    names = [item.name for item in series]
    return names.index(options.front) if options.front in names else None


def reference(series: Sequence[Series], options: ChartOptions) -> Series | None:
    """Return the curve on whose records the cursor moves: the one in front, or the longest."""
    front = front_index(series, options)
    if front is not None and _length(series[front]):
        return series[front]
    longest = max(series, key=_length, default=None)
    return longest if longest is not None and _length(longest) else None


def x_at_step(item: Series, step: float, axis: XAxis) -> float | None:
    """Return the place of a step on the x axis, between the records around it."""
    if item.curve is None or not len(x := x_of(item, item.curve, axis)):
        return None
    if axis == "epoch":
        return step / item.steps_per_epoch
    return float(step) if axis == "step" else float(np.interp(step, item.curve.steps, x))


def step_at_x(item: Series, x: float, axis: XAxis) -> float | None:
    """Return the step at a place on the x axis, between the records around it."""
    if item.curve is None or not len(places := x_of(item, item.curve, axis)):
        return None
    if axis == "epoch":
        return x * item.steps_per_epoch
    return x if axis == "step" else float(np.interp(x, places, item.curve.steps))


def record_at(item: Series, x: float, axis: XAxis) -> int | None:
    """Return the index of the record that was the newest at a place on the x axis."""
    if item.curve is None:
        return None
    known = int(np.searchsorted(x_of(item, item.curve, axis), x * (1 + 1e-12), side="right"))
    return known - 1 if known else None


def value_at(curve: Curve, step: int | None) -> float | None:
    """Return a curve's value at a step, the one recorded last until then; the newest for None."""
    if step is None:
        return curve.last
    known = int(np.searchsorted(curve.steps, step, side="right"))
    return float(curve.means[known - 1]) if known else None


def shown_value(item: Series, options: ChartOptions) -> float | None:
    """Return a series' value as drawn: at the cursor, at the selected step, or the newest."""
    curve, at = item.curve, options.at
    if curve is None or not (item.known or at is not None or options.cursor is not None):
        return None
    if options.cursor is not None:
        index = record_at(item, options.cursor, options.axis)
        return None if index is None else float(weighted(item, curve)[index])
    value = value_at(curve, at)
    if value is None or not item.weights:
        return value
    step = at if at is not None else float(curve.steps[-1]) if len(curve.steps) else 0.0
    return value * weight_at(item.weights, step)


def weight_at(weights: Weights, step: float) -> float:
    """Return the weight that counts at a step."""
    return [weight for first, weight in weights if step > first or first <= 0][-1]


def weighted(item: Series, curve: Curve, values: Floats | None = None) -> Floats:
    """Return a curve's means, or other values of its records, as they count in the sum."""
    values = curve.means if values is None else values
    if not item.weights:
        return values
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(values * factors(item.weights, curve.steps))


def never_counts(item: Series) -> bool:
    """Return whether a term has no weight in the sum."""
    return bool(item.weights) and not any(weight for _, weight in item.weights)


def shares(series: Sequence[Series], options: ChartOptions) -> list[float | None]:
    """Return each weighted term's part of the sum of all, as drawn; None for other curves."""
    values = [shown_value(item, options) if item.weights else None for item in series]
    sizes = [None if value is None else abs(value) for value in values]
    total = sum(size for size in sizes if size is not None)
    known = np.isfinite(total) and total > 0
    return [None if size is None or not known else size / total for size in sizes]


def is_logarithmic(series: Sequence[Series], options: ChartOptions) -> bool:
    """Return whether the y axis is logarithmic: as chosen, else if values differ greatly.

    Terms as they count in a sum are compared by their sizes, which a linear axis shows.
    """
    if options.log is not None:
        return options.log
    if any(item.weights for item in series):
        return False
    means = [float(s.curve.means[-1]) for s in series if s.curve is not None and len(s.curve.means)]
    return len(means) > 1 and min(means) > 0 and max(means) > _FAR_APART * min(means)


def band_of(
    item: Series, curve: Curve | None, options: ChartOptions, smoothing: float
) -> Band | None:
    """Return a curve in the chart's coordinates, logarithms where `log` is set.

    None for a term that does not count: a line at 0 would take the room of the others.
    """
    if curve is None or not len(curve.steps) or never_counts(item):
        return None
    x = x_of(item, curve, options.axis)
    if not len(x):
        return None
    if smoothing:
        lows = highs = weighted(item, curve, smoothed(curve.means, smoothing))
    else:
        lows, highs = weighted(item, curve, curve.lows), weighted(item, curve, curve.highs)
    keep = drawable(x) & drawable(lows) & drawable(highs)
    if options.log:
        keep &= lows > 0
    x, lows, highs = x[keep], lows[keep], highs[keep]
    if options.log:
        lows, highs = np.log10(lows), np.log10(highs)
    return Band(x, lows, highs) if len(x) else None


def cut(band: Band | None, left: float, right: float) -> Band | None:
    """Return the part of a band between two places, joined to the edges."""
    if band is None:
        return None
    inside = (band.x >= left) & (band.x <= right)
    if inside.all():
        return band
    ends = np.array([x for x in (left, right) if band.x[0] < x < band.x[-1]])
    x = np.concatenate([band.x[inside], ends])
    order = np.argsort(x, kind="stable")
    lows = np.concatenate([band.lows[inside], np.interp(ends, band.x, band.lows)])
    highs = np.concatenate([band.highs[inside], np.interp(ends, band.x, band.highs)])
    return replace(band, x=x[order], lows=lows[order], highs=highs[order]) if len(x) else None


_FAR_APART: Final = 30.0
"""ratio of two curves beyond which the smaller one is a flat line on a linear axis"""


def _length(item: Series) -> int:
    return 0 if item.curve is None else len(item.curve.steps)
