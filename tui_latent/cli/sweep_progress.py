"""The progress of a sweep on a terminal, or as lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from tui_latent.number_format import number
from tui_latent.runs.metric_specs import in_group
from tui_latent.runtime.sanitize import plain_text

if TYPE_CHECKING:
    from tui_latent.launch.sweep.conduct import TrialResult, Watcher

_LINE_EVERY = 30.0
"""seconds between two lines while no run ends"""


class _Lines:
    """A line for each run that ends, and one every half minute."""

    def __init__(self, stream: TextIO, path: Path) -> None:
        self._stream = stream
        self._said = time.monotonic()
        self.say(f"sweep {path}")

    def say(self, line: str) -> None:
        """Write a line; a reader that has gone, as with `| head`, changes nothing."""
        self._said = time.monotonic()
        with suppress(OSError):
            self._stream.write(plain_text(line) + "\n")
            self._stream.flush()

    def began(self, name: str) -> None:
        """Say nothing: its line comes when it ends."""

    def ended(self, result: TrialResult, done: int, total: int) -> None:
        """Say how a run ended."""
        place = "" if result.state == "stopped" else f"run {done} of {total}: "
        self.say(f"{place}{ended_words(result)}")

    def training(self, runs: Sequence[str], done: int, total: int) -> None:
        """Say which runs are training, now and then."""
        if time.monotonic() - self._said >= _LINE_EVERY:
            self.say(f"{done} of {total} done; {training_words(runs)}")


class _Bar(_Lines):
    """One progress bar for the whole sweep, with a line above it for each run that ends."""

    def __init__(self, stream: TextIO, path: Path) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(file=stream)
        self.progress = Progress(
            BarColumn(bar_width=20),
            TextColumn("{task.fields[count]}"),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
            console=console,
            refresh_per_second=2,
            transient=True,  # the table that follows says how it ended
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self.progress.add_task("starting", total=None, count="")
        super().__init__(stream, path)

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        from rich.markup import escape

        self.progress.console.print(escape(plain_text(line)), highlight=False)

    def ended(self, result: TrialResult, done: int, total: int) -> None:
        """Say how a run ended, and move the bar."""
        super().ended(result, done, total)
        self._update(done, total)

    def training(self, runs: Sequence[str], done: int, total: int) -> None:
        """Name the runs in training."""
        from rich.markup import escape

        self._update(done, total, description=escape(training_words(runs)))

    def _update(self, done: int, total: int, description: str | None = None) -> None:
        count = f"{done}/{total}"
        self.progress.update(
            self._task, completed=done, total=total, description=description, count=count
        )


def ended_words(result: TrialResult) -> str:
    """Return a run's name, how it ended, its first accuracy and its time."""
    spec = in_group("accuracy")[0]
    value = result.result["metrics"].get(spec.name)
    parts = [result.run.name, result.state]
    parts += [f"{spec.short} {number(value)}"] if value is not None else []
    parts += [f"{result.result['seconds']:.0f} s"]
    if result.failed and result.result.get("error"):
        parts.append(str(result.result["error"]))
    return "  ".join(parts)


def training_words(runs: Sequence[str]) -> str:
    """Name the first of the runs in training."""
    more = f" and {len(runs) - 2} more" if len(runs) > 2 else ""
    return f"training {', '.join(runs[:2])}{more}" if runs else "waiting"


def display(stream: TextIO, path: Path) -> AbstractContextManager[Watcher]:
    """Show the progress of the sweep at `path` on a stream."""
    from tui_latent.launch.progress import bar_or_lines

    return bar_or_lines(stream, path, _Bar, _Lines)
