"""Actions of the dashboard that choose the evaluation shown."""

from __future__ import annotations

from pathlib import Path

from textual import on, work
from textual.events import ScreenResume

from tui_latent.runs.map_store import MapFolder
from tui_latent.runs.maps import StoredEvaluation
from tui_latent.tui import messages
from tui_latent.tui.charts.line_chart_panel import CurveChart
from tui_latent.tui.first_values import when_evaluated
from tui_latent.tui.screens.dashboard.base import DashboardBase
from tui_latent.tui.screens.dashboard.run_verdict import RunVerdict
from tui_latent.tui.widgets.film_strip import FilmStrip
from tui_latent.tui.widgets.time_badge import TimeBadge


class TimeActions(DashboardBase):
    """Shows another evaluation, by keys, on the film strip or at a chart's cursor."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._maps = MapFolder(path)

    def action_time(self, by: int) -> None:
        """Show an earlier or a later evaluation, or say that there is none."""
        if why := self._time.why_not(self._snapshot.map_steps, by):
            self.tell_no_change(why)
        elif self._time.move(self._snapshot.map_steps, by):
            self._look_at(self._time.step)

    def action_film(self) -> None:
        """Show or hide the evaluations as a film strip."""
        if not self._snapshot.map_steps:
            self.tell_no_change(when_evaluated(self._snapshot, "The film strip"))
            return
        self.toggle_class("-film")
        self.post_message(messages.ChoiceKept("film", self.has_class("-film"), self.path))

    @on(FilmStrip.Chosen)
    @on(CurveChart.StepChosen)
    def go_to_step(self, event: FilmStrip.Chosen | CurveChart.StepChosen) -> None:
        """Show the evaluation nearest to the step that was chosen."""
        self.action_time(self._time.distance(self._snapshot.map_steps, event.step))

    @on(FilmStrip.Turned)
    def follow_wheel(self, message: FilmStrip.Turned) -> None:
        """Show an earlier or a later evaluation."""
        self.action_time(message.by)

    @on(ScreenResume)
    def follow_time(self) -> None:
        """Show the evaluation that was selected, or made, on another screen."""
        if self._is_read:
            self.query_one(RunVerdict).judge_again()
            self._look_at(self._time.step)

    @work(thread=True, exclusive=True, group="time")
    def _look_at(self, step: int | None) -> None:
        past = None if step is None else self._maps.at(step)
        self.app.call_from_thread(self._show_past, step, past)

    def _show_badge(self) -> None:
        panels = self._panels.of_an_evaluation()
        steps = self._snapshot.map_steps
        self.query_one(TimeBadge).show(self._time, steps, panels)
        self.query_one(FilmStrip).show(steps, self._time.resolve(steps))

    def _show_past(self, step: int | None, past: StoredEvaluation | None) -> None:
        if step == self._time.step and self.is_mounted:
            self._panels.look_at(past, self._snapshot)
            self._show_badge()
