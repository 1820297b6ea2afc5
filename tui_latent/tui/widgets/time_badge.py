"""Says that an earlier evaluation is shown, and which key goes back to the newest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from textual.widget import Widget
from textual.widgets import Static

from tui_latent.tui.charts.step_badge import step_badge
from tui_latent.tui.remapping import key_name
from tui_latent.tui.time_cursor import TimeCursor


class TimeBadge(Static):
    """A line below the header, visible while an earlier evaluation is shown."""

    DEFAULT_CSS = """
    TimeBadge {
        display: none; height: 1; padding: 0 1; text-style: bold;
        background: $warning; color: auto 95%; text-wrap: nowrap; text-overflow: ellipsis;
    }
    TimeBadge.-past { display: block; }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._words = ""

    def show(self, time: TimeCursor, steps: Sequence[int], panels: Iterable[Widget]) -> None:
        """Mark the line and the panels with the step that is shown, unless it is the newest."""
        words = self._sentence(time, steps)
        badge = step_badge(time.resolve(steps) if words else None)
        if words != self._words:
            self._words = words
            for panel in panels:
                panel.border_subtitle = badge  # repaints the panel
            self.set_class(bool(words), "-past")
            self.update(words)

    def _sentence(self, time: TimeCursor, steps: Sequence[int]) -> str:
        step = time.resolve(steps)
        if step is None or time.step is None or step == steps[-1]:
            return ""
        newest = key_name("time.last", self.app._keymap)
        which = f"{time.position(steps) + 1} of {len(steps)}, step {step:,} of {steps[-1]:,}"
        long = f"◀ Earlier evaluation: {which}. {newest} goes back to the newest."
        short = f"◀ Evaluation {which}. {newest} shows the newest."
        return long if cell_len(long) <= self.app.size.width - 2 else short
