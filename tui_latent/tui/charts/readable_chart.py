"""A chart of curves that is read with a cursor and zoomed, by keys and by the mouse."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from textual import events
from textual.message import Message

from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.charts.panel import ChartPanel, Drawing
from tui_latent.tui.charts.raster import Floats
from tui_latent.tui.charts.series import ChartOptions, Series, reference, step_at_x, x_of
from tui_latent.tui.charts.view_part import (
    Plot,
    following,
    moved_cursor,
    nearest_record,
    panned,
    zoomed,
)
from tui_latent.tui.keymap import bindings

_ZOOM: Final = 2.0
_WHEEL: Final = 1.5
"""factors of a key and of a notch of the mouse wheel"""
_PAN: Final = 0.25
"""of the visible part"""


@dataclass(frozen=True, eq=False)
class CurveDrawing(Drawing):
    """Drawn curves, and where they are."""

    plot: Plot | None = None


class ReadableChart(ChartPanel):
    """Moves a cursor over curves, and the visible part of the x axis."""

    ALLOW_SELECT = False
    BINDINGS = bindings("curves")

    class StepChosen(Message):
        """A step was chosen with the cursor."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    def __init__(self, drawer: WorkerThread, name: str, options: ChartOptions) -> None:
        super().__init__(drawer, name)
        self._series: tuple[Series, ...] = ()
        self.options = options
        self.chooses_steps = False
        """whether the screen shows the step that is chosen"""

    def set_options(self, options: ChartOptions) -> None:
        """Change the scale, the axis or the smoothing."""
        if options != self.options:
            self.options = options
            self.redraw()

    # Cursor and visible part

    @property
    def _plot(self) -> Plot | None:
        return self._drawing.plot if isinstance(self._drawing, CurveDrawing) else None

    def _records(self) -> Floats | None:
        """Return the places that the cursor can have."""
        item = reference(self._series, self.options)
        if item is None or item.curve is None:
            return None
        return x_of(item, item.curve, self.options.axis)

    def _put_cursor(self, cursor: float | None) -> None:
        if cursor is not None and self._plot is not None:
            span = following(self.options.span, self._plot, cursor)
            self.set_options(replace(self.options, cursor=cursor, span=span))

    def action_cursor(self, columns: int) -> None:
        """Move the cursor by columns; the first key shows it."""
        records = self._records()
        if records is not None and self._plot is not None:
            self._put_cursor(moved_cursor(records, self.options.cursor, columns, self._plot))

    def action_cursor_end(self, last: bool) -> None:
        """Move the cursor to the first or the last record."""
        records = self._records()
        if records is not None and len(records):
            self._put_cursor(float(records[-1 if last else 0]))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Let a step be chosen only with the cursor, and where that shows something."""
        if action == "choose_step":
            return self.chooses_steps and self.options.cursor is not None
        return True

    def action_choose_step(self) -> None:
        """Choose the step at the cursor."""
        item, cursor = reference(self._series, self.options), self.options.cursor
        if item is not None and cursor is not None:
            step = step_at_x(item, cursor, self.options.axis)
            if step is not None:
                self.post_message(self.StepChosen(round(step)))

    def clear_cursor(self) -> bool:
        """Remove the cursor; return whether there was one."""
        shown = self.options.cursor is not None
        self.set_options(replace(self.options, cursor=None))
        return shown

    def action_zoom(self, notches: int) -> None:
        """Zoom in at the cursor, or in the middle; out if `notches` is negative."""
        if (plot := self._plot) is not None:
            middle = (plot.frame.left + plot.frame.right) / 2
            cursor = self.options.cursor
            self._zoom(_ZOOM**notches, middle if cursor is None else cursor)

    def action_pan(self, steps: int) -> None:
        """Move the visible part right, or left if `steps` is negative."""
        if (plot := self._plot) is not None:
            self.set_options(replace(self.options, span=panned(plot, steps * _PAN)))

    def action_whole(self) -> None:
        """Show the whole run."""
        self.set_options(replace(self.options, span=None))

    def _zoom(self, factor: float, x: float) -> None:
        if self._plot is not None:
            self.set_options(replace(self.options, span=zoomed(self._plot, factor, x)))

    # Mouse

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Bring a curve to the front by its name, or put the cursor on a place."""
        place = event.style.meta.get("curve")
        if isinstance(place, int) and place < len(self._series):
            self.set_options(replace(self.options, front=self._series[place].name))
        else:
            self._point_at(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Move the cursor with a pressed button."""
        if event.button and self.options.cursor is not None:
            self._point_at(event)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Zoom in where the mouse is."""
        self._zoom_at(event, _WHEEL)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Zoom out where the mouse is."""
        self._zoom_at(event, 1 / _WHEEL)

    def _zoom_at(self, event: events.MouseEvent, factor: float) -> None:
        event.stop()
        if (x := self._place(event)) is not None:
            self._zoom(factor, x)

    def _point_at(self, event: events.MouseEvent) -> None:
        records = self._records()
        if records is not None and (x := self._place(event)) is not None:
            self._put_cursor(nearest_record(records, x))

    def _place(self, event: events.MouseEvent) -> float | None:
        """Return the place of the mouse on the x axis; None outside the curves."""
        offset, plot = event.get_content_offset(self), self._plot
        if offset is None or plot is None:
            return None
        inside = plot.top <= offset.y < plot.top + plot.rows and offset.x >= plot.left
        return plot.x_at(offset.x - plot.left) if inside else None
