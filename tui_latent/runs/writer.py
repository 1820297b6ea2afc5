"""The trainer's side of a run folder: writes everything but the checkpoints."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from os import getpid, getppid
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.runs.atomic_files import remove_left_behind
from tui_latent.runs.best_score import BestScore
from tui_latent.runs.events import FILE as EVENTS_FILE
from tui_latent.runs.events import RunEvent, event_line
from tui_latent.runs.line_files import AppendedLines
from tui_latent.runs.manifest import read_manifest
from tui_latent.runs.maps import write_map
from tui_latent.runs.metrics import MetricsReader
from tui_latent.runs.new_run import make_run_folder
from tui_latent.runs.process import HOST, process_of
from tui_latent.runs.records import NewRecord, record_line
from tui_latent.runs.schema import LIVE_STATES, FolderLostError, LatentMap, RunError, Status
from tui_latent.runs.status import readable_status, write_status
from tui_latent.runs.trainer_lock import TrainerLock
from tui_latent.runtime.launcher import place
from tui_latent.runtime.sanitize import plain_line

_BEAT: Final = 1.0
"""seconds between two writes of the status while nothing else asks for one"""

_LOSS: Final = "train/loss"


class RunWriter:
    """Writes one run folder; the training process calls `lock` first and `close` last."""

    path: Path

    @classmethod
    def create(
        cls,
        runs: Path,
        preset_name: str,
        preset: Mapping[str, Any],
        provenance: Mapping[str, Any],
        name: str | None = None,
    ) -> RunWriter:
        """Make the folder of a new run; RunError as in `make_run_folder`."""
        return cls(make_run_folder(runs, preset_name, preset, provenance, name))

    @classmethod
    def reopen(cls, path: Path) -> RunWriter:
        """Open the folder of an earlier run to continue it; RunError when it is not a run."""
        read_manifest(path)
        return cls(path)

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mutex = threading.RLock()
        self._status = self._status_on_disk()
        self.checkpoints_before = 0
        """checkpoints requested before the run was started, which are not written now"""
        self._written = 0.0
        self._unwritten = False
        self._lock = TrainerLock(path)
        self._metrics = AppendedLines(path / "metrics.jsonl", durable=True)
        self._curves = MetricsReader(path / "metrics.jsonl")
        self._events = AppendedLines(path / EVENTS_FILE, durable=True)
        self._log = AppendedLines(path / "train.log")
        self._best = BestScore(path / "metrics.jsonl")
        several = place().world > 1
        self._launcher = (getppid(), process_of(getppid())) if several else (0, "")
        self._closing = threading.Event()
        self._heart: threading.Thread | None = None

    def lock(self) -> Status:
        """Take the run for this process and keep its heartbeat going, until `close`.

        Returns the status as it was before. RunBusyError when another live process has the run,
        RunError when the folder cannot be written.
        """
        try:
            before = self._lock.take()
            with self._mutex:
                live = before.state in LIVE_STATES and before.pid
                self._status = replace(before, state="interrupted") if live else before
                self._remove_left_behind()
                self._write_status()
        except OSError as error:
            self._lock.release()
            raise RunError(
                f"{error.filename or self.path}: cannot be written: {error.strerror}: "
                "give yourself write access, then try again"
            ) from error
        self._heart = threading.Thread(target=self._beat, name="run-heartbeat", daemon=True)
        self._heart.start()
        return before

    def check(self) -> None:
        """Make sure that what is written now goes into the folder that was locked.

        FolderLostError when it is no longer this run's; OSError while its disk is away.
        """
        with self._mutex:
            if self._lock.check():
                self._metrics.close()
                self._events.close()
                self._log.close()

    def check_still_mine(self) -> None:
        """Raise FolderLostError once it is known that the folder is no longer this run's."""
        self._lock.check_still_mine()

    def status(self, **changes: Any) -> Status:
        """Change fields of the status and return it; written at once when the state changes,
        else within a second. What the disk does not take is tried again with the heartbeat."""
        with self._mutex:
            old, self._status = self._status, replace(self._status, **changes)
            self._unwritten = self._unwritten or bool(changes)
            due = time.monotonic() - self._written >= _BEAT
            due = self._status.state != old.state or (due and self._unwritten)
            if due and not self._closing.is_set():
                with suppress(OSError, FolderLostError):
                    self._write_status()
            return self._status

    def flush(self) -> None:
        """Write the status now if it is not on disk yet; OSError, FolderLostError."""
        with self._mutex:
            if self._unwritten:
                self._write_status()

    def metrics(self, step: int, epoch: float, seconds: float, values: Mapping[str, float]) -> None:
        """Record values of metrics at a step; `seconds` is the time spent training."""
        self.records([NewRecord(step, epoch, seconds, values)])

    def records(self, records: Sequence[NewRecord]) -> None:
        """Record values of several steps in one write, all of them or none; OSError."""
        scores: dict[str, float | None] = {}
        for record in records:
            # Read before the record is written, which must not be written twice.
            scores |= self._best.with_values(record.step, record.values)
            if _LOSS in record.values:
                scores["loss"] = float(record.values[_LOSS])
        if records:
            self._metrics.append(b"\n".join(record_line(*record) for record in records))
        if scores:
            self.status(**scores)

    def event(self, event: RunEvent) -> None:
        """Record an event; OSError while the disk refuses it."""
        self._events.append(event_line(event))

    def latent_map(
        self,
        latent_map: LatentMap,
        confusion: NDArray[np.int64] | None = None,
        missing: Mapping[str, str] | None = None,
    ) -> None:
        """Keep the map of an evaluation, with kNN's confusion matrix and the metrics that are
        missing, each with its reason."""
        write_map(self.path, latent_map, confusion, missing or {})
        if "val/knn_20" in (missing or {}):
            self.status(knn_20=math.nan)

    def log(self, line: str) -> None:
        """Add the lines of a text with the time of day; dropped after `close`, and when the disk
        does not take them: whatever prints must not end the training."""
        if self._closing.is_set() or self._lock.lost:
            return
        now = datetime.now().strftime("%H:%M:%S")
        for part in line.rstrip("\n").split("\n"):
            with suppress(OSError):
                self._log.append(f"{now} {plain_line(part)}".encode("utf-8", "backslashreplace"))

    def sync(self) -> None:
        """Wait until the records so far would survive a power failure, as a checkpoint does.

        Their curves are saved beside them, so that even a long run opens fast.
        """
        self._metrics.sync()
        self._events.sync()
        try:
            self._curves.keep()
        except OSError:
            self._curves = MetricsReader(self._curves.path)  # it may have stopped halfway

    def close(self) -> None:
        """Write what is due and let the run go; a run still live that was locked is interrupted."""
        if self._closing.is_set():
            return
        self._closing.set()
        if self._heart is not None:
            self._heart.join()
            if self._status.state in LIVE_STATES:
                self._status = replace(self._status, state="interrupted")
        try:
            if self._heart is not None or self._unwritten:
                self._write_status()
                self._remove_left_behind()
        except FolderLostError:
            pass  # there is no folder of this run to write to
        finally:
            self._metrics.close()
            self._events.close()
            self._log.close()
            self._lock.release()

    def forsake(self) -> None:
        """Let go of the lock in a process that was forked off; its parent keeps the run."""
        self._closing.set()
        self._lock.release()

    def _status_on_disk(self) -> Status:
        try:
            return readable_status(self.path)
        except OSError as error:
            raise RunError(
                f"{self.path / 'status.json'}: cannot be read: {error.strerror}: "
                "give yourself read access, then try again"
            ) from error

    def _write_status(self) -> None:
        self.check()
        self._status = replace(
            self._status,
            pid=getpid(),
            host=HOST,
            process=self._lock.process,
            heartbeat=time.time(),
            launched_pid=self._launcher[0],
            launched=self._launcher[1],
        )
        write_status(self.path, self._status)
        self._written = time.monotonic()
        self._unwritten = False

    def _beat(self) -> None:
        while not self._closing.wait(_BEAT):
            with self._mutex:
                try:
                    self.check()
                    self._lock.refuse_second_trainer()
                    self._write_status()
                except OSError:
                    continue  # a full disk pauses the run where it would lose something
                except FolderLostError:
                    return

    def _remove_left_behind(self) -> None:
        """Remove the temporary files of killed writers, and keep those of live ones."""
        remove_left_behind(self.path)
        for name in ("evaluations", "reports", "thumbnails"):
            remove_left_behind(self.path / name)
        for name in ("latents", "checkpoints"):
            remove_left_behind(self.path / name, all_of_them=True)  # only the trainer writes there
