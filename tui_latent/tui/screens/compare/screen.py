"""Compares two or more runs, live or finished: curves, numbers, settings, maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from textual import events, on, work
from textual.app import ComposeResult
from textual.message import Message
from textual.theme import Theme
from textual.widgets import Tab, Tabs

from tui_latent.comparison import Comparison, compare
from tui_latent.runs.schema import RunSnapshot
from tui_latent.tui import messages
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.keymap import bindings
from tui_latent.tui.run_watcher import RunLost, RunWatcher, SnapshotRead
from tui_latent.tui.screens.base import BaseScreen, TooSmall
from tui_latent.tui.screens.compare.paired import PairedReader
from tui_latent.tui.screens.compare.panels import PANELS, ComparisonPanels, MetricChart
from tui_latent.tui.screens.compare.tables import RunNames
from tui_latent.tui.widgets.key_footer import KeyFooter
from tui_latent.tui.widgets.metric_picker import MetricPicker

POLL_EVERY: Final = 1.0
"""seconds between two comparisons while runs are live"""


class CompareScreen(BaseScreen[None]):
    """Follows several run folders and compares them."""

    CSS = """
    CompareScreen > Tabs { display: none; height: 1; }
    CompareScreen > Tabs Underline { display: none; }
    CompareScreen > Tabs Tab.-active { text-style: bold underline; }
    CompareScreen > #panels { height: 1fr; grid-size: 5 2; grid-rows: 1fr 1fr; }
    CompareScreen #curves { column-span: 2; }
    CompareScreen #numbers { column-span: 3; }
    CompareScreen #maps { column-span: 3; }
    CompareScreen #settings { column-span: 2; }
    CompareScreen #maps > ScatterPanel { width: 1fr; height: 1fr; }
    CompareScreen.-tabs > Tabs { display: block; }
    CompareScreen.-full > Tabs { display: none; }
    CompareScreen.-tabs > #panels, CompareScreen.-full > #panels { grid-size: 1 1; grid-rows: 1fr; }
    CompareScreen.-tabs #panels > *, CompareScreen.-full #panels > * {
        display: none; column-span: 1;
    }
    CompareScreen.-tabs #panels > .-selected, CompareScreen.-full #panels > .-selected {
        display: block;
    }
    """

    ABOUT = "Runs side by side: curves, figures, maps, and the settings that differ."
    TERMS = (
        "val/knn_20",
        "train/loss",
        "val/loss",
        "latent/effective_rank",
        "latent/uniformity",
        "disparity",
    )
    BINDINGS = bindings("comparison")

    class RunRead(Message, bubble=False):
        """One of the runs has changed, or can no longer be read."""

        def __init__(self, index: int, message: Message) -> None:
            super().__init__()
            self.index = index
            self.message = message

        def can_replace(self, message: Message) -> bool:
            """Drop a run's older messages if the screen falls behind."""
            newer = isinstance(message, CompareScreen.RunRead) and message.index == self.index
            return newer and isinstance(self.message, SnapshotRead)

    class Compared(Message, bubble=False):
        """A comparison is finished."""

        def __init__(self, shown: Comparison) -> None:
            super().__init__()
            self.shown = shown

    def __init__(
        self, paths: Sequence[Path], drawer: WorkerThread, look: Mapping[str, Any] = {}
    ) -> None:
        """Compare two to eight runs; `look` has the `axis` and `smoothing` of last time."""
        super().__init__()
        self._paths = tuple(paths)
        self._drawer = drawer
        self._watchers = [
            RunWatcher(path, partial(self._pass_on, index)) for index, path in enumerate(paths)
        ]
        self._runs: list[RunSnapshot | None] = [None] * len(paths)
        self._lost: set[int] = set()
        self._look = look
        self._shown: Comparison | None = None
        self._changed = self._busy = False

    def compose(self) -> ComposeResult:
        yield RunNames()
        yield PairedReader()
        yield Tabs(*(Tab(title, id=f"tab-{name}") for name, title in PANELS.items()))
        yield ComparisonPanels(self._drawer, len(self._paths))
        yield TooSmall()
        yield KeyFooter()

    def on_mount(self) -> None:
        self.query_one(Tabs).can_focus = False
        self.query_one(RunNames).update("Reading the runs …")
        self._select("curves")
        self.app.theme_changed_signal.subscribe(self, self._recolor)
        for watcher in self._watchers:
            watcher.start()
        self.set_interval(POLL_EVERY, self._compare_again)

    def on_unmount(self) -> None:
        for watcher in self._watchers:
            watcher.close()

    def on_resize(self, event: events.Resize) -> None:
        """Choose between panels side by side and tabs."""
        width, height = event.size
        self.set_class(width < 100 or height < 30, "-tabs")
        self.call_after_refresh(self._lay_out)

    # Updates from the run folders

    def _pass_on(self, index: int, message: Message) -> None:
        self.post_message(self.RunRead(index, message))

    @on(RunRead)
    def take_in(self, event: RunRead) -> None:
        """Store a run's newest state; once all runs are read, compare them at once."""
        if isinstance(event.message, RunLost):
            self.notify(event.message.problem, severity="error", timeout=20, markup=False)
            self._lost.add(event.index)
            self._changed = True
        if not isinstance(event.message, SnapshotRead):
            return
        self._runs[event.index] = event.message.snapshot
        self._changed = True
        if self._shown is None:
            self._compare_again()

    def _compare_again(self) -> None:
        runs = [run for run in self._runs if run is not None]
        unread = [i for i, run in enumerate(self._runs) if run is None and i not in self._lost]
        if self._changed and not self._busy and not unread and len(runs) > 1:
            self._changed, self._busy = False, True
            self._compare(runs)

    @work(thread=True, group="compare")
    def _compare(self, runs: list[RunSnapshot]) -> None:
        self.post_message(self.Compared(compare(runs, self._shown)))

    @on(Compared)
    def show(self, event: Compared) -> None:
        """Show the newest comparison."""
        self._busy = False
        first = self._shown is None
        self._shown = event.shown
        self._recolor()
        if first:
            self._panels.look_as(self._look)
        self.query_one(PairedReader).follow(event.shown)
        if first and not any(run.curves for run in event.shown.runs):
            self._select("maps")

    def _recolor(self, _theme: Theme | None = None) -> None:
        """Show the comparison in the colours of the theme."""
        if self._shown is not None:
            self.query_one(RunNames).show(self._shown)
            self._panels.show(self._shown)

    @on(PairedReader.Found)
    def show_paired(self, event: PairedReader.Found) -> None:
        """Show what the runs have in common, image by image."""
        self._panels.show_paired(event.sentences)

    # Keys

    @property
    def _panels(self) -> ComparisonPanels:
        return self.query_one(ComparisonPanels)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer other maps only if not all fit."""
        return not self.is_mounted or self._panels.hides_maps if action == "maps" else True

    def why_inactive(self, key_id: str) -> str:
        """Say that there are no more maps, or where an evaluation is opened."""
        return {
            "view.maps": "All maps are shown.",
            "curves.open": "Evaluations are opened on the dashboard of a run, not here.",
        }.get(key_id, "")

    def action_metric(self, by: int) -> None:
        """Show the curves of another metric."""
        self._panels.other_metric(by)

    def action_log(self) -> None:
        """Switch between a linear and a logarithmic axis."""
        self.query_one(MetricChart).toggle_log()

    def action_axis(self) -> None:
        """Plot over steps, epochs or time."""
        chart = self.query_one(MetricChart)
        before = chart.options.axis
        chart.set_axis(chart.next_axis())
        if chart.options.axis != before:
            self.post_message(messages.ChoiceKept("axis", chart.options.axis))

    def action_smooth(self, steps: int) -> None:
        """Smooth the curves more, or less if `steps` is negative."""
        chart = self.query_one(MetricChart)
        before = chart.options.smoothing
        chart.smooth(steps)
        if (smoothing := chart.options.smoothing) != before:
            self.post_message(messages.ChoiceKept("comparison", {"smoothing": smoothing}))

    def action_front(self, run: int) -> None:
        """Bring the curve of a run, counted from 1, to the front; 0 brings none."""
        if run > len(self._paths):
            self.tell_no_change(f"There is no run {run}: {len(self._paths)} are compared.")
            return
        self._panels.bring_to_front(run)

    def action_find_metric(self) -> None:
        """Choose the metric from a list."""
        metrics, shown = self._panels.metric_specs()
        if metrics:
            self.app.push_screen(MetricPicker(metrics, shown), self._panels.show_metric)

    def action_maps(self) -> None:
        """Show the maps of the next runs."""
        self._panels.other_maps()

    def action_full(self) -> None:
        """Toggle full screen for the selected panel."""
        self.toggle_class("-full")
        self.call_after_refresh(self._lay_out)

    def action_leave(self) -> None:
        """Remove the cursor, or else leave the full screen, or else the comparison."""
        if self.query_one(MetricChart).clear_cursor():
            return
        if self.has_class("-full"):
            self.action_full()
        else:
            self.dismiss()

    def action_panel(self, by: int) -> None:
        """Go to another panel."""
        names = list(PANELS)
        self._select(names[(names.index(self._panels.selected) + by) % len(names)])

    @on(Tabs.TabActivated)
    def show_tab(self, event: Tabs.TabActivated) -> None:
        """Show the panel whose tab was chosen."""
        name = (event.tab.id or "").removeprefix("tab-")
        if name != self._panels.selected:
            self._select(name)

    def on_descendant_focus(self) -> None:
        """Activate the tab of the panel that was clicked."""
        self.query_one(Tabs).active = f"tab-{self._panels.selected}"

    def _select(self, name: str) -> None:
        self._panels.select(name)
        self.query_one(Tabs).active = f"tab-{name}"
        self._lay_out()
        self._panels.focus_selected()

    def _lay_out(self) -> None:
        self._panels.show_maps()
        self.refresh_bindings()

    def action_report(self) -> None:
        """Export the comparison in the background."""
        self.post_message(messages.ComparisonExportRequested(self._paths))
