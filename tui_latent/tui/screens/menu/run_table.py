"""Earlier runs, newest first: one line each, with fewer columns on narrow screens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal

from textual import actions, events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tui_latent.tui.format import STATE_GLYPHS, UNKNOWN, age, bar, column, number, share
from tui_latent.tui.keymap import bindings
from tui_latent.tui.remapping import key_name
from tui_latent.tui.widgets.stable_list import Line, StableList

if TYPE_CHECKING:
    from tui_latent.runs.schema import RunSummary

EMPTY = "No runs yet. Press {key} on a preset to train it; its run will be listed here."
READING = "Reading the runs…"

Action = Literal["open", "resume", "background", "images", "delete"]

_STATE, _BAR, _SHARE, _KNN, _LOSS, _DEVICE, _AGE = 13, 11, 6, 8, 8, 8, 8


def why_not_resumed(run: RunSummary, keymap: Mapping[str, str]) -> str:
    """Return why a run cannot be resumed; empty when it can."""
    if run.problem:
        return f"{run.name} cannot be read: {run.problem}"
    if run.status.state == "finished":
        return f"{run.name} is finished. There is nothing left to train."
    if _is_live(run):
        key = key_name("run.open", keymap)
        return f"{run.name} is already {run.status.state}. Press {key} to open it."
    return ""


def why_not_opened(run: RunSummary, keymap: Mapping[str, str]) -> str:
    """Return why a run cannot be opened; empty when it can."""
    return f"{run.name} cannot be read: {run.problem}" if run.problem else ""


def why_not_deleted(run: RunSummary, keymap: Mapping[str, str]) -> str:
    """Return why a run cannot be deleted from here; empty when it can."""
    if run.problem:
        return f"{run.name} may not be a run ({run.problem}). Delete the folder by hand."
    if _is_live(run):
        opens, stops = key_name("run.open", keymap), key_name("run.stop", keymap)
        state = f"{run.name} is {run.status.state}."
        return f"{state} Stop it first: press {opens} to open it, then {stops}."
    return ""


WHY_NOT: Final = {
    "open": why_not_opened,
    "images": why_not_opened,
    "resume": why_not_resumed,
    "background": why_not_resumed,
    "delete": why_not_deleted,
}
"""the actions on a run, and what says why one is not possible"""


def _is_live(run: RunSummary) -> bool:
    from tui_latent.runs.schema import LIVE_STATES

    return run.status.state in LIVE_STATES


class _Runs(StableList):
    BINDINGS = bindings("run list")


class RunTable(Vertical):
    """The runs of a folder; the cursor stays on its run."""

    BINDINGS = bindings("runs")

    DEFAULT_CSS = """
    RunTable > Static { height: 1; color: $text-muted; text-wrap: nowrap; }
    RunTable > .empty { height: 1fr; padding: 1 2; text-wrap: wrap; display: none; }
    RunTable.-empty > .empty { display: block; }
    RunTable.-empty > .head, RunTable.-empty > StableList { display: none; }
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

    def __init__(self) -> None:
        super().__init__(classes="-empty")
        self._runs: dict[str, RunSummary] = {}
        self._marked: dict[str, None] = {}  # in the order of marking
        self._now = 0.0
        self._possible: list[bool | None] = []

    @property
    def run(self) -> RunSummary | None:
        """The run under the cursor."""
        key = self.query_one(_Runs).chosen
        return self._runs.get(key) if key is not None else None

    def compose(self) -> ComposeResult:
        yield Static(classes="head", markup=False)
        yield _Runs()
        yield Static(READING, classes="empty", markup=False)

    def say(self, text: str) -> None:
        """Say why there is nothing to list."""
        self.show((), 0.0)
        self._write(".empty", text)

    def show(self, runs: Sequence[RunSummary], now: float) -> None:
        """Show runs; `now` is the Unix time from which ages are computed."""
        readable_first = sorted(runs, key=lambda run: bool(run.problem))
        self._runs = {run.name: run for run in readable_first}
        self._marked = {name: None for name in self._marked if name in self._runs}
        self._now = now
        self.set_class(not runs, "-empty")
        start = key_name("preset.start", self.app._keymap)
        self._write(".empty", EMPTY.format(key=start))
        self._refresh()

    def focus_list(self) -> None:
        """Move the focus to the list."""
        self.screen.set_focus(self.query_one(_Runs))  # at once: keys may be waiting

    def choose(self, name: str) -> None:
        """Move the cursor to a run."""
        if name in self._runs:
            self.query_one(_Runs).choose(name)

    def on_resize(self) -> None:
        self._refresh()

    @on(StableList.OptionHighlighted)
    def update_keys(self) -> None:
        """Grey the actions that are not possible for the run under the cursor."""
        possible = [self.check_action("run", (action,)) for action in WHY_NOT]
        if possible != self._possible:
            self._possible = possible
            self.refresh_bindings()

    @on(StableList.OptionSelected)
    async def open(self, event: StableList.OptionSelected) -> None:
        """Open the dashboard of a run."""
        event.stop()
        self.action_run("open")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey the keys that do nothing for the run under the cursor."""
        if action != "run" or not self.is_mounted:
            return True
        possible = self.run is not None and not self._why_not(str(parameters[0]), self.run)
        return True if possible else None

    def _why_not(self, action: str, run: RunSummary) -> str:
        return WHY_NOT[action](run, self.app._keymap)

    def on_key(self, event: events.Key) -> None:
        """Say why a greyed key does nothing."""
        active = self.screen.active_bindings.get(event.key)
        if active is not None and active.node is self and not active.enabled:
            _, _, parameters = actions.parse(active.binding.action)
            if self.run is not None:
                why = self._why_not(str(parameters[0]), self.run)
                self.notify(why, severity="warning", markup=False)

    def action_run(self, action: Action) -> None:
        """Choose an action on the run under the cursor."""
        if self.run is None:
            return
        if why := self._why_not(action, self.run):
            self.notify(why, severity="warning", markup=False)
        else:
            self.post_message(self.Chosen(action, self.run))

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
            self._refresh()
            if run.name != next(reversed(self._runs)):
                self.query_one(_Runs).action_cursor_down()

    def action_compare(self) -> None:
        """Compare the marked runs."""
        if len(self._marked) < 2:
            marked = "One run is marked." if self._marked else "No run is marked."
            keys = (key_name(key_id, self.app._keymap) for key_id in ("run.mark", "run.compare"))
            words = "{} Mark two or more with {}, then press {}.".format(marked, *keys)
            self.notify(words, timeout=5, markup=False)
        else:
            self.post_message(self.ToCompare([self._runs[name] for name in self._marked]))

    def _write(self, place: str, text: str) -> None:
        """Set a text if it differs: setting it repaints, and runs are listed every 2 s."""
        line = self.query_one(place, Static)
        if line.content != text:
            line.update(text)

    def _refresh(self) -> None:
        width = max(40, self.size.width - 2)
        self._write(".head", head_line(width))
        self.query_one(_Runs).show(
            [
                Line(run.name, run_line(run, width, self._now, run.name in self._marked))
                for run in self._runs.values()
            ]
        )
        self.update_keys()


def _columns(width: int) -> tuple[int, bool, bool, bool]:
    """Return the run name's width, and whether there is room for bar, loss and device."""
    with_bar, with_loss, with_device = width >= 110, width >= 84, width >= 96
    name = width - 1 - _STATE - 2 - 2 - _SHARE - _KNN - _AGE
    name -= (_BAR + 1) * with_bar + _LOSS * with_loss + (_DEVICE + 2) * with_device
    return name, with_bar, with_loss, with_device


def head_line(width: int) -> str:
    """Return the columns' titles in `width` cells."""
    name, with_bar, with_loss, with_device = _columns(width)
    progress = "progress" if with_bar else "done"
    parts = [
        f" {column('state', _STATE)}  {column('run', name)}  ",
        column(progress, _BAR + 1 + _SHARE) if with_bar else column(progress, _SHARE, right=True),
        column("kNN@20", _KNN, right=True),
        column("loss", _LOSS, right=True) if with_loss else "",
        f"  {column('device', _DEVICE)}" if with_device else "",
        column("age", _AGE, right=True),
    ]
    return "".join(parts)


def run_line(run: RunSummary, width: int, now: float, marked: bool = False) -> Content:
    """Return one run in `width` cells, aligned with the titles; a bar marks a marked one."""
    name, with_bar, with_loss, with_device = _columns(width)
    if run.problem:
        problem = run.problem.removeprefix(str(run.path)).lstrip("/: ")
        text = f" {column('? unreadable', _STATE)}  {column(run.name, name)}  {problem}"
        return Content.styled(text, "$text-error")
    status = run.status
    state = f"{column(f'{STATE_GLYPHS[status.state]} {status.state}', _STATE)}  "
    progress = column(share(status.step, status.total_steps), _SHARE, right=True)
    device = status.device.split(" ")[0] or UNKNOWN
    style = {"failed": "$text-error", "running": "bold", "paused": "bold"}.get(status.state, "")
    return Content.assemble(
        ("▌" if marked else " ", "$text-accent"),
        (state, style),
        f"{column(run.name, name)}  ",
        (f"{bar(status.step, status.total_steps, _BAR)} " if with_bar else "", "dim"),
        progress,
        column(number(run.best_knn_20), _KNN, right=True),
        column(number(run.loss), _LOSS, right=True) if with_loss else "",
        (f"  {column(device, _DEVICE)}" if with_device else "", "dim"),
        (column(age(max(0.0, now - run.created)), _AGE, right=True), "dim"),
    )
