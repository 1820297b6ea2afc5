"""The folder of runs: where it is, what it holds, find one, delete one."""

from __future__ import annotations

import errno
import operator
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from tui_latent.runs.command_word import command_word
from tui_latent.runs.file_lock import FileLock
from tui_latent.runs.manifest import PRESET_FILE, read_manifest
from tui_latent.runs.origin import obeyed
from tui_latent.runs.process import is_alive
from tui_latent.runs.queue import queued_runs
from tui_latent.runs.run_summary import Summaries
from tui_latent.runs.schema import (
    LIVE_STATES,
    RunBusyError,
    RunError,
    RunSummary,
    Status,
    UnreadableError,
)
from tui_latent.runs.staging import remove_whole, staging_folder
from tui_latent.runs.status import (
    BEATS_WITHIN,
    StatusError,
    awaits_launched,
    certain_status,
    read_status,
)
from tui_latent.runs.sweep_folder import SWEEP, SWEEP_FILE, is_sweep, not_a_run
from tui_latent.runtime.near_names import near_names
from tui_latent.runtime.sanitize import plain_name

LATEST = "latest"
"""name that means the newest run"""

LOCK_FILE = "train.lock"
"""held by the process that is training the run"""

SUMMARIES: Final = Summaries()
"""the lines of the runs that this process has listed"""
_A_MOMENT: Final = 0.4
"""seconds"""
_TRIED: Final = 32
"""runs after which it is known how fast the file system is"""
_SLOW: Final = 0.002
"""seconds of waiting for a run on a slow file system"""
_AT_ONCE: Final = 16


def list_runs(
    folder: Path, certain: bool = False, on_part: Callable[[list[RunSummary]], None] | None = None
) -> list[RunSummary]:
    """List the runs in a folder, newest first, from their small files only.

    A folder that cannot be read as a run is in the list with its `problem`; RunError when
    `folder` itself cannot be read. A run on a host with another clock is known to be live once
    two lists have seen its heartbeat move; to be `certain` at once takes seconds, if there may be
    such a run. If reading takes longer than a moment, `on_part` gets the runs read so far, and
    those known from before.
    """
    runs = _in_order(folder, _summarised(folder, on_part))
    if certain and any(map(_may_be_live, runs)):
        time.sleep(BEATS_WITHIN)
        runs = _in_order(folder, _summarised(folder, None))
    return runs


def _summarised(
    folder: Path, on_part: Callable[[list[RunSummary]], None] | None
) -> list[RunSummary]:
    runs: list[RunSummary] = []
    since = time.monotonic()
    paths = _run_folders(folder)
    for run in _each_summarised(paths):
        runs.append(run)
        if on_part is not None and time.monotonic() - since > _A_MOMENT:
            known = map(SUMMARIES.known.get, map(str, paths[len(runs) :]))
            on_part(_in_order(folder, runs + [each.summary for each in known if each]))
            since = time.monotonic()
    return runs


def _each_summarised(paths: list[Path]) -> Iterator[RunSummary]:
    """Yield the line of each run; where a file system is slow, several are waited for at once."""
    began, worked = time.monotonic(), time.thread_time()
    yield from map(summarise_run, paths[:_TRIED])
    waited = time.monotonic() - began - (time.thread_time() - worked)
    rest = paths[_TRIED:]
    if waited < _SLOW * _TRIED or not rest:
        yield from map(summarise_run, rest)
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from pool.map(summarise_run, rest)


def _in_order(folder: Path, runs: Iterable[RunSummary]) -> list[RunSummary]:
    """Return the runs newest first, each with its place in this machine's queue."""
    places = {name: place for place, name in enumerate(queued_runs(folder), 1)}
    if places:
        runs = [
            replace(run, queued=places[run.path.name]) if run.path.name in places else run
            for run in runs
        ]
    return sorted(runs, key=operator.attrgetter("created", "changed", "name"), reverse=True)


def summarise_run(path: Path) -> RunSummary:
    """Return the line of one run; `problem` says why the folder cannot be read as one."""
    return SUMMARIES.summarise(path)


def run_status(path: Path) -> Status:
    """Return the status of the run at `path`, with an interruption put in once it is certain.

    RunError when it is not a run, or cannot be read.
    """
    read_manifest(path)
    try:
        return certain_status(path)
    except OSError as error:
        raise RunError(
            f"{path / 'status.json'}: cannot be read: {error.strerror}: "
            "give yourself read access, then try again"
        ) from error


def refuse_trained(path: Path, what: str) -> None:
    """Raise RunBusyError for a run that another process is training, which rules out `what`."""
    status = run_status(path)
    if status.state in LIVE_STATES and (status.pid or _is_launched(status)):
        raise busy_error(path, status, what)


def _is_launched(status: Status) -> bool:
    """Return whether a process lives that was started to train the run."""
    return bool(is_alive(status.host, status.launched_pid, status.launched))


def find_run(folder: Path, name: str) -> Path:
    """Return a run's folder by path, by name or the start of one, or the newest for `latest`.

    A name that people gave a run is tried last. RunError when no run or more than one matches; it
    names the nearest.
    """
    if name == LATEST:
        return _latest(folder)
    try:
        for path in (folder / name, Path(name).expanduser()):
            if name and (path / PRESET_FILE).is_file():
                return path
            if name and is_sweep(path):
                raise RunError(not_a_run(path))
    except PermissionError as error:
        raise UnreadableError(path, error) from error
    except (OSError, RuntimeError, ValueError) as error:  # too long, of no user, a null in it
        raise RunError(f"{plain_name(name)}: no such run: {error}") from error
    try:
        if len(Path(name).parts) > 1:
            read_manifest(Path(name).expanduser())
    except (OSError, RuntimeError, ValueError) as error:  # too long, of no user, a null in it
        raise RunError(f"{plain_name(name)}: no such run: {error}") from error
    runs = [path for path in _run_folders(folder) if _is_run(path)]
    matches = sorted(path for path in runs if name and path.name.startswith(name))
    if len(matches) == 1:
        return matches[0]
    if matches:
        names = ", ".join(plain_name(path.name) for path in matches)
        raise RunError(f"{name}: several runs begin with this name: {names}")
    if named := _named(folder, name):
        if len(named) == 1:
            return named[0]
        names = ", ".join(sorted(plain_name(path.name) for path in named))
        raise RunError(f"{name}: several runs have this name: {names}")
    raise RunError(f"{name}: no such run in {folder}{_nearest(name, folder)}")


def find_sweep(folders: Sequence[Path], name: str) -> Path:
    """Return a sweep's folder by path or name, or the newest for `latest`; RunError if none."""
    sweeps = [run.path for folder in folders for run in list_runs(folder) if run.method == SWEEP]
    if name == LATEST and sweeps:
        return sweeps[0]
    with suppress(OSError, RuntimeError, ValueError):
        for path in (*(folder / name for folder in folders), Path(name).expanduser()):
            if name and is_sweep(path):
                return path
    known = ", ".join(plain_name(path.name) for path in sweeps[:5])
    there = f"; known: {known}" if known else ", which holds no sweeps"
    raise RunError(f"{plain_name(name)}: no such sweep in {folders[0]}{there}")


def _named(folder: Path, name: str) -> list[Path]:
    """Return the runs that people gave this name; case does not matter."""
    wanted = " ".join(name.split()).lower()
    named = [run for run in list_runs(folder) if run.method != SWEEP]
    return [run.path for run in named if wanted and run.labels.name.lower() == wanted]


def delete_run(path: Path) -> None:
    """Delete the folder of a run, or of a sweep with its runs, whole, or leave it as it is.

    RunBusyError while any of it is being trained; RunError when it is not a run, or when some of it
    cannot be removed, with the file.
    """
    marks = (SWEEP_FILE if is_sweep(path) else PRESET_FILE, "status.json")
    if path.is_symlink() or not all((path / file).is_file() for file in marks):
        raise RunError(f"{path}: not deleted, because it is not a run")
    if is_sweep(path):
        for run in _run_folders(path):
            if _is_run(run):
                refuse_trained(run, "delete the sweep")
    status = _status_to_delete_by(path)
    lock = FileLock(path / LOCK_FILE)
    try:
        if status.state in LIVE_STATES:
            raise BlockingIOError
        lock.take()
        with staging_folder(path.parent) as staging:
            remove_whole(path, staging, last=marks)
    except BlockingIOError as error:
        raise busy_error(path, status, "delete it") from error
    except OSError as error:
        where = error.filename or path
        raise RunError(
            f"{path}: not deleted: {where}: {error.strerror or error}: "
            "give yourself write access to it and its folder, then delete the run again"
        ) from error
    finally:
        lock.release()


def _status_to_delete_by(path: Path) -> Status:
    """Return the status; one that is damaged keeps no run from being deleted."""
    try:
        return certain_status(path)
    except OSError as error:
        raise RunError(f"{path}: not deleted: status.json: {error.strerror}") from error


def busy_error(path: Path, status: Status, what: str) -> RunBusyError:
    """Return the error for a run that another process is training, which rules out `what`."""
    gone = awaits_launched(status) or is_alive(status.host, status.pid, status.process) is False
    pid = status.launched_pid if gone or not status.pid else status.pid
    who = f"process {pid} on {status.host}" if pid else "another process"
    how = f"stop it first (tui-latent control {command_word(path)} stop)"
    with suppress(RunError):
        manifest = read_manifest(path)
        if "stop" not in obeyed(manifest.preset, manifest.provenance):
            how = "end that process first, because its loop obeys no stop"
    return RunBusyError(f"{path.name} is being trained by {who}: {how}, then {what}")


def _run_folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = [e.name for e in entries if not _hidden(e.name) and _may_be_folder(e)]
        return [folder / name for name in names]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RunError(f"{folder}: cannot be read as a folder of runs: {error.strerror}") from error


def _hidden(name: str) -> bool:
    """Return whether a folder is the system's, as in the root of a disk, or hidden by a person."""
    return name.startswith(".") or name == "lost+found"


def _may_be_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a folder, or one that this user may not see."""
    try:
        return entry.is_dir()
    except OSError as error:
        return error.errno != errno.ELOOP


def _is_run(path: Path) -> bool:
    try:
        return (path / PRESET_FILE).is_file()
    except OSError:  # another user's, which this one may not read
        return False


def _may_be_live(run: RunSummary) -> bool:
    """Return whether a run counts as interrupted only because of its clock."""
    try:
        status = read_status(run.path)
    except (StatusError, OSError):
        return False
    undecided = is_alive(status.host, status.pid, status.process) is None
    return run.status.state != status.state and status.pid > 0 and undecided


def _latest(folder: Path) -> Path:
    runs = [run for run in list_runs(folder) if not run.problem and run.method != SWEEP]
    if not runs:
        raise RunError(f"{LATEST}: no run in {folder} yet: start one with tui-latent train PRESET")
    return runs[0].path


def _nearest(name: str, folder: Path) -> str:
    """Return the end of an error message: the run whose name, or preset, is most like `name`."""
    runs = [run for run in list_runs(folder) if not run.problem and run.method != SWEEP]
    if not runs:
        return ", which holds no runs"
    names = {run.preset: run.name for run in reversed(runs)} | {run.name: run.name for run in runs}
    near = near_names(name, names)
    return f"; did you mean '{names[near[0]]}'?" if near else f"; the newest is '{runs[0].name}'"
