"""Two or more runs beside each other, live or finished: curves, numbers, settings, maps."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.message import Message
from textual.widgets import Static, Tab, Tabs

from tui_latent.comparison import Comparison, compare
from tui_latent.launch.export import export_comparison
from tui_latent.runs.schema import RunSnapshot
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.min_size import too_small, too_small_words
from tui_latent.tui.run_watcher import RunLost, RunWatcher, SnapshotRead
from tui_latent.tui.screens.base import BaseScreen
from tui_latent.tui.screens.compare.panels import PANELS, ComparisonPanels
from tui_latent.tui.screens.compare.tables import RunNames
from tui_latent.tui.widgets.key_footer import KeyFooter

POLL_EVERY: Final = 1.0
"""seconds between two comparisons while runs go on"""


class CompareScreen(BaseScreen[None]):
    """Follows the runs' folders and puts what they hold beside each other."""

    SCOPED_CSS = False
    CSS = """
    CompareScreen > Tabs { display: none; height: 1; }
    CompareScreen > Tabs Underline { display: none; }
    CompareScreen > Tabs Tab.-active { text-style: bold underline; }
    CompareScreen > #panels { height: 1fr; grid-size: 5 2; grid-rows: 1fr 1fr; }
    CompareScreen #curves { column-span: 2; }
    CompareScreen #numbers { column-span: 3; }
    CompareScreen #maps { column-span: 3; }
    CompareScreen #settings { column-span: 2; }
    CompareScreen #maps > ComparedMapPanel { width: 1fr; height: 1fr; }
    CompareScreen.-tabs > Tabs { display: block; }
    CompareScreen.-tabs > #panels, CompareScreen.-full > #panels { grid-size: 1 1; grid-rows: 1fr; }
    CompareScreen.-tabs #panels > *, CompareScreen.-full #panels > * {
        display: none; column-span: 1;
    }
    CompareScreen.-tabs #panels > .-selected, CompareScreen.-full #panels > .-selected {
        display: block;
    }
    CompareScreen.-too-small > * { display: none; }
    CompareScreen.-too-small > #too-small { display: block; }
    """

    BINDINGS = [
        Binding("m", "metric(1)", "Metric", id="chart.metric", tooltip="Curves of the next metric"),
        Binding(
            "M",
            "metric(-1)",
            "Metric before",
            show=False,
            id="chart.metric_before",
            tooltip="Curves of the metric before",
        ),
        Binding("y", "log", "Log", id="chart.log", tooltip="Logarithmic or linear curves"),
        Binding("t", "axis", "Time", id="chart.axis", tooltip="Curves over steps or over time"),
        Binding("n", "maps", "Maps", id="view.maps", tooltip="Show the other runs' maps"),
        Binding("f", "full", "Full", id="view.full", tooltip="Give the focused panel the screen"),
        Binding("x", "report", "Report", id="run.report", tooltip="Write it as PNG and JSON"),
        Binding("question_mark", "app.help", "Help", id="app.help", tooltip="Show every key"),
        Binding("q", "leave", "Back", id="view.back", tooltip="Back to presets and runs"),
        Binding("escape", "leave", "Back", show=False, id="view.back", tooltip="Back"),
        Binding("tab", "panel(1)", "Panel", id="view.next", tooltip="Next panel"),
        Binding(
            "shift+tab",
            "panel(-1)",
            "Panel before",
            show=False,
            id="view.previous",
            tooltip="Panel before",
        ),
    ]

    class RunRead(Message, bubble=False):
        """One of the runs has changed, or cannot be read any more."""

        def __init__(self, index: int, message: Message) -> None:
            super().__init__()
            self.index = index
            self.message = message

        def can_replace(self, message: Message) -> bool:
            """Let a screen that is behind see only the newest of each run."""
            newer = isinstance(message, CompareScreen.RunRead) and message.index == self.index
            return newer and isinstance(self.message, SnapshotRead)

    class Compared(Message, bubble=False):
        """A comparison is finished."""

        def __init__(self, shown: Comparison) -> None:
            super().__init__()
            self.shown = shown

    def __init__(self, paths: Sequence[Path], drawer: WorkerThread) -> None:
        """Compare two to eight runs."""
        super().__init__()
        self._paths = tuple(paths)
        self._drawer = drawer
        self._watchers = [
            RunWatcher(path, partial(self._pass_on, index)) for index, path in enumerate(paths)
        ]
        self._runs: list[RunSnapshot | None] = [None] * len(paths)
        self._lost: set[int] = set()
        self._shown: Comparison | None = None
        self._changed = self._busy = False

    def compose(self) -> ComposeResult:
        yield RunNames()
        yield Tabs(*(Tab(title, id=f"tab-{name}") for name, title in PANELS.items()))
        yield ComparisonPanels(self._drawer, len(self._paths))
        yield Static(id="too-small", markup=False)
        yield KeyFooter()

    def on_mount(self) -> None:
        self.query_one(Tabs).can_focus = False
        self.query_one(RunNames).update("reading the runs …")
        self._select("curves")
        for watcher in self._watchers:
            watcher.start()
        self.set_interval(POLL_EVERY, self._compare_again)

    def on_unmount(self) -> None:
        for watcher in self._watchers:
            watcher.close()

    def on_resize(self, event: events.Resize) -> None:
        """Choose between panels side by side, tabs, and a sentence."""
        width, height = event.size
        self.set_class(width < 100 or height < 30, "-tabs")
        self.set_class(too_small(event.size), "-too-small")
        self.query_one("#too-small", Static).update(too_small_words(event.size))
        self.call_after_refresh(self._lay_out)

    # What the runs' folders say

    def _pass_on(self, index: int, message: Message) -> None:
        self.post_message(self.RunRead(index, message))

    @on(RunRead)
    def take_in(self, event: RunRead) -> None:
        """Note a run's newest state; the first of all runs is shown at once."""
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
        self._shown = event.shown
        self.query_one(RunNames).show(event.shown)
        self._panels.show(event.shown)

    # Keys

    @property
    def _panels(self) -> ComparisonPanels:
        return self.query_one(ComparisonPanels)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer other maps only where not all have room."""
        return not self.is_mounted or self._panels.hides_maps if action == "maps" else True

    def action_metric(self, by: int) -> None:
        """Show the curves of another metric."""
        self._panels.other_metric(by)

    def action_log(self) -> None:
        """Switch between a linear and a logarithmic axis."""
        self._panels.toggle_log()

    def action_axis(self) -> None:
        """Switch between steps and time."""
        self._panels.toggle_time()

    def action_maps(self) -> None:
        """Show the maps of the next runs."""
        self._panels.other_maps()

    def action_full(self) -> None:
        """Give the selected panel all the room, or take it back."""
        self.toggle_class("-full")
        self.call_after_refresh(self._lay_out)

    def action_leave(self) -> None:
        """Leave the full screen, or else the comparison."""
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
        """Follow the mouse with the tabs."""
        self.query_one(Tabs).active = f"tab-{self._panels.selected}"

    def _select(self, name: str) -> None:
        self._panels.select(name)
        self.query_one(Tabs).active = f"tab-{name}"
        self._lay_out()
        self._panels.focus_selected()

    def _lay_out(self) -> None:
        self._panels.show_maps()
        self.refresh_bindings()

    # Reports

    def action_report(self) -> None:
        """Write the comparison in the background and say where it is."""
        self.notify("Writing the comparison…")
        self._write_report()

    @work(group="report", thread=True, exit_on_error=False)
    def _write_report(self) -> None:
        try:
            png = export_comparison(self._paths)
        # It runs in a thread of its own: nobody else would tell.
        except Exception as error:
            text = str(error) or type(error).__name__
            self.notify(text, title="No report", severity="error", timeout=20, markup=False)
        else:
            self.notify(str(png), title="Report", timeout=20, markup=False)
