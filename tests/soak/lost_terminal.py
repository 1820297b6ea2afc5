"""Closing the tmux pane of a training dashboard, then attaching another one to the run."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.program import PROGRAM
from benchmarks.record import Row
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import Status

_SECONDS = 60.0


class _Lost(Exception):
    """Something did not happen in time."""


def measure(tries: int) -> Row:
    """Close the pane of a training `tries` times; attach, pause, resume and stop each run."""
    what = f"a closed tmux pane over a training dashboard, {tries} times, then attach"
    goal = "the run goes on, and the attached dashboard pauses, resumes and stops it"
    if shutil.which("tmux") is None:
        return Row(what, goal, "not run: there is no tmux", None, {})
    problems = []
    for number in range(tries):
        with tempfile.TemporaryDirectory() as folder:
            try:
                _try(f"tui-latent-{os.getpid()}-{number}", Path(folder))
            except _Lost as error:
                problems.append(f"try {number}: {error}")
    return Row(
        what=what,
        goal=goal,
        measured=f"{len(problems)} lost",
        reached=not problems,
        numbers={"tries": tries, "problems": problems},
    )


def _try(session: str, runs: Path) -> None:
    _open(session, *PROGRAM, "--runs", str(runs))
    try:
        _see(session, "digits-contrastive-2d")
        _see(session, "expect")
        _keys(session, "/", *"digits-contrastive-2d", "Enter", "Enter")
        _until("a run to begin", lambda: any(runs.glob("*/status.json")))
        (run,) = [path for path in runs.iterdir() if path.is_dir()]
        _until("20 steps", lambda: _status(run).step > 20)
    finally:
        _tmux("kill-session", "-t", session)
    step = _status(run).step
    _until("steps after the pane was closed", lambda: _status(run).step > step + 20)
    _open(session, *PROGRAM, "attach", str(run))
    try:
        _see(session, "running")
        _keys(session, "Space")
        _until("a pause", lambda: _status(run).state == "paused")
        _see(session, "paused")
        _keys(session, "Space")
        _until("resuming", lambda: _status(run).state == "running")
        _keys(session, "s")
        _until("a stop", lambda: _status(run).state == "stopped")
        _see(session, "stopped")
    finally:
        _tmux("kill-session", "-t", session)
    if _status(run).checkpoint_step != _status(run).step:
        raise _Lost("the last checkpoint")


def _open(session: str, *command: str) -> None:
    _tmux("new-session", "-d", "-s", session, "-x", "120", "-y", "40", *command)


def _keys(session: str, *keys: str) -> None:
    for key in keys:
        _tmux("send-keys", "-t", session, key)


def _see(session: str, text: str) -> None:
    def there() -> bool:
        return text in _tmux("capture-pane", "-p", "-t", session)

    _until(f"'{text}' on the screen", there)


def _tmux(*words: str) -> str:
    return subprocess.run(["tmux", *words], capture_output=True, text=True, check=False).stdout


def _status(run: Path) -> Status:
    return RunReader(run).refresh().status


def _until(what: str, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise _Lost(what)
        time.sleep(0.1)
