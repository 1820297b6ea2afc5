"""A panel of curves: loss components, kNN scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import is_
from typing import Final

from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.charts.line_chart import ChartOptions, Series, draw_chart, is_logarithmic
from tui_latent.tui.charts.panel import ChartPanel, Drawing, message_strips, note_strips

_LEAST: Final = 4
"""lines of a chart below which a note has no room"""
SMOOTHINGS: Final = (0.0, 0.6, 0.9, 0.97, 0.99)


class CurveChart(ChartPanel):
    """Shows curves with their newest values; redraws only when one of them has changed."""

    def __init__(
        self, drawer: WorkerThread, name: str, titles: Sequence[str], options: ChartOptions
    ) -> None:
        super().__init__(drawer, name)
        self._titles = tuple(titles)
        self._series: tuple[Series, ...] = ()
        self._corner = ""
        self._hint = self._note = ""
        self.options = options

    def show(
        self,
        series: Sequence[Series],
        corner: str,
        hint: str,
        note: str = "",
        titles: Sequence[str] | None = None,
    ) -> None:
        """Show series, with text in the corner; `hint` stands where there are none.

        `note` below the curves says why some have no value; without `titles` the last ones stay.
        """
        titles = self._titles if titles is None else tuple(titles)
        parts = [part for s in series for part in (s.curve, s.dotted)]
        shown = [part for s in self._series for part in (s.curve, s.dotted)]
        same = len(parts) == len(shown) and all(map(is_, parts, shown))
        words = (titles, corner, hint, note)
        if not same or words != (self._titles, self._corner, self._hint, self._note):
            self._series = tuple(series)
            self._titles, self._corner, self._hint, self._note = words
            self.redraw()

    @property
    def is_logarithmic(self) -> bool:
        """Whether the y axis is logarithmic now."""
        return is_logarithmic(self._series, self.options)

    def toggle_log(self) -> None:
        """Switch between a linear and a logarithmic axis."""
        self.set_options(replace(self.options, log=not self.is_logarithmic))

    def toggle_time(self) -> None:
        """Switch between steps and time."""
        time = self.options.axis == "time"
        self.set_options(replace(self.options, axis="step" if time else "time"))

    def set_options(self, options: ChartOptions) -> None:
        """Change the scale, the axis or the smoothing."""
        if options != self.options:
            self.options = options
            self.redraw()

    def plan(self, width: int, height: int) -> Callable[[], Drawing]:
        """Reduce and draw the current curves."""
        series, options, titles = self._series, self.options, self._titles
        if not any(s.curve is not None or s.dotted is not None for s in series):
            hint = self._note or self._hint
            return lambda: Drawing(message_strips(hint, width, height), titles)
        letters = self.app.no_color
        corner = _corner(self._corner, options, self.is_logarithmic)
        note = note_strips(self._note, width)
        note = note if height - len(note) >= _LEAST else []

        def draw() -> Drawing:
            chart = draw_chart(series, options, width, height - len(note), letters)
            return Drawing([*chart, *note], titles, corner)

        return draw


def _corner(words: str, options: ChartOptions, log: bool) -> str:
    parts = [words] if words else []
    parts += [f"smooth {options.smoothing:g}".replace("0.", ".")] if options.smoothing else []
    parts += [f"step {options.at:,}"] if options.at is not None else []
    parts += ["time"] if options.axis == "time" else []
    parts += ["log"] if log else []
    return " · ".join(parts)
