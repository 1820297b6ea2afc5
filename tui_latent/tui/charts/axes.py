"""Axis ticks: few, round, and with only the decimals that distinguish them."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Final

from tui_latent.tui.charts.plotext_plot import Axis
from tui_latent.tui.format import clock

_LABEL: Final = 5
"""cells of a y axis label, so that a chart does not shift when its numbers grow"""

_LEAST: Final = 3
"""ticks that an axis needs, so that values between them can be read"""

_SPANS: Final = (
    *(1, 2, 5, 10, 15, 30),
    *(60 * minutes for minutes in (1, 2, 5, 10, 15, 30)),
    *(3600 * hours for hours in (1, 2, 3, 6, 12, 24, 48, 120, 240, 720)),
)
"""seconds between two ticks of a time axis"""


def linear_ticks(low: float, high: float, count: int) -> list[float]:
    """Return at most `count` multiples of 1, 2 or 5 times a power of ten in a range."""
    span = high - low
    # A span too small for floating point to divide has no ticks.
    if not max(1e-200, 1e-9 * max(abs(low), abs(high))) < span < 1e200 or count < 1:
        return []
    power = 10.0 ** math.floor(math.log10(span / count))
    for factor in (1, 2, 5, 10, 20):
        spacing = power * factor
        first, last = math.ceil(low / spacing - 1e-9), math.floor(high / spacing + 1e-9)
        if last - first < count:
            break
    return [index * spacing for index in range(first, last + 1)]


def tick_label(value: float, spacing: float) -> str:
    """Format a tick in 5 cells, with the decimals that the spacing requires."""
    if abs(value) < spacing * 1e-6:
        return "0"
    decimals = max(0, -math.floor(math.log10(spacing) + 1e-9))
    if max(abs(value), spacing) < 1e4 and decimals <= 4:
        text = f"{value:,.{decimals}f}".replace("0.", ".", 1) if abs(value) < 1 else ""
        text = text or f"{value:.{decimals}f}"
        if len(text) <= _LABEL:
            return text
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= 0.9995 * size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")


def value_axis(low: float, high: float, rows: int, log: bool = False) -> Axis:
    """Return a y axis from `low` to `high` (their logarithms to base 10, if `log`) over `rows`."""
    count = max(_LEAST, min(rows // 3, 7))
    if log:
        ticks = log_ticks(low, high, count, rows)
        labels = [tick_label(10.0**t, 10.0 ** math.floor(t + 1e-9)) for t in ticks]
        if len(set(labels)) < len(labels):  # closer together than one digit can tell
            values = [10.0**tick for tick in ticks]
            spacing = min(b - a for a, b in pairwise(values))
            labels = [tick_label(value, spacing) for value in values]
    else:
        ticks = enough_ticks(low, high, count, rows)
        spacing = ticks[1] - ticks[0] if len(ticks) > 1 else max(abs(high - low), 1e-12)
        labels = [tick_label(tick, spacing) for tick in ticks]
    places = [_place(tick, low, high, rows) for tick in ticks]
    return Axis(tuple(places), tuple(label.rjust(_LABEL) for label in labels) or (" " * _LABEL,))


def enough_ticks(low: float, high: float, count: int, most: int) -> list[float]:
    """Return about `count` round ticks: more, up to `most`, where there would be fewer than 3.

    Multiples of 3 and 4 are used only where those of 1, 2 and 5 are too many or too few.
    """
    for allowed in range(count, max(count, most) + 1):
        ticks = linear_ticks(low, high, allowed)
        if len(ticks) >= _LEAST:
            return ticks
    for factor in (4, 3):
        ticks = [factor * tick for tick in linear_ticks(low / factor, high / factor, most)]
        if _LEAST <= len(ticks) <= most and _one_digit(ticks[1] - ticks[0]):
            return ticks
    return linear_ticks(low, high, count)


def _one_digit(spacing: float) -> bool:
    """Return whether a spacing has one significant digit, which the labels are written with."""
    leading = spacing / 10.0 ** math.floor(math.log10(spacing))
    return abs(leading - round(leading)) < 1e-6


def log_ticks(low: float, high: float, count: int, most: int) -> list[float]:
    """Return ticks of an axis of logarithms to base 10, also as logarithms.

    They are powers of ten; if the range has fewer than 3 of them, also 3, or 2 and 5, times
    those; and in a narrower range round numbers.
    """
    if not max(abs(low), abs(high)) < 300:
        return []
    powers = enough_ticks(low, high, count, most)
    ticks = [tick for tick in powers if tick == round(tick)]
    for factors in ((1, 3), (1, 2, 5)):
        if len(ticks) >= _LEAST:
            return ticks
        between = [
            power + math.log10(factor)
            for power in range(math.floor(low), math.ceil(high) + 1)
            for factor in factors
        ]
        ticks = [tick for tick in between if low <= tick <= high]
    if len(ticks) >= _LEAST:
        return ticks
    values = enough_ticks(10.0**low, 10.0**high, count, most)
    return [math.log10(value) for value in values if value > 0]


def step_axis(low: float, high: float, columns: int) -> Axis:
    """Return an x axis of plain numbers from `low` to `high` over `columns`."""
    ticks = enough_ticks(low, high, max(2, columns // 7), columns // 6)
    spacing = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    labels = tuple(tick_label(tick, spacing) for tick in ticks)
    return Axis(tuple(_place(tick, low, high, columns) for tick in ticks), labels)


def time_axis(low: float, high: float, columns: int) -> Axis:
    """Return an x axis of times, given in seconds, with ticks at full seconds, minutes, hours."""
    seconds: list[float] = []
    for count in range(max(2, columns // 9), max(2, columns // 9, columns // 7) + 1):
        spacing = next((s for s in _SPANS if (high - low) / s < count), 1e9)
        ticks = linear_ticks(low / spacing, high / spacing, count) if spacing in _SPANS else []
        seconds = [tick * spacing for tick in ticks if tick == round(tick)]
        if len(seconds) >= _LEAST:
            break
    places = tuple(_place(second, low, high, columns) for second in seconds)
    return Axis(places, tuple(clock(second) for second in seconds))


def _place(value: float, low: float, high: float, cells: int) -> int:
    share = (value - low) / (high - low)
    return min(max(math.floor(share * cells), 0), cells - 1)
