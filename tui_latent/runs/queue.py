"""`queue.json` in the folder of runs: which runs each machine trains next, one after the other.

A queued run already has its run folder, so its settings have been checked and its name is taken.
Each entry belongs to one machine: in a shared folder, every machine has a queue of its own.
`launch/queue.py` trains the queued runs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from tui_latent.runs.atomic_files import replace_file
from tui_latent.runs.file_lock import FileLock, one_at_a_time
from tui_latent.runs.process import HOST
from tui_latent.runs.schema import RunError
from tui_latent.runs.status import StatusError, read_status, write_status
from tui_latent.runtime.regular_files import read_small

QUEUE_FILE: Final = "queue.json"
_LOCK: Final = ".queue.lock"


def queued_runs(folder: Path) -> list[str]:
    """Return the folder names of the runs queued for this machine, the next one first."""
    try:
        return [name for name, host in _read(folder) if host == HOST]
    except OSError:
        return []


def add_to_queue(folder: Path, name: str) -> int:
    """Add a run to the end of this machine's queue, and return its place, counted from 1.

    A run that is queued already keeps its place. RunError when the queue cannot be written.
    """
    _, names = _change(folder, lambda names: names if name in names else [*names, name])
    return names.index(name) + 1


def take_from_queue(folder: Path, name: str) -> bool:
    """Remove a run from this machine's queue, and return whether it was queued.

    If several callers ask at once, only one of them gets True. RunError when the queue cannot be
    written.
    """
    before, _ = _change(folder, lambda names: [other for other in names if other != name])
    return name in before


def remove_from_queue(folder: Path, name: str) -> bool:
    """Remove a run because a person says so; return whether it was queued. RunError as above.

    Nobody is about to train it, so it no longer counts as starting, and can be started or deleted.
    """
    taken = take_from_queue(folder, name)
    if taken:
        with suppress(OSError, StatusError):  # it would count as starting for half a minute
            status = read_status(folder / name)
            if status.state == "starting" and not (status.pid or status.launched_pid):
                write_status(folder / name, replace(status, state="interrupted"))
    return taken


def leave_queue(path: Path) -> None:
    """Remove a run that is started now from this machine's queue; RunError if that fails."""
    if path.name in queued_runs(path.parent):
        take_from_queue(path.parent, path.name)


def move_in_queue(folder: Path, name: str, by: int) -> None:
    """Move a queued run by some places, to the front if negative; RunError as in `add_to_queue`."""

    def moved(names: list[str]) -> list[str]:
        if name not in names:
            return names
        place = min(max(names.index(name) + by, 0), len(names) - 1)
        others = [other for other in names if other != name]
        return [*others[:place], name, *others[place:]]

    _change(folder, moved)


def worker_lock(folder: Path) -> FileLock:
    """Return the lock held by the process that trains this machine's queue."""
    return FileLock(folder / f".queue-{HOST}.lock")


def is_worked_on(folder: Path) -> bool:
    """Return whether a process trains this machine's queue."""
    lock = worker_lock(folder)
    try:
        lock.take()
    except BlockingIOError:
        return True
    except OSError:
        return False
    lock.release()
    return False


def _change(
    folder: Path, change: Callable[[list[str]], Sequence[str]]
) -> tuple[list[str], list[str]]:
    """Change this machine's queue, and return it as it was and as it is now."""
    try:
        with one_at_a_time(folder / _LOCK):
            entries = _read(folder)
            before = [name for name, host in entries if host == HOST]
            after = list(change(before))
            if after != before:
                others = [(name, host) for name, host in entries if host != HOST]
                rows = [
                    {"run": name, "host": host}
                    for name, host in (*others, *((name, HOST) for name in after))
                ]
                replace_file(folder / QUEUE_FILE, json.dumps({"queue": rows}, indent=1).encode())
    except OSError as error:
        raise RunError(
            f"{folder / QUEUE_FILE}: the queue cannot be written: {error.strerror or error}"
        ) from error
    return before, after


def _read(folder: Path) -> list[tuple[str, str]]:
    """Return (run, host) of the queued runs that still exist; none if the file is damaged.

    OSError when the file exists but cannot be read now.
    """
    try:
        table: Any = json.loads(read_small(folder / QUEUE_FILE))
        rows = [(row["run"], row["host"]) for row in table["queue"]]
    except (FileNotFoundError, ValueError, TypeError, KeyError, RecursionError):
        return []
    named = dict.fromkeys(
        (run, host)
        for run, host in rows
        if isinstance(run, str) and isinstance(host, str) and run == Path(run).name
    )
    return [(run, host) for run, host in named if _is_folder(folder, run)]


def _is_folder(folder: Path, run: str) -> bool:
    """Return whether a run has a folder; False too for names that no folder can have."""
    return run not in ("", "..") and os.path.isdir(folder / run)  # noqa: PTH112 - Path.is_dir raises
