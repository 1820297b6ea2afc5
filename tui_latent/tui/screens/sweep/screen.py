"""A sweep: how far it is, its runs in a table, pictures of its settings, its best maps."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Grid
from textual.content import Content
from textual.widgets import Tab, Tabs

from tui_latent.tui import messages
from tui_latent.tui.charts.draw_thread import WorkerThread
from tui_latent.tui.format import STATE_GLYPHS, bar, duration
from tui_latent.tui.keymap import bindings
from tui_latent.tui.screens.base import BaseScreen, TooSmall
from tui_latent.tui.screens.sweep.maps import SweepMaps
from tui_latent.tui.screens.sweep.pictures import Picture, picture_lines, pictures_of, title_of
from tui_latent.tui.screens.sweep.table import SweepTable
from tui_latent.tui.screens.sweep.view import SweepLost, SweepView, SweepWatcher, ViewRead
from tui_latent.tui.widgets.cut_text import CutText
from tui_latent.tui.widgets.key_footer import KeyFooter
from tui_latent.tui.widgets.line_list import LineList
from tui_latent.tui.widgets.metric_picker import MetricPicker
from tui_latent.tui.widgets.table_panel import TablePanel

if TYPE_CHECKING:
    from tui_latent.tui.screens.dialogs.confirm import ConfirmScreen

PANELS: Final = {"runs": "Runs", "picture": "Picture", "maps": "Maps"}
"""in their order, with their names"""


class SweepHead(CutText):
    """How far the sweep has got, and what can be said about it."""

    DEFAULT_CSS = "SweepHead { height: auto; max-height: 5; padding: 0 1; }"

    def __init__(self) -> None:
        super().__init__("Reading the sweep …", markup=False)

    def show(self, view: SweepView) -> None:
        """Show a sweep."""
        self.update(Content("\n").join([_progress(view), Content.styled(view.verdict, "bold")]))


def _progress(view: SweepView) -> Content:
    sweep = view.sweep
    status = sweep.status
    total = max(status.total_steps, len(sweep.rows))
    done = sum(row.state in ("finished", "failed", "pruned") for row in sweep.rows)
    parts = [
        f"{STATE_GLYPHS[status.state]} {status.state}",
        f"{bar(done, total, 16)} {done} of {total}",
    ]
    training = sum(row.live for row in sweep.rows)
    parts += [f"{training} training"] if training else []
    for state in ("failed", "interrupted", "stopped", "pruned", "unreadable", "gone"):
        parts += [f"{found} {state}"] if (found := sweep.count(state)) else []
    if (left := sweep.seconds_left()) is not None:
        parts.append(f"about {duration(left)} left")
    return Content.assemble((sweep.name, "bold"), "  ", "  ".join(parts))


class SweepScreen(BaseScreen[None]):
    """Follows the folder of a sweep."""

    CSS = """
    SweepScreen > Tabs { display: none; height: 1; }
    SweepScreen > Tabs Underline { display: none; }
    SweepScreen > Tabs Tab.-active { text-style: bold underline; }
    SweepScreen > #panels {
        height: 1fr; grid-size: 2 2; grid-columns: 3fr 2fr; grid-rows: 1fr 1fr;
    }
    SweepScreen #maps { column-span: 2; }
    SweepScreen.-tabs > Tabs { display: block; }
    SweepScreen.-full > Tabs { display: none; }
    SweepScreen.-tabs > #panels, SweepScreen.-full > #panels {
        grid-size: 1 1; grid-rows: 1fr; grid-columns: 1fr;
    }
    SweepScreen.-tabs #panels > *, SweepScreen.-full #panels > * {
        display: none; column-span: 1;
    }
    SweepScreen.-tabs #panels > .-selected, SweepScreen.-full #panels > .-selected {
        display: block;
    }
    """

    ABOUT = (
        "The runs of a sweep: which settings are best, and whether there are enough seeds to tell."
    )
    TERMS = ("sweep", "val/knn_20", "train/loss", "val/loss", "disparity")
    BINDINGS = bindings("sweep")

    def __init__(self, path: Path, drawer: WorkerThread, look: Mapping[str, Any] = {}) -> None:
        """`look` is how the sweep was last shown: `metric`, and the table's `sort` and `singly`."""
        super().__init__()
        self._path, self._drawer = path, drawer
        self._look = dict(look)
        self._watcher = SweepWatcher(path, self.post_message)
        self._view: SweepView | None = None
        self._picture: Picture | None = None
        self._selected = "runs"
        self._question: ConfirmScreen | None = None

    def compose(self) -> ComposeResult:
        yield SweepHead()
        yield Tabs(*(Tab(title, id=f"tab-{name}") for name, title in PANELS.items()))
        with Grid(id="panels"):
            yield SweepTable(self._look)
            yield TablePanel("picture")
            yield SweepMaps(self._drawer)
        yield TooSmall()
        yield KeyFooter()

    def on_mount(self) -> None:
        self.query_one(Tabs).can_focus = False
        self._select("runs")
        # The ramp of a heat map is the theme's own.
        self.app.theme_changed_signal.subscribe(self, lambda _: self._show_picture())
        if isinstance(metric := self._look.get("metric"), str):
            self._watcher.rank_by(metric)
        self._watcher.start()

    def on_unmount(self) -> None:
        self._watcher.close()

    def on_resize(self, event: events.Resize) -> None:
        """Choose between panels side by side and tabs."""
        super().on_resize(event)
        width, height = event.size
        self.set_class(width < 100 or height < 30, "-tabs")

    # The sweep

    @on(ViewRead)
    def show(self, event: ViewRead) -> None:
        """Show the newest state."""
        self._view = view = event.view
        if self._question is not None and not view.sweep.live:
            self._question.withdraw()
        self.query_one(SweepHead).show(view)
        self.query_one(SweepTable).show(view)
        self.query_one(SweepMaps).show(view)
        self._show_picture()
        self.refresh_bindings()

    @on(SweepLost)
    def tell_lost(self, event: SweepLost) -> None:
        """Say why the sweep cannot be read."""
        self.notify(event.problem, severity="error", timeout=20, markup=False)

    def _show_picture(self) -> None:
        view = self._view
        if view is None:
            return
        known = pictures_of(view)
        if self._picture not in known:
            self._picture = known[0]
        picture = self._picture
        assert picture is not None
        panel = self.query_one("#picture", TablePanel)
        more = f" · {known.index(picture) + 1} of {len(known)}" if len(known) > 1 else ""
        title = title_of(picture, view)
        colored, dark = not self.app.no_color, self.app.current_theme.dark
        panel.show(
            lambda _: (title + more, title),
            lambda width: picture_lines(
                picture, view, (width, panel.size.height - 2), colored, dark
            ),
        )

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what is possible now."""
        view = self._view
        if action == "stop":
            return None if view is None or not view.sweep.live else True
        if action == "picture":
            return view is None or len(pictures_of(view)) > 1
        return True

    def why_inactive(self, key_id: str) -> str:
        """Say why there is nothing to stop, and that there is a single picture."""
        view = self._view
        if view is not None and key_id == "sweep.stop":
            return f"{view.sweep.name} is not running: there is nothing to stop."
        if key_id == "sweep.picture":
            return "With a single setting there is no other picture."
        return ""

    def action_open(self) -> None:
        """Open the best run of the settings under the cursor."""
        if self._view is None or (group := self.query_one(SweepTable).chosen) is None:
            return
        row = group.best_row(self._view.metric)
        started = [each for each in group.rows if each.state not in ("waiting", "gone")]
        if row is None and not started:
            self.notify("This run has not started yet.", timeout=4)
            return
        self._open((row or started[0]).path)

    def action_best(self) -> None:
        """Open the best run of all."""
        if self._view is None:
            return
        for group in self._view.groups:
            if group.spread.count and (row := group.best_row(self._view.metric)) is not None:
                self._open(row.path)
                return
        self.notify(self._view.verdict, timeout=4, markup=False)

    def _open(self, path: Path) -> None:
        self.post_message(messages.RunRequested(path, over=True))

    @on(LineList.Selected)
    def open_chosen(self) -> None:
        """Open the run that was clicked."""
        self.action_open()

    def action_all(self) -> None:
        """Show each run, or the means over seeds."""
        self.query_one(SweepTable).toggle_runs()
        self._bring_up("runs")

    def action_sort(self) -> None:
        """Sort by the next column."""
        self.query_one(SweepTable).sort_by_next()
        self._bring_up("runs")

    def action_metric(self, by: int) -> None:
        """Rank by the next metric."""
        if self._view is not None and (names := [s.name for s in self._view.sweep.metrics]):
            at = names.index(self._view.metric) if self._view.metric in names else 0
            self._rank_by(names[(at + by) % len(names)])

    def action_find_metric(self) -> None:
        """Choose the metric from a list."""
        if self._view is not None and self._view.sweep.metrics:
            specs = list(self._view.sweep.metrics)
            self.app.push_screen(MetricPicker(specs, self._view.metric), self._rank_by)

    def _rank_by(self, metric: str | None) -> None:
        if metric is not None:
            self._watcher.rank_by(metric)
            self._keep_look(metric=metric)

    @on(SweepTable.Arranged)
    def keep_table(self, event: SweepTable.Arranged) -> None:
        """Remember how the table is arranged."""
        self._keep_look(sort=event.sort, singly=event.singly)

    def _keep_look(self, **changed: Any) -> None:
        self._look |= changed
        self.post_message(messages.ChoiceKept("sweep", self._look, self._path))

    def action_picture(self) -> None:
        """Show the next picture."""
        if self._view is not None:
            known = pictures_of(self._view)
            at = known.index(self._picture) if self._picture in known else -1
            self._picture = known[(at + 1) % len(known)]
            self._show_picture()
            self._bring_up("picture")

    def action_stop(self) -> None:
        """Stop the sweep, after asking."""
        from tui_latent.tui.screens.dialogs.confirm import ConfirmScreen

        def stop(yes: bool | None) -> None:
            if yes and self._view is not None and self._view.sweep.live:
                from tui_latent.runs.control import request
                from tui_latent.runs.schema import RunError

                try:
                    request(self._path, state="stop")
                except RunError as error:
                    self.notify(str(error), severity="error", markup=False)

        question = (
            f"Stop {self._path.name}, and save its runs? The same command continues it later."
        )
        self._question = ConfirmScreen("Stop sweep", question, "Stop")
        self.app.push_screen(self._question, stop)

    def action_report(self) -> None:
        """Export the sweep in the background."""
        metric = None if self._view is None else self._view.metric
        self.post_message(messages.SweepReportRequested(self._path, metric))

    def action_full(self) -> None:
        """Toggle full screen for the selected panel."""
        self.toggle_class("-full")

    def action_leave(self) -> None:
        """Leave the full screen, or else the sweep."""
        if self.has_class("-full"):
            self.action_full()
        else:
            self.dismiss()

    def action_panel(self, by: int) -> None:
        """Go to another panel."""
        names = list(PANELS)
        self._select(names[(names.index(self._selected) + by) % len(names)])

    @on(Tabs.TabActivated)
    def show_tab(self, event: Tabs.TabActivated) -> None:
        """Show the panel whose tab was chosen."""
        name = (event.tab.id or "").removeprefix("tab-")
        if name != self._selected:
            self._select(name)

    def _bring_up(self, name: str) -> None:
        """Go to the panel that a key has changed, if only one panel is seen."""
        if self.has_class("-tabs") or self.has_class("-full"):
            self._select(name)

    def _select(self, name: str) -> None:
        self._selected = name
        for panel in PANELS:
            self.query_one(f"#{panel}").set_class(panel == name, "-selected")
        self.query_one(Tabs).active = f"tab-{name}"
        target = self.query_one(LineList) if name == "runs" else self.query_one(f"#{name}")
        self.set_focus(target)
