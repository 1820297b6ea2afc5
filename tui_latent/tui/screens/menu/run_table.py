"""Earlier runs: sorted by any column, filtered, marked; fewer columns on narrow screens."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from textual import actions, events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tui_latent.tui.active_binding import active_binding
from tui_latent.tui.keymap import bindings
from tui_latent.tui.remapping import key_name
from tui_latent.tui.screens.menu.cursor_rest import CursorRest
from tui_latent.tui.screens.menu.run_actions import WHY_NOT, Action
from tui_latent.tui.screens.menu.run_columns import BY_ID, USUAL, empty_columns, in_order
from tui_latent.tui.screens.menu.run_filter_box import RunFilterBox
from tui_latent.tui.screens.menu.run_lines import column_at, fitting, head_line, run_line
from tui_latent.tui.widgets.line_list import LineList

if TYPE_CHECKING:
    from tui_latent.runs.schema import RunSummary

EMPTY = "No runs yet. Press {key} on a preset to train it; its run will be listed here."
READING = "Reading the runs…"
_OF_RUNS: Final = ("filter", "compare", "sort", "columns", "archived")
"""actions that need a list of runs, whichever of them is under the cursor"""


class _Runs(LineList):
    BINDINGS = bindings("run list")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out the key that opens a run where there is none."""
        return None if action == "select" and not self.count else True


class RunTable(Vertical):
    """The runs of a folder; the cursor stays on its run."""

    BINDINGS = bindings("runs")

    DEFAULT_CSS = """
    RunTable > .head { height: 1; color: $text-muted; text-wrap: nowrap; }
    RunTable > .empty { height: 1fr; padding: 1 2; color: $text-muted; display: none; }
    RunTable.-empty > .empty { display: block; }
    RunTable.-none-shown > .empty { display: block; }
    RunTable.-none-shown > LineList { height: 1; }
    RunTable.-empty > .head, RunTable.-empty > LineList { display: none; }
    """

    class Chosen(Message):
        """An action on a run was chosen."""

        def __init__(self, action: Action, run: RunSummary) -> None:
            super().__init__()
            self.action = action
            self.run = run

    class ToCompare(Message):
        """The marked runs should be compared."""

        def __init__(self, runs: Sequence[RunSummary]) -> None:
            super().__init__()
            self.runs = runs

    class Moved(Message):
        """The cursor is on another run, or on one that has changed; None if there is none."""

        def __init__(self, run: RunSummary | None) -> None:
            super().__init__()
            self.run = run

    @dataclass
    class Arranged(Message):
        """The columns or the order were changed."""

        arrangement: Mapping[str, Any]

    def __init__(self, arrangement: Mapping[str, Any] = {}) -> None:
        """`arrangement` comes from an earlier `Arranged`."""
        super().__init__(classes="-empty")
        self._all: Sequence[RunSummary] = ()
        self._runs: dict[str, RunSummary] = {}
        self._shown: list[RunSummary] = []
        self._marked: dict[str, None] = {}  # in the order of marking
        self._now = 0.0
        self._possible: list[bool | None] = []
        self._told: RunSummary | None = None
        self._rest = CursorRest(self, self._tell_now)
        chosen, by = arrangement.get("columns"), arrangement.get("sort")
        self._columns = [name for name in chosen or () if name in BY_ID] or list(USUAL)
        self._by = by if by in BY_ID else "age"
        self._falling = bool(arrangement.get("falling", True))
        self._archived_too = False
        self._empty: set[str] = set()

    @property
    def run(self) -> RunSummary | None:
        """The run under the cursor."""
        key = self.query_one(_Runs).chosen
        return self._runs.get(str(key)) if key is not None else None

    @property
    def columns(self) -> Sequence[str]:
        """The chosen columns, whether or not there is room for them."""
        return tuple(self._columns)

    @property
    def sorted_by(self) -> tuple[str, bool]:
        """The column that the table is sorted by, and whether the largest value comes first."""
        return self._by, self._falling

    def compose(self) -> ComposeResult:
        yield RunFilterBox()
        yield Static(classes="head", markup=False)
        yield _Runs()
        yield Static(READING, classes="empty", markup=False)

    def on_mount(self) -> None:
        self._say_how_many()

    def say(self, text: str) -> None:
        """Say why there is nothing to list."""
        self.show((), 0.0)
        self._write(".empty", text)

    def show(self, runs: Sequence[RunSummary], now: float) -> None:
        """Show runs; `now` is the Unix time from which ages are computed."""
        same = len(runs) == len(self._all) and all(map(operator.is_, runs, self._all))
        self._now = now
        if same and runs:
            self._draw()
            return
        self._all = runs
        self._runs = {run.name: run for run in runs}
        self._marked = {name: None for name in self._marked if name in self._runs}
        self._empty = empty_columns(runs)
        self.set_class(not runs, "-empty")
        self.refresh_rows()
        if not runs:
            start = key_name("preset.start", self.app._keymap)
            self._write(".empty", EMPTY.format(key=start))

    def focus_list(self) -> None:
        """Move the focus to the list."""
        self.screen.set_focus(self.query_one(_Runs))  # at once: keys may be waiting

    def choose(self, name: str) -> None:
        """Move the cursor to a run."""
        self.query_one(_Runs).choose(name)

    def set_arrangement(self, columns: Sequence[str], by: str, falling: bool) -> None:
        """Show these columns, with the runs in this order."""
        self._columns, self._by, self._falling = list(columns), by, falling
        self.post_message(self.Arranged({"columns": self._columns, "sort": by, "falling": falling}))
        self.refresh_rows()

    def refresh_rows(self) -> None:
        """Filter and sort the runs again."""
        means = self.query_one(RunFilterBox).means
        shown = [
            run
            for run in self._all
            if (self._archived_too or not run.labels.archived) and means(run)
        ]
        self._shown = in_order(shown, self._by, self._falling)
        self.set_class(bool(self._all) and not shown, "-none-shown")
        if self.has_class("-none-shown"):
            self._write(".empty", self._why_none())
        self._draw()
        self._say_how_many()

    def _why_none(self) -> str:
        """Say what hides all the runs, and how to see them."""
        every, filtered = key_name("run.archived", self.app._keymap), self.query_one(RunFilterBox)
        hidden = 0 if self._archived_too else self._archived
        if hidden == len(self._all):
            return f"All runs are archived. {every} shows them."
        words = f"No run matches '{filtered.text.strip()}'. Esc shows all of them."
        return f"{words} {every} searches the archived runs, too." if hidden else words

    def on_resize(self) -> None:
        self._draw()

    @on(LineList.Moved)
    def tell_moved(self, event: LineList.Moved) -> None:
        """Update the greyed keys and the description for the run under the cursor."""
        event.stop()
        self._tell()

    @on(LineList.Selected)
    def open(self, event: LineList.Selected) -> None:
        """Open the dashboard of a run."""
        event.stop()
        self.action_run("open")

    @on(RunFilterBox.Changed)
    def filter_rows(self, event: RunFilterBox.Changed) -> None:
        """Narrow the table as the filter is typed."""
        event.stop()
        self.refresh_rows()

    @on(RunFilterBox.Left)
    def leave_filter(self, event: RunFilterBox.Left) -> None:
        """Go from the filter to the runs that it found."""
        event.stop()
        self.focus_list()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out the keys that do nothing here, or nothing to the run under the cursor."""
        if not self.is_mounted:
            return True
        if action in _OF_RUNS:
            return True if self._all else None
        if action == "mark":
            return True if self.run is not None else None
        if action != "run":
            return True
        possible = self.run is not None and not self._why_not(str(parameters[0]), self.run)
        return True if possible else None

    def _why_not(self, action: str, run: RunSummary) -> str:
        return WHY_NOT[action](run, self.app._keymap)

    def on_key(self, event: events.Key) -> None:
        """Say why a greyed key does nothing; escape ends a filter."""
        if event.key == "escape" and self.query_one(RunFilterBox).text:
            self.query_one(RunFilterBox).clear()
            self.focus_list()
            event.stop()
            return
        active = active_binding(event.key, self.screen)
        if active is not None and active.node is self and not active.enabled:
            _, _, parameters = actions.parse(active.binding.action)
            if self.run is not None:
                why = self._why_not(str(parameters[0]), self.run)
            else:
                why = "No run is listed." if self._all else "There are no runs yet."
            self.notify(why, severity="warning", markup=False)

    @on(events.Click, ".head")
    def click_head(self, event: events.Click) -> None:
        """Sort by the column that was clicked; a second click reverses the order."""
        clicked = column_at(self._fitting(), event.x)
        if clicked is not None:
            self._sort_by(clicked.id)

    def action_run(self, action: Action) -> None:
        """Choose an action on the run under the cursor."""
        if self.run is None:
            return
        if why := self._why_not(action, self.run):
            self.notify(why, severity="warning", markup=False)
        else:
            self.post_message(self.Chosen(action, self.run))

    def action_sort(self) -> None:
        """Sort by the next of the columns that are shown."""
        names = [column.id for column, _ in self._fitting()]
        place = names.index(self._by) + 1 if self._by in names else 0
        name = names[place % len(names)]
        self.set_arrangement(self._columns, name, BY_ID[name].falling)

    def _sort_by(self, name: str) -> None:
        falling = not self._falling if name == self._by else BY_ID[name].falling
        self.set_arrangement(self._columns, name, falling)

    def action_columns(self) -> None:
        """Choose the columns, and the one to sort by."""
        from tui_latent.tui.screens.menu.columns_dialog import ColumnsScreen

        self.app.push_screen(ColumnsScreen(self.columns, *self.sorted_by, self.set_arrangement))

    def action_filter(self) -> None:
        """Move the focus to the filter."""
        self.query_one(RunFilterBox).open()

    def action_archived(self) -> None:
        """Show archived runs too, or hide them again."""
        self._archived_too = not self._archived_too
        self.refresh_rows()
        if self._archived_too and not any(run.labels.archived for run in self._all):
            key = key_name("run.archive", self.app._keymap)
            words = f"No run is archived. Press {key} to archive the run under the cursor."
            self.notify(words, timeout=4, markup=False)

    def action_mark(self) -> None:
        """Mark or unmark the run under the cursor, and go to the next."""
        from tui_latent.comparison import MOST_RUNS

        run = self.run
        if run is None:
            return
        if why := self._why_not("open", run):
            self.notify(why, severity="warning", markup=False)
        elif run.name not in self._marked and len(self._marked) == MOST_RUNS:
            self.notify(f"At most {MOST_RUNS} runs can be compared.", timeout=4)
        else:
            if run.name in self._marked:
                del self._marked[run.name]
            else:
                self._marked[run.name] = None
            self._draw()
            self._say_how_many()
            self.query_one(_Runs).action_move(1)

    def action_compare(self) -> None:
        """Compare the marked runs."""
        if len(self._marked) < 2:
            marked = "One run is marked." if self._marked else "No run is marked."
            keys = (key_name(key_id, self.app._keymap) for key_id in ("run.mark", "run.compare"))
            words = "{} Mark two or more with {}, then press {}.".format(marked, *keys)
            self.notify(words, timeout=5, markup=False)
            return
        marked_runs = [self._runs[name] for name in self._marked]
        if sweep := next((run for run in marked_runs if run.method == "sweep"), None):
            words = f"{sweep.title} is a sweep. Open it: its page compares its runs."
            self.notify(words, timeout=5, markup=False)
            return
        self.post_message(self.ToCompare(marked_runs))

    def _write(self, place: str, text: str) -> None:
        """Set a text if it differs: setting it repaints, and runs are listed every 2 s."""
        line = self.query_one(place, Static)
        if line.content != text:
            line.update(text)

    def _fitting(self) -> list[Any]:
        chosen = [name for name in self._columns if name not in self._empty or name == self._by]
        return fitting(chosen, max(40, self.size.width - 1))

    def _draw(self) -> None:
        if not self.is_mounted:
            return
        columns = self._fitting()
        self._write(".head", head_line(columns, self._by, self._falling))

        def write(index: int, _: int) -> Content:
            run = self._shown[index]
            return run_line(run, columns, self._now, run.name in self._marked)

        self.query_one(_Runs).show([run.name for run in self._shown], write)
        self._tell()

    @property
    def _archived(self) -> int:
        return sum(run.labels.archived for run in self._all)

    def _say_how_many(self) -> None:
        hidden = 0 if self._archived_too else self._archived
        shown, every = len(self._shown), len(self._all)
        parts = ["Runs"]
        if every:
            parts.append(f"{every:,}" if shown == every else f"{shown:,} of {every:,}")
        if self._marked:
            parts.append(f"{len(self._marked)} marked")
        if hidden:
            parts.append(f"{hidden:,} archived")
        title = Content(" · ".join(parts))
        if title != self.border_title:
            self.border_title = title
        self.query_one(RunFilterBox).say_found(shown, every - hidden)

    def _tell(self) -> None:
        if self.run != self._told:
            self._rest.moved()

    def _tell_now(self) -> None:
        """Announce the run under the cursor."""
        possible = [self.check_action("run", (action,)) for action in WHY_NOT]
        possible += [True if self._all else None]
        if possible != self._possible:
            self._possible = possible
            self.refresh_bindings()
        if self.run != self._told:
            self._told = self.run
            self.post_message(self.Moved(self._told))
