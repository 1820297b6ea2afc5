"""The process that works on a queue of runs: it starts the next one when nothing trains any more.

Who adds a run to the queue starts this process, unless one is at work. It needs no terminal and
no dashboard, and ends with its queue. Each run is trained by a process of its own, so that none
takes the queue down with it. A run counts as training while its trainer lives, also in a
dashboard, and also while it is paused.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from tui_latent.launch.background import background_process
from tui_latent.runs.file_lock import FileLock
from tui_latent.runs.process import HOST
from tui_latent.runs.queue import (
    add_to_queue,
    is_worked_on,
    queued_runs,
    take_from_queue,
    worker_lock,
)
from tui_latent.runs.run_list import list_runs
from tui_latent.runs.schema import LIVE_STATES, RunError

_EVERY: Final = 1.0
"""seconds between two looks at what trains"""
_TRIES: Final = 20
"""to take the worker's lock, which someone may hold for a moment to see whether it is held"""


def queue_run(path: Path) -> int:
    """Let a run wait for its turn on this machine; return its place from 1.

    RunError when the queue cannot be written, or no process can be started to work on it.
    """
    place = add_to_queue(path.parent, path.name)
    work_on_queue(path.parent)
    return place


def work_on_queue(folder: Path) -> None:
    """Start a process that works on the queue, unless one does; RunError where none starts."""
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
    """Train the waiting runs, one after the other, each once no other run trains here.

    `train` returns when a run has ended. A run that cannot be started leaves the queue, and
    `queue.log` in the folder says why.
    """
    while queued_runs(folder):
        if training_here(folder):
            wait(_EVERY)
            continue
        name = queued_runs(folder)[:1]
        if not name or not take_from_queue(folder, name[0]):
            continue
        try:
            train(folder / name[0])
        except RunError as error:
            with (folder / "queue.log").open("a", encoding="utf-8") as log:
                log.write(f"{datetime.now():%Y-%m-%d %H:%M:%S} {name[0]} not started: {error}\n")


def training_here(folder: Path) -> str:
    """Return the name of a run that this machine trains; empty if there is none."""
    for run in list_runs(folder):
        status = run.status
        if status.state in LIVE_STATES and status.pid and status.host == HOST:
            return run.path.name
    return ""


def _train(path: Path) -> None:
    process = background_process(path)
    process.wait()


def _locked(lock: FileLock) -> bool:
    """Take the lock; True also where the file system has none."""
    for _ in range(_TRIES):
        try:
            lock.take()
        except BlockingIOError:
            time.sleep(0.1)
        else:
            return True
    return False


def main() -> None:
    """Work on the queue of the folder at the first argument, unless another process does."""
    folder = Path(sys.argv[1])
    lock = worker_lock(folder)
    if not _locked(lock):
        return
    try:
        while queued_runs(folder):
            work(folder, _train)
    finally:
        lock.release()
    if queued_runs(folder):  # added while the lock was let go
        work_on_queue(folder)


if __name__ == "__main__":
    main()
