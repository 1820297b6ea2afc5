"""Loops that are watched, in this process or in one of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import tui_latent
from tests.waiting import patience
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import RunSnapshot
from tui_latent.watching.watched_run import WatchedRun

Watch = Callable[..., WatchedRun]
Script = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(autouse=True)
def patient_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine, the last evaluation may take longer to measure than a loop waits for."""
    monkeypatch.setattr("tui_latent.watching.watched_run._LAST_WAIT", patience(60))


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    """Watch loops of this process; all are closed in the end."""
    runs: list[WatchedRun] = []

    def start(name: str = "mine", **options: Any) -> WatchedRun:
        run = tui_latent.watch(name, runs=tmp_path / "runs", **options)
        assert isinstance(run, WatchedRun)
        runs.append(run)
        return run

    yield start
    for run in runs:
        run.close()


@pytest.fixture
def script(tmp_path: Path) -> Iterator[Script]:
    """Run a script of someone's in a process of its own; `runs` is its folder of runs."""
    processes: list[subprocess.Popen[str]] = []

    def start(body: str, **environment: str) -> subprocess.Popen[str]:
        file = tmp_path / f"script{len(processes)}.py"
        file.write_text("import tui_latent, time, sys, os\n" + textwrap.dedent(body))
        package = str(Path(tui_latent.__file__).parents[1])
        process = subprocess.Popen(
            [sys.executable, str(file)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "PYTHONPATH": package,
                "TUI_LATENT_RUNS": str(tmp_path / "runs"),
                **environment,
            },
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def read(path: Path) -> RunSnapshot:
    """Return a run as the dashboard sees it."""
    return RunReader(path).refresh()


def logged(path: Path) -> str:
    """Return the run's log."""
    file = path / "train.log"
    return file.read_text() if file.exists() else ""
