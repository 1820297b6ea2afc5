"""Work on a sweep: give its trials to an engine, count how they end, and say so in its folder."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

from tui_latent.launch.run_result import result_of
from tui_latent.launch.start import make_run
from tui_latent.launch.sweep.engine import Engine, EngineError
from tui_latent.launch.sweep.folder import SweepFolder
from tui_latent.launch.sweep.plan import Trial
from tui_latent.launch.sweep.sources import TrialSource
from tui_latent.runs.atomic_files import signature
from tui_latent.runs.control import read_request, request, take_up
from tui_latent.runs.process import HOST
from tui_latent.runs.reader import RunReader
from tui_latent.runs.run_list import run_status
from tui_latent.runs.schema import (
    LIVE_STATES,
    RunError,
    RunSnapshot,
    State,
    Status,
    UnreadableError,
)
from tui_latent.runs.status import write_status
from tui_latent.runs.sweep_folder import SweepRun
from tui_latent.runs.sweep_results import keep_result, kept_results
from tui_latent.runs.trainer_lock import TrainerLock

_TICK: Final = 0.05
"""seconds between two checks of the engine"""
_BEAT: Final = 1.0
"""seconds between two writes of the sweep's status"""
_ATTEMPTS: Final = 2
"""processes of a run that were killed before it counts as failed"""


@dataclass(frozen=True)
class TrialResult:
    """How one run of a sweep ended."""

    run: SweepRun
    result: Mapping[str, Any]
    """as `train --json` prints it"""

    @property
    def state(self) -> str:
        """The state of the run; `pruned` if the search stopped it."""
        return "pruned" if self.run.pruned else str(self.result["state"])

    @property
    def failed(self) -> bool:
        """Whether a person should look at it."""
        return self.state in ("failed", "unreadable", "interrupted")


class Watcher(Protocol):
    """Is told how a sweep proceeds."""

    def began(self, name: str) -> None:
        """A run was started."""

    def ended(self, result: TrialResult, done: int, total: int) -> None:
        """A run has ended, or had ended before."""

    def training(self, runs: Sequence[str], done: int, total: int) -> None:
        """These runs train; called about once a second."""


class Conductor:
    """Works on one sweep."""

    def __init__(
        self,
        folder: SweepFolder,
        preset_name: str,
        source: TrialSource,
        engine: Engine,
        watcher: Watcher,
        lock: TrainerLock,
        before: Status,
    ) -> None:
        """`lock` is held on the folder; `before` is the status as it was."""
        self._folder, self._preset_name = folder, preset_name
        self._source, self._engine, self._watcher = source, engine, watcher
        self._lock = lock
        self._results: dict[str, TrialResult] = {}
        self._training: dict[Path, SweepRun] = {}
        self._elsewhere: dict[Path, SweepRun] = {}
        """runs that other processes train"""
        self._attempts: dict[Path, int] = {}
        self._readers: dict[Path, RunReader] = {}
        self._before = before
        self._since = self._beat_at = time.monotonic()
        self._stopping = self._told_to_stop = False
        self._request = read_request(folder.path)
        self._kept = kept_results(folder.path)

    def stop(self) -> None:
        """Start no more runs, and stop and save those in training; callable in a signal handler."""
        self._stopping = True

    def work(self) -> list[TrialResult]:
        """Train until all trials have ended or the sweep is stopped; return them in their order.

        EngineError when the engine gives up, after what is training has been stopped and saved.
        """
        self._write("running")
        try:
            while not self._done():
                self._give()
                self._look()
                self._heed()
                if time.monotonic() - self._beat_at >= _BEAT:
                    self._tick()
                time.sleep(_TICK)
        except BaseException:
            self._write("failed", "the sweep itself ended with an error")
            raise
        finally:
            self._engine.close()
        results = [
            self._results[run.name]
            for run in self._folder.manifest.runs
            if run.name in self._results
        ]
        self._write(*self._outcome(results))
        return results

    # Trials

    def _done(self) -> bool:
        waiting = not (self._stopping or self._source.exhausted())
        return not (self._training or self._elsewhere or waiting)

    def _give(self) -> None:
        while not self._stopping and (room := self._engine.room()) > 0:
            given = self._source.take(min(room, 10_000))
            if not given:
                return
            new = [run for trial, run in given if self._make(trial, run)]
            paths = [self._folder.path / run.name for run in new]
            for path, run in zip(paths, new, strict=True):
                self._attempts[path] = self._attempts.get(path, 0) + 1
                self._training[path] = run
                self._watcher.began(run.name)
            if paths:
                self._engine.start(paths)

    def _make(self, trial: Trial, run: SweepRun) -> bool:
        """Make a run's folder if there is none; return whether it is to be trained now."""
        path = self._folder.path / run.name
        try:
            if not path.is_dir():
                make_run(self._preset_name, trial.preset, self._folder.path, run.name)
                return True
            status = run_status(path)
        except UnreadableError as error:
            self._keep(TrialResult(run, unreadable(run.name, error)))
            return False
        if status.state == "finished" or run.pruned:
            self._ended(path, run)
            return False
        if status.pid and status.state in LIVE_STATES:
            self._elsewhere[path] = run
            return False
        return True

    def _look(self) -> None:
        for path, problem, cancelled in self._engine.ended():
            run = self._training.pop(path)
            status = run_status(path)
            if status.state == "starting" and not status.pid:  # its process never came to it
                problem = problem or "its process ended before it trained"
            if status.pid and status.state in LIVE_STATES:
                self._elsewhere[path] = run
            elif problem and not cancelled and self._tries_again(path):
                self._attempts[path] += 1
                self._training[path] = run
                self._engine.start([path])
            else:
                self._ended(path, run, problem)

    def _tries_again(self, path: Path) -> bool:
        return not self._stopping and self._attempts[path] < _ATTEMPTS

    def _ended(self, path: Path, run: SweepRun, problem: str = "") -> None:
        reader = self._readers.pop(path, None) or RunReader(path)
        snapshot = reader.refresh()
        result = result_of(snapshot)
        if problem and result["state"] not in ("finished", "stopped", "failed"):
            result |= {"state": "interrupted", "error": problem}
        run = next(known for known in self._folder.manifest.runs if known.name == run.name)
        self._source.told(run, snapshot)
        if run.name not in self._kept or self._kept[run.name].signature != signature(
            path / "status.json"
        ):
            keep_result(self._folder.path, run.name, result["metrics"], result["missing"])
        self._keep(TrialResult(run, result))

    def _keep(self, result: TrialResult) -> None:
        self._results[result.run.name] = result
        done = [each for each in self._results.values() if each.state != "stopped"]
        self._watcher.ended(result, len(done), self._source.total())

    def _heed(self) -> None:
        """Obey a request to stop, from a signal or from the folder."""
        self._request = read_request(self._folder.path, self._request)
        if self._request.state == "stop":
            self._stopping = True
        if not self._stopping or self._told_to_stop:
            return
        self._told_to_stop = True
        self._elsewhere.clear()  # they are not this sweep's to stop
        for path in self._training:
            with suppress(RunError):
                request(path, state="stop")

    def _tick(self) -> None:
        self._write("running")
        for path, run in list(self._elsewhere.items()):
            status = run_status(path)
            if status.pid and status.state in LIVE_STATES:
                continue
            given_up = status.state == "interrupted" and path not in self._attempts
            if not given_up:
                del self._elsewhere[path]
                self._ended(path, run)
            elif self._engine.room() > 0:  # the process of an earlier sweep, which was killed
                del self._elsewhere[path]
                self._attempts[path] = 1
                self._training[path] = run
                self._watcher.began(run.name)
                self._engine.start([path])
        for path, run in self._training.items():
            with suppress(RunError):
                if self._source.looks(run, self._snapshot(path)):
                    self._folder.change(replace(run, pruned=True))
                    request(path, state="stop")
        names = [run.name for run in (*self._training.values(), *self._elsewhere.values())]
        done = sum(each.state != "stopped" for each in self._results.values())
        self._watcher.training(names, done, self._source.total())

    def _snapshot(self, path: Path) -> RunSnapshot:
        if path not in self._readers:
            self._readers[path] = RunReader(path)
        return self._readers[path].refresh()

    # Status

    def _outcome(self, results: Sequence[TrialResult]) -> tuple[State, str | None]:
        failed = [each.run.name for each in results if each.failed]
        if self._stopping and not (self._source.exhausted() and not _stopped(results)):
            return "stopped", None
        if failed:
            some = ", ".join(failed[:3]) + (f" and {len(failed) - 3} more" if failed[3:] else "")
            return "failed", f"{len(failed)} of {len(results)} runs failed: {some}"
        return ("stopped", None) if _stopped(results) else ("finished", None)

    def _write(self, state: State, error: str | None = None) -> None:
        self._beat_at = time.monotonic()
        ended = [each for each in self._results.values() if each.state != "stopped"]
        known = [v for each in ended if (v := each.result["metrics"].get("val/knn_20")) is not None]
        live = state in LIVE_STATES
        status = Status(
            state=state,
            step=len(ended),
            total_steps=max(self._source.total(), len(ended)),
            phase=f"{len(self._training)} training" if live else "",
            seconds=self._before.seconds + time.monotonic() - self._since,
            pid=os.getpid(),
            host=HOST,
            process=self._lock.process,
            heartbeat=time.time(),
            error=error,
            best_knn_20=max(known, default=None),
            knn_20=known[-1] if known else math.nan,
        )
        with suppress(OSError):  # a full disk: the runs themselves wait for room
            write_status(self._folder.path, status)


def _stopped(results: Sequence[TrialResult]) -> bool:
    return any(each.state == "stopped" for each in results)


def unreadable(name: str, error: Exception) -> dict[str, Any]:
    """Return the placeholder for a result that this user may not read."""
    return {
        "run": name,
        "state": "unreadable",
        "error": str(error),
        "seconds": 0.0,
        "metrics": {},
    }


def conduct(
    folder: SweepFolder,
    preset_name: str,
    source_of: Callable[[SweepFolder], TrialSource],
    engine: Engine,
    watcher: Watcher,
    on_start: Callable[[Conductor], None] = lambda _: None,
) -> list[TrialResult]:
    """Take the folder's lock, and work on the sweep; return how its trials ended.

    RunBusyError when another sweep works on the folder; RunError when a run in it was trained with
    other settings. `on_start` gets the conductor, which can be told to stop.
    """
    lock = TrainerLock(folder.path)
    asked_before = read_request(folder.path)
    before = lock.take()
    try:
        source = source_of(folder)
        take_up(folder.path, asked_before)
        conductor = Conductor(folder, preset_name, source, engine, watcher, lock, before)
        on_start(conductor)
        return conductor.work()
    except EngineError as error:
        raise RunError(str(error)) from error
    finally:
        lock.release()
