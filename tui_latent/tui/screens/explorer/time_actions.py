"""Actions of the explorer that choose the evaluation shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from textual import on

from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.screens.explorer.base import ExplorerBase
from tui_latent.tui.screens.explorer.playback import Playback
from tui_latent.tui.time_cursor import TimeCursor
from tui_latent.tui.widgets.film_strip import FilmStrip


class TimeActions(ExplorerBase):
    """Shows another evaluation, or plays them one after another."""

    def __init__(self, path: Path, drawer: WorkerThread, time: TimeCursor | None = None) -> None:
        super().__init__(path, drawer, time)
        self._playback = Playback(self.set_timer, self._play_on)

    def action_time(self, by: int) -> None:
        """Show an earlier or a later evaluation, or say that there is none."""
        self._playback.stop()
        if why := self._time.why_not(self._snapshot.map_steps, by):
            self.tell_no_change(why)
        self._travel(by)

    def _travel(self, by: int) -> bool:
        moved = self._time.move(self._snapshot.map_steps, by)
        if moved:
            self._projection = "map"
            self._status = ""
            self._request_map()
            self._show_line()
        return moved

    def action_film(self) -> None:
        """Show or hide the film strip and the paths of the movers."""
        if len(self._snapshot.map_steps) < 2:
            self.tell_no_change(self._time.why_not(self._snapshot.map_steps, 1))
            return
        self._film_wanted = not self._look.trails
        self._show_film(self._film_wanted)
        self._keep_look()

    def _show_film(self, shown: bool) -> None:
        self._look = replace(self._look, trails=shown)
        self._make_room_for_film()
        self._request_map()
        self._show_scene()

    def _make_room_for_film(self) -> None:
        """Show the strip if it is wanted and there is more than the map that is shown."""
        several = len(self._snapshot.map_steps) > 1
        self.query_one(FilmStrip).display = self._look.trails and several

    @on(FilmStrip.Chosen)
    def go_to_step(self, message: FilmStrip.Chosen) -> None:
        """Show the evaluation that was clicked in the film strip."""
        self.action_time(self._time.distance(self._snapshot.map_steps, message.step))

    @on(FilmStrip.Turned)
    def follow_wheel(self, message: FilmStrip.Turned) -> None:
        """Show an earlier or a later evaluation."""
        self.action_time(message.by)

    def action_play(self) -> None:
        """Play the evaluations from the first one, or pause."""
        if self._playback.playing:
            self._playback.stop()
            return
        if len(self._snapshot.map_steps) < 2:
            self.tell_no_change(self._time.why_not(self._snapshot.map_steps, 1))
            return
        if self._time.step is None:
            self._travel(-len(self._snapshot.map_steps))
        self._playback.start()

    def _play_on(self) -> bool:
        """Show the next evaluation once this one is drawn; return whether to continue."""
        if self._result is not None and self._result.request == self._requested:
            self._travel(1)
            return self._time.step is not None
        return True
