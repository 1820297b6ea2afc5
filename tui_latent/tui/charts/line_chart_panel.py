"""A panel of curves: loss components, kNN scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from textual.content import Content

from tui_latent.tui.charts.chart_corner import corner_words
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.charts.flags import Flag
from tui_latent.tui.charts.line_chart import ChartOptions, Series, is_logarithmic
from tui_latent.tui.charts.panel import Drawing, message_strips, note_strips
from tui_latent.tui.charts.readable_chart import CurveDrawing, ReadableChart
from tui_latent.tui.charts.series import XAxis, axes_of, reference, step_at_x, x_at_step
from tui_latent.tui.charts.small_charts import image_with_parts
from tui_latent.tui.charts.step_badge import step_badge
from tui_latent.tui.remapping import key_name

_LEAST: Final = 4
"""lines of a chart below which a note has no room"""
SMOOTHINGS: Final = (0.0, 0.6, 0.9, 0.97, 0.99)
_KEYS: Final = (("curves.left", "read"), ("curves.zoom_in", "zoom"))


class CurveChart(ReadableChart):
    """Shows curves with their newest values; redraws only when one of them has changed."""

    def __init__(
        self, drawer: WorkerThread, name: str, titles: Sequence[str], options: ChartOptions
    ) -> None:
        super().__init__(drawer, name, options)
        self._titles = tuple(titles)
        self._flags: tuple[Flag, ...] = ()
        self._flags_of: dict[str, tuple[Flag, ...]] = {}
        self._corner = ""
        self._edge = Content("")
        self._hint = self._note = ""
        self.keys: tuple[tuple[str, str], ...] = _KEYS
        """ids and words of the keys that the lower edge names while the panel has the focus"""

    def show(
        self,
        series: Sequence[Series],
        corner: str,
        hint: str,
        note: str = "",
        titles: Sequence[str] | None = None,
        flags: Sequence[Flag] = (),
        flags_of: Mapping[str, Sequence[Flag]] | None = None,
    ) -> None:
        """Show series, with text in the corner; `hint` stands where there are none.

        `note` below the curves says why some have no value; without `titles` the last ones stay.
        `flags` stand on the chart, those of `flags_of` with the curve of that name in front.
        """
        titles = self._titles if titles is None else tuple(titles)
        same = len(series) == len(self._series) and all(map(Series.same_as, series, self._series))
        own = {name: tuple(flags) for name, flags in (flags_of or {}).items()}
        words = (titles, corner, hint, note, tuple(flags))
        if (not same or own != self._flags_of) or words != (
            *(self._titles, self._corner, self._hint, self._note, self._flags),
        ):
            self._flags_of = own
            self._series = tuple(series)
            self._titles, self._corner, self._hint, self._note, self._flags = words
            if self.options.axis not in axes_of(self._series):
                self.options = replace(self.options, axis="step", span=None, cursor=None)
            self.redraw()

    def plan(self, width: int, height: int) -> Callable[[], Drawing]:
        """Reduce and draw the current curves."""
        series, options, titles = self._series, self.options, self._titles
        flags = self._flags + self._flags_of.get(options.front, ())
        if not any(s.curve is not None or s.dotted is not None for s in series):
            hint = self._note or self._hint
            return lambda: CurveDrawing(message_strips(hint, width, height), titles)
        letters, ground = self.app.no_color, self.background_colors[1].rgb
        room = width - len(titles[-1]) - 5
        corner = corner_words(self._corner, options, self.is_logarithmic, room)
        note = note_strips(self._note, width)
        note = note if height - len(note) >= _LEAST else []

        def draw() -> Drawing:
            rows = height - len(note)
            image = image_with_parts(series, options, width, rows, letters, flags, ground)
            return CurveDrawing([*image.strips, *note], titles, corner, image.plot)

        return draw

    # Focus

    def watch_has_focus(self, _has_focus: bool) -> None:
        """Name the keys that work here; they are too many for the footer."""
        super().watch_has_focus(_has_focus)
        self._write_edge()

    def on_resize(self) -> None:
        """Name as many keys as fit."""
        self._write_edge()

    def set_options(self, options: ChartOptions) -> None:
        """Change how the curves are shown; an earlier step is named on the lower edge."""
        super().set_options(options)
        self._write_edge()

    def _write_edge(self) -> None:
        edge = self._key_words() if self.has_focus else step_badge(self.options.at)
        if not edge.is_same(self._edge):  # setting it repaints the panel
            self.border_subtitle = self._edge = edge

    def _key_words(self) -> Content:
        keymap = self.app._keymap
        words = [f"{key_name(key, keymap)} {word}" for key, word in self.keys]
        while words and len(" · ".join(words)) > self.size.width - 6:
            words.pop()
        return Content(" · ".join(words))

    # Options

    @property
    def has_curves(self) -> bool:
        """Whether anything has been recorded for this chart."""
        return any(item.curve is not None for item in self._series)

    @property
    def is_logarithmic(self) -> bool:
        """Whether the y axis is logarithmic now."""
        return is_logarithmic(self._series, self.options)

    def toggle_log(self) -> None:
        """Switch between a linear and a logarithmic axis."""
        self.set_options(replace(self.options, log=not self.is_logarithmic))

    def next_axis(self) -> XAxis:
        """Return the x axis after this one that all curves have: steps, epochs, time."""
        axes = axes_of(self._series)
        return axes[(axes.index(self.options.axis) + 1) % len(axes)]

    def set_axis(self, axis: XAxis) -> None:
        """Plot over another x axis; the visible part and the cursor stay at their steps."""
        item = reference(self._series, self.options)
        if item is None or axis not in axes_of(self._series):
            return
        before = self.options.axis

        def other(x: float) -> float:
            step = step_at_x(item, x, before)
            return x if step is None else x_at_step(item, step, axis) or 0.0

        span, cursor = self.options.span, self.options.cursor
        if span is not None:
            span = other(span[0]), span[1] if span[1] == float("inf") else other(span[1])
        cursor = None if cursor is None else other(cursor)
        self.set_options(replace(self.options, axis=axis, span=span, cursor=cursor))

    def smooth(self, steps: int) -> None:
        """Smooth the curves more, or less if `steps` is negative."""
        at = SMOOTHINGS.index(self.options.smoothing) + steps
        smoothing = SMOOTHINGS[min(max(at, 0), len(SMOOTHINGS) - 1)]
        self.set_options(replace(self.options, smoothing=smoothing))

    def set_smoothing(self, wanted: float) -> None:
        """Smooth the curves by the strength of `SMOOTHINGS` that is nearest to `wanted`."""
        nearest = min(SMOOTHINGS, key=lambda each: abs(each - wanted))
        self.set_options(replace(self.options, smoothing=nearest))

    def front(self, by: int) -> None:
        """Bring the curve `by` places after the one in front to the front."""
        names = [item.name for item in self._series if item.curve is not None]
        if names:
            at = names.index(self.options.front) + by if self.options.front in names else 0
            self.set_options(replace(self.options, front=names[at % len(names)]))
