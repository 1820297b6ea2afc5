"""Actions of the dashboard on its curves; each says why where it would change nothing."""

from __future__ import annotations

from pathlib import Path

from tui_latent.tui import messages
from tui_latent.tui.charts.line_chart_panel import SMOOTHINGS, CurveChart
from tui_latent.tui.first_values import when_recorded
from tui_latent.tui.remapping import key_name
from tui_latent.tui.screens.dashboard.base import DashboardBase


class CurveActions(DashboardBase):
    """Changes how the curves are shown."""

    def action_log(self) -> None:
        """Switch the loss between a linear and a logarithmic axis."""
        if self._is_seen(self._loss):
            self._panels.toggle_log()
            self._keep_look("log", self.path)

    def action_axis(self) -> None:
        """Plot all curves over steps, epochs or time."""
        charts = [chart for chart in self._panels.query(CurveChart) if chart.has_curves]
        seen = [chart for chart in charts if chart.is_on_screen]
        if seen and all(chart.next_axis() == chart.options.axis for chart in seen):
            self.tell_no_change("These records have neither epochs nor times.")
        elif seen or self._is_seen(self._loss):
            self._panels.next_axis()
            self._keep_look("axis")

    def action_weights(self) -> None:
        """Show the loss terms as they count in the sum, or as they are recorded."""
        if not self._is_seen(self._loss):
            return
        if why := self._panels.why_no_weights(self._snapshot):
            self.tell_no_change(why)
        else:
            self._panels.toggle_weights()
            self._keep_look("weighted", self.path)

    def action_front(self, by: int) -> None:
        """Bring another curve of the focused chart, or else of the loss, to the front."""
        focused = self.focused
        chart = focused if isinstance(focused, CurveChart) else self._loss
        if not self._is_seen(chart):
            return
        before = chart.options.front
        chart.front(by)
        if chart.options.front == before:
            self.tell_no_change("There is only one curve.")

    def action_smooth(self, steps: int) -> None:
        """Smooth the loss more or less."""
        if not self._is_seen(self._loss):
            return
        self._panels.smooth(steps)
        self._keep_look("smoothing")
        if self._loss.options.smoothing == SMOOTHINGS[0] and steps < 0:
            self.tell_no_change("The loss is shown without smoothing.")
        elif self._loss.options.smoothing == SMOOTHINGS[-1] and steps > 0:
            self.tell_no_change("The loss cannot be smoothed any further.")

    @property
    def _loss(self) -> CurveChart:
        return self.query_one("#loss", CurveChart)

    def _is_seen(self, chart: CurveChart) -> bool:
        """Return whether a chart with curves is on the screen; say why if it is not."""
        full, switch = (key_name(name, self.app._keymap) for name in ("view.full", "view.next"))
        if not chart.has_curves:
            why = when_recorded(self._snapshot)
        elif chart.is_on_screen:
            return True
        elif chart.has_class("-unwanted"):
            why = "Your settings hide this panel: tui-latent config shows them."
        elif self._panels.is_full:
            why = f"The full-screen panel hides the curves. {full} leaves full screen."
        else:
            why = f"The curves are on another tab. {switch} goes to it."
        self.tell_no_change(why)
        return False

    def _keep_look(self, name: str, path: Path | None = None) -> None:
        """Remember how the curves are shown, for one run or for all."""
        self.post_message(messages.ChoiceKept(name, self._panels.looks[name], path))
