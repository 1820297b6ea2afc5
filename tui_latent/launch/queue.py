"""The process that trains the queued runs of a folder, one after the other.

Adding a run to the queue starts this process unless it is running already. It needs neither a
terminal nor a dashboard, and ends when the queue is empty. Each run is trained in a process of its
own, so a crash does not end the queue. The next run starts once no other run of the folder is
training on this machine; a paused run counts as training, and so does one of a dashboard.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from tui_latent.launch.background import background_process
from tui_latent.launch.foreign import refuse_foreign
from tui_latent.preferences.queued_plugins import forget_plugins, note_plugins, noted_plugins
from tui_latent.runs.file_lock import FileLock
from tui_latent.runs.process import HOST
from tui_latent.runs.queue import (
    add_to_queue,
    is_worked_on,
    queued_runs,
    take_from_queue,
    worker_lock,
)
from tui_latent.runs.run_list import list_runs, summarise_run
from tui_latent.runs.schema import LIVE_STATES, RunError, RunSummary

_EVERY: Final = 1.0
"""seconds between two checks whether a run is still training"""
_TRIES: Final = 20
"""attempts to take the worker's lock, which `is_worked_on` takes for a moment"""


def queue_run(path: Path) -> int:
    """Add a run to this machine's queue; return its place, counted from 1.

    RunError when the queue cannot be written, the process that trains it cannot be started, or
    this process has not loaded a plugin that the run needs.
    """
    from tui_latent.config.plugin_needs import files_needed

    refuse_foreign(path, "be queued")
    if files := files_needed(path):
        note_plugins(path, files)
    place = add_to_queue(path.parent, path.name)
    work_on_queue(path.parent)
    return place


def work_on_queue(folder: Path) -> None:
    """Start the process that trains the queue, unless it is running; RunError if it fails."""
    if not queued_runs(folder) or is_worked_on(folder):
        return
    try:
        subprocess.Popen(
            [sys.executable, "-m", "tui_latent.launch.queue", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise RunError(
            f"{folder}: cannot start a process for the queue: {error.strerror or error}"
        ) from error


def work(
    folder: Path,
    train: Callable[[Path], None],
    wait: Callable[[float], None] = time.sleep,
) -> None:
    """Train the queued runs, one after the other, each once no other run is training here.

    `train` returns when a run has ended. A run that cannot be started leaves the queue, and
    `queue.log` in the folder says why.
    """
    while waiting := queued_runs(folder):
        if busy := training_here(folder):
            # Only this run is looked at until it ends: listing all of them reads many files.
            while _trains_here(summarise_run(folder / busy)) and queued_runs(folder):
                wait(_EVERY)
            continue
        name = waiting[0]
        if not take_from_queue(folder, name):
            continue  # someone took it out meanwhile
        try:
            train(folder / name)
        except RunError as error:
            with (folder / "queue.log").open("a", encoding="utf-8") as log:
                log.write(f"{datetime.now():%Y-%m-%d %H:%M:%S} {name} not started: {error}\n")


def training_here(folder: Path) -> str:
    """Return the name of a run that this machine is training; empty if there is none."""
    return next((run.path.name for run in list_runs(folder) if _trains_here(run)), "")


def _trains_here(run: RunSummary) -> bool:
    status = run.status
    return status.state in LIVE_STATES and status.pid > 0 and status.host == HOST


def _train(path: Path) -> None:
    process = background_process(path, noted_plugins(path))
    with suppress(RunError):  # a note that is left behind does no harm
        forget_plugins(path)
    process.wait()


def _locked(lock: FileLock) -> bool:
    """Return whether the lock was taken; True also where the file system has no locks."""
    for _ in range(_TRIES):
        try:
            lock.take()
        except BlockingIOError:
            time.sleep(0.1)
        else:
            return True
    return False


def main() -> None:
    """Train the queue of the folder in the first argument, unless another process does."""
    folder = Path(sys.argv[1])
    lock = worker_lock(folder)
    if not _locked(lock):
        return
    try:
        work(folder, _train)
    finally:
        lock.release()
    if queued_runs(folder):  # added while the lock was still held
        work_on_queue(folder)


if __name__ == "__main__":
    main()
