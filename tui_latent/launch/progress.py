"""Training without the dashboard: a progress bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Final, Protocol, TextIO, TypeVar, get_args

from tui_latent import number_format
from tui_latent.launch.run_result import newest_finite, result_of
from tui_latent.launch.stop_signals import stopping_on_signals
from tui_latent.runs.control import read_request
from tui_latent.runs.metric_specs import LOSS, in_group, spec_of
from tui_latent.runs.missing import missing_lines
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import LIVE_STATES, Request, RunError, RunSnapshot, State
from tui_latent.runtime.sanitize import plain_name
from tui_latent.runtime.terminal_kind import moves_cursor

_ENDS: Final = frozenset(get_args(State)) - LIVE_STATES
_TIME_OF_DAY = re.compile(r"\d\d:\d\d:\d\d ")
_LONGEST_LINE = 80
"""characters of a line of the log"""
POLL_EVERY = 0.25
"""seconds between two reads of the run"""
LINE_EVERY = 10.0
"""seconds between two plain lines, unless an evaluation comes first"""


def train_with_progress(path: Path, quiet_stdout: bool) -> dict[str, Any]:
    """Train the run at `path` and show its progress; return the result as `--json` prints it.

    Progress goes to stdout, or to stderr when `quiet_stdout` keeps stdout for the result.
    SIGINT and SIGTERM stop the run and save it; when the terminal hangs up, the run continues
    without one, and the next signal stops it.
    """
    stream = sys.stderr if quiet_stdout else sys.stdout
    return _train(path, bar_or_lines(stream, path, _Bar, _Lines))


def train_detached(path: Path, asked_before: Request | None = None) -> dict[str, Any]:
    """Train the run at `path` as `train_with_progress` does, showing nothing.

    Requests since `asked_before` are honoured, or since this call if there is none.
    """
    return _train(path, nullcontext(_Silence()), asked_before)


def _train(
    path: Path, display: AbstractContextManager[Display], asked_before: Request | None = None
) -> dict[str, Any]:
    from tui_latent.config.plugin_needs import files_needed
    from tui_latent.launch.background import train_in_processes
    from tui_latent.launch.processes import devices_of
    from tui_latent.launch.start import train_run

    if asked_before is None:  # before a signal can ask for a stop, which must not be forgotten
        asked_before = read_request(path)
    outcome: dict[str, Any] = {}

    def work() -> None:
        try:
            if devices_of(path) > 1:
                files = files_needed(path)
                outcome["status"] = train_in_processes(path, files, asked_before)
            else:
                outcome["status"] = train_run(path, asked_before)
        except Exception as error:
            outcome["error"] = error

    reader = RunReader(path)
    snapshot = reader.refresh()
    with stopping_on_signals(path) as heard, display as shown:
        worker = threading.Thread(target=work, name="training")
        worker.start()
        while worker.is_alive():
            worker.join(POLL_EVERY)
            try:
                with suppress(RunError):  # while its disk is away; the trainer knows what to do
                    snapshot = reader.refresh()
                shown.show(snapshot)
            except OSError:  # the reader has gone, as with `| head`
                shown = _Silence()
        if "status" in outcome and outcome["status"].state == "stopped":
            for number in tuple(heard):  # a key held down would cut off what is printed next
                signal.signal(number, signal.SIG_IGN)
    if "error" in outcome:
        raise outcome["error"]
    return result_of(RunReader(path).refresh())


class Display(Protocol):
    """Shows the progress of a run."""

    def show(self, snapshot: RunSnapshot) -> None:
        """Show the newest state."""


class HasBar(Protocol):
    """Owns a progress bar, which is drawn while it is entered."""

    @property
    def progress(self) -> AbstractContextManager[object]:
        """The bar."""


_AnyBar = TypeVar("_AnyBar", bound=HasBar)
_AnyLines = TypeVar("_AnyLines")


class _Silence:
    """Shows nothing."""

    def show(self, snapshot: RunSnapshot) -> None:
        pass


class _Lines:
    """A line every ten seconds and at each evaluation, for logs and pipes."""

    def __init__(self, stream: TextIO, path: Path) -> None:
        self._stream = stream
        self._shown: tuple[int, str] = (-1, "")
        self._missing: Mapping[str, str] = {}
        self._time = 0.0
        stream.write(f"run {path}\n")

    def show(self, snapshot: RunSnapshot) -> None:
        status = snapshot.status
        evaluated = snapshot.map_steps[-1] if snapshot.map_steps else -1
        changed = (evaluated, status.state) != self._shown
        if not changed and time.monotonic() - self._time < LINE_EVERY:
            return
        self._shown, self._time = (evaluated, status.state), time.monotonic()
        self._stream.write(f"{time.strftime('%H:%M:%S')} {describe(snapshot)}\n")
        if snapshot.missing != self._missing:
            self._missing = snapshot.missing
            self._stream.writelines(f"missing: {line}\n" for line in missing_lines(self._missing))
        self._stream.flush()


class _Bar:
    """One rich progress bar, redrawn in place."""

    def __init__(self, stream: TextIO, path: Path) -> None:
        from rich.console import Console
        from rich.markup import escape
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(file=stream)
        console.print(f"run {escape(str(path))}", highlight=False)
        self._escape = escape
        self.progress = Progress(
            BarColumn(),
            TextColumn("{task.percentage:3.0f} %"),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
            console=console,
            refresh_per_second=2,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._missing: Mapping[str, str] = {}
        self._task = self.progress.add_task("starting", total=None)

    def show(self, snapshot: RunSnapshot) -> None:
        status = snapshot.status
        total = status.total_steps or None
        text = self._escape(describe(snapshot))
        if snapshot.missing != self._missing:
            self._missing = snapshot.missing
            for line in missing_lines(self._missing):
                self.progress.console.print(f"missing: {self._escape(line)}", highlight=False)
        self.progress.update(self._task, completed=status.step, total=total, description=text)


def describe(snapshot: RunSnapshot) -> str:
    """Return one line: state, progress, loss, kNN or, without labels, view retrieval, speed.

    Before the first step it has the newest line of the log: files are decoded, or features
    computed, which may take hours.
    """
    status = snapshot.status
    parts = [status.state if status.state != "running" else status.phase or "running"]
    if status.state == "starting" and status.phase and snapshot.log:
        line = _TIME_OF_DAY.sub("", snapshot.log[-1])
        if line.partition(":")[0] not in _ENDS:  # of the session before
            parts.append(plain_name(line, _LONGEST_LINE))
    if status.total_steps:
        parts.append(f"step {status.step:,}/{status.total_steps:,}")
    if status.total_steps and status.total_epochs:  # a method without steps has no epochs
        parts.append(f"epoch {status.epoch:.1f}/{status.total_epochs}")
    accuracy = in_group("accuracy")[0]
    labelled = accuracy.name in {*snapshot.curves, *snapshot.missing}
    for spec in (LOSS, accuracy if labelled else spec_of("val/view_retrieval_1")):
        value = newest_finite(snapshot, spec.name)
        if value is not None or spec.name in snapshot.missing:
            parts.append(f"{spec.short} {number_format.number(value, 4)}")
    if status.state == "paused" and status.error:
        parts.append(status.error)
    elif status.images_per_second:
        parts.append(f"{status.images_per_second:,.0f} images/s")
    return "  ".join(parts)


@contextmanager
def bar_or_lines(
    stream: TextIO,
    path: Path,
    bar: Callable[[TextIO, Path], _AnyBar],
    lines: Callable[[TextIO, Path], _AnyLines],
) -> Iterator[_AnyBar | _AnyLines]:
    """Show the progress of what is at `path` as a bar where the stream is a terminal with a cursor.

    Elsewhere, as in a log, it is shown as lines.
    """
    if not (stream.isatty() and moves_cursor()):
        yield lines(stream, path)
        return
    shown = bar(stream, path)
    with shown.progress:
        yield shown
