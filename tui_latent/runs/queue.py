"""`queue.json` in the folder of runs: what each machine trains next, one run after the other.

A waiting run is a run folder like any other, made when it was queued, so its settings are
checked and its name is taken. Each entry belongs to a machine: a folder that several of them see
has a queue for each. `launch/queue.py` trains them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from tui_latent.runs.atomic_files import replace_file
from tui_latent.runs.file_lock import FileLock, one_at_a_time
from tui_latent.runs.process import HOST
from tui_latent.runs.schema import RunError
from tui_latent.runtime.regular_files import SizeError, read_small

QUEUE_FILE: Final = "queue.json"
_LOCK: Final = ".queue.lock"


def queued_runs(folder: Path) -> list[str]:
    """Return the folder names of the runs that wait for this machine, the next one first."""
    return [name for name, host in _read(folder) if host == HOST]


def add_to_queue(folder: Path, name: str) -> int:
    """Let a run wait at the end, and return its place from 1; RunError if that cannot be written.

    A run that waits already keeps its place.
    """
    names = _change(folder, lambda names: names if name in names else [*names, name])
    return names.index(name) + 1


def take_from_queue(folder: Path, name: str) -> bool:
    """Let a run no longer wait; return whether it did. RunError if that cannot be written."""
    waited = name in queued_runs(folder)
    _change(folder, lambda names: [other for other in names if other != name])
    return waited


def move_in_queue(folder: Path, name: str, by: int) -> None:
    """Move a waiting run later, or earlier for a negative number; RunError as in `add_to_queue`."""

    def moved(names: list[str]) -> list[str]:
        if name not in names:
            return names
        place = min(max(names.index(name) + by, 0), len(names) - 1)
        others = [other for other in names if other != name]
        return [*others[:place], name, *others[place:]]

    _change(folder, moved)


def worker_lock(folder: Path) -> FileLock:
    """Return the lock that the process which works on this machine's queue holds."""
    return FileLock(folder / f".queue-{HOST}.lock")


def is_worked_on(folder: Path) -> bool:
    """Return whether a process works on this machine's queue."""
    lock = worker_lock(folder)
    try:
        lock.take()
    except BlockingIOError:
        return True
    except OSError:
        return False
    lock.release()
    return False


def _change(folder: Path, change: Callable[[list[str]], Sequence[str]]) -> list[str]:
    """Change this machine's part of the queue, and return it."""
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
    return after


def _read(folder: Path) -> list[tuple[str, str]]:
    """Return (run, host) of the runs that still exist; empty where there is no queue."""
    try:
        table: Any = json.loads(read_small(folder / QUEUE_FILE))
        rows = [(row["run"], row["host"]) for row in table["queue"]]
    except (OSError, ValueError, TypeError, KeyError, RecursionError, SizeError):
        return []
    named = dict.fromkeys(
        (run, host)
        for run, host in rows
        if isinstance(run, str) and isinstance(host, str) and run == Path(run).name
    )
    return [(run, host) for run, host in named if (folder / run).is_dir()]
