"""The trainer's end of a run folder: everything a run leaves behind, except its checkpoints."""

from __future__ import annotations

import errno
import math
import os
import re
import secrets
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from os import getpid
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.runs.atomic_files import (
    AppendedLines,
    read_lines,
    remove_left_behind,
    replace_file,
    sync_folder,
)
from tui_latent.runs.control import write_request
from tui_latent.runs.file_lock import FileLock
from tui_latent.runs.manifest import PRESET_FILE, read_manifest
from tui_latent.runs.maps import write_map
from tui_latent.runs.metrics import MetricsReader, parse_record, record_line
from tui_latent.runs.own_folder import OwnFolder
from tui_latent.runs.process import HOST, is_alive, same_boot, this_process
from tui_latent.runs.run_list import LATEST, LOCK_FILE, busy_error
from tui_latent.runs.sanitize import plain_line
from tui_latent.runs.schema import (
    FORMAT,
    LIVE_STATES,
    FolderLostError,
    LatentMap,
    Request,
    RunError,
    Status,
)
from tui_latent.runs.staging import staging_folder
from tui_latent.runs.status import (
    StatusError,
    beats,
    moving_status,
    read_status,
    with_interruption,
    write_status,
)
from tui_latent.runs.toml import dump_toml

_BEAT: Final = 1.0
"""seconds between two writes of the status while nothing else asks for one"""

_TAKEN: Final = {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR, errno.EISDIR}
_KNN: Final = "val/knn_20"
_LOSS: Final = "train/loss"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

_TRAINED_HERE: Final[set[str]] = set()
"""folders of the runs that this process trains"""


class RunWriter:
    """Writes one run folder; the process that trains calls `lock` first and `close` last."""

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
        """Make the folder of a new run in `runs`, named `name` or by the time and its preset.

        RunError when the name cannot be one, is taken, or the folder cannot be made.
        """
        now = time.time()
        about = {"preset": preset_name, "created": now} | dict(provenance) | {"format": FORMAT}
        text = dump_toml({**preset, "provenance": about})
        try:
            runs.mkdir(parents=True, exist_ok=True)
            if name is not None:
                check_name(runs, name)
            with staging_folder(runs) as staging:
                draft = staging / "run"
                draft.mkdir()
                write_status(draft, Status(host=HOST, heartbeat=now))
                write_request(draft, Request())  # a full disk later still takes it in its place
                replace_file(draft / PRESET_FILE, text.encode(), durable=True)
                path = _put_in_place(draft, runs, preset_name, name)
        except OSError as error:
            raise RunError(f"{runs}: no run can be made there: {error.strerror}") from error
        sync_folder(runs)
        return cls(path)

    @classmethod
    def reopen(cls, path: Path) -> RunWriter:
        """Open the folder of an earlier run to go on with it; RunError when it is not a run."""
        read_manifest(path)
        return cls(path)

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mutex = threading.RLock()
        self._status = self._status_on_disk()
        self.checkpoints_before = 0
        """how many checkpoints had been asked for, and are no longer, when the run was taken up"""
        self._process = ""
        self._real_path = os.path.realpath(path)
        self._written = 0.0
        self._unwritten = False
        self._lock = FileLock(path / LOCK_FILE)
        self._locked = False
        self._folder: OwnFolder | None = None
        self._lost: FolderLostError | None = None
        self._metrics = AppendedLines(path / "metrics.jsonl", durable=True)
        self._curves = MetricsReader(path / "metrics.jsonl")
        self._log = AppendedLines(path / "train.log")
        self._scores: list[tuple[int, float]] = []
        self._scores_read = False
        self._closing = threading.Event()
        self._heart: threading.Thread | None = None

    def lock(self) -> Status:
        """Take the run for this process and keep its heartbeat going, until `close`.

        Returns the status as it was before. RunBusyError when another live process has the run.
        """
        try:
            before = self._take()
            with self._mutex:
                self._process = f"{this_process()} {secrets.token_hex(8)}".strip()
                self._folder = OwnFolder(self.path, self._wrote_the_status)
                self._remove_left_behind()
                self._write_status()
        except OSError as error:
            self._let_go()
            raise RunError(
                f"{error.filename or self.path}: cannot be written: {error.strerror}: "
                "make it writable for you, then try again"
            ) from error
        _TRAINED_HERE.add(self._real_path)
        self._heart = threading.Thread(target=self._beat, name="run-heartbeat", daemon=True)
        self._heart.start()
        return before

    def check(self) -> None:
        """Make sure that what is written now goes into the folder that was locked.

        FolderLostError when it is no longer this run's; OSError while its disk is away.
        """
        with self._mutex:
            if self._lost is not None:
                raise self._lost
            if self._folder is None:
                return
            try:
                if self._folder.check():
                    self._metrics.close()
                    self._log.close()
            except FolderLostError as lost:
                self._lost = lost
                raise

    def check_still_mine(self) -> None:
        """Raise FolderLostError once it is known that the folder is no longer this run's."""
        if self._lost is not None:
            raise self._lost

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
        scores = {}
        if _KNN in values:  # read before the record is written, which must not be written twice
            scores["best_knn_20"] = self._best_with(step, float(values[_KNN]))
        self._metrics.append(record_line(step, epoch, seconds, values))
        if _LOSS in values:
            scores["loss"] = float(values[_LOSS])
        if scores:
            self.status(**scores)

    def latent_map(
        self,
        latent_map: LatentMap,
        confusion: NDArray[np.int64] | None = None,
        missing: Mapping[str, str] | None = None,
    ) -> None:
        """Keep the map of an evaluation, with kNN's confusion matrix and the metrics that are
        missing, each with its reason."""
        write_map(self.path, latent_map, confusion, missing or {})

    def log(self, line: str) -> None:
        """Add the lines of a text with the time of day; dropped after `close`, and when the disk
        does not take them: whatever prints must not end the training."""
        if self._closing.is_set() or self._lost is not None:
            return
        now = datetime.now().strftime("%H:%M:%S")
        for part in line.rstrip("\n").split("\n"):
            with suppress(OSError):
                self._log.append(f"{now} {plain_line(part)}".encode("utf-8", "backslashreplace"))

    def sync(self) -> None:
        """Wait until the records so far would outlive a loss of power, as a checkpoint does.

        Their curves are kept beside them, so that the run opens fast however long it is.
        """
        self._metrics.sync()
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
            pass  # nothing of this run is there to be written to
        finally:
            self._metrics.close()
            self._log.close()
            self._let_go()

    def _take(self) -> Status:
        """Take the lock, unless the status is of another trainer that lives; return the status."""
        try:
            self._locked = self._lock.take()
        except BlockingIOError as error:
            raise busy_error(self.path, self._readable_status(), "try again") from error
        status = self._readable_status()
        self._status = with_interruption(status)
        if status.state in LIVE_STATES and status.pid:
            if self._is_trained(status):
                self._let_go()
                raise busy_error(self.path, status, "try again")
            self._status = replace(status, state="interrupted")
        return status

    def _is_trained(self, status: Status) -> bool:
        """Say whether the trainer that a live status tells of is at work."""
        alive = is_alive(status.host, status.pid, status.process)
        if alive and status.pid == getpid():
            return self._real_path in _TRAINED_HERE
        if alive is not None:
            return alive
        if beats(status) and not (self._locked and same_boot(status.process)):
            return True
        # Its lock is free on this very system, or its clock differs: what counts is that it moves.
        return moving_status(self.path, status) is not None

    def _let_go(self) -> None:
        if self._folder is not None:
            _TRAINED_HERE.discard(self._real_path)
            self._folder.close()
            self._folder = None
        self._lock.release()

    def _readable_status(self) -> Status:
        try:
            return read_status(self.path)
        except StatusError:
            return Status(state="interrupted")

    def _status_on_disk(self) -> Status:
        try:
            return self._readable_status()
        except OSError as error:
            raise RunError(
                f"{self.path / 'status.json'}: cannot be read: {error.strerror}: "
                "make it readable for you, then try again"
            ) from error

    def _wrote_the_status(self) -> bool:
        return self._readable_status().process == self._process

    def _write_status(self) -> None:
        self.check()
        self._status = replace(
            self._status, pid=getpid(), host=HOST, process=self._process, heartbeat=time.time()
        )
        write_status(self.path, self._status)
        self._written = time.monotonic()
        self._unwritten = False

    def _beat(self) -> None:
        while not self._closing.wait(_BEAT):
            with self._mutex:
                try:
                    self.check()
                    self._refuse_second_trainer()
                    self._write_status()
                except OSError:
                    continue  # a full disk pauses the run where it would lose something
                except FolderLostError:
                    return

    def _refuse_second_trainer(self) -> None:
        """Give the run up if another trainer has taken it, as after its lock was deleted."""
        status = self._readable_status()
        other = status.process not in ("", self._process) and status.state in LIVE_STATES
        if not other and self._locked and not self._lock.stands():
            again = FileLock(self.path / LOCK_FILE)
            try:
                again.take()
            except BlockingIOError:
                other = True
            else:
                self._lock.release()
                self._lock = again
        if other:
            self._lost = FolderLostError(
                f"{self.path}: process {status.pid} on {status.host} has taken this run over: "
                "training has stopped here and writes nothing more there"
            )
            raise self._lost

    def _remove_left_behind(self) -> None:
        """Remove the temporary files of writers that were killed; others' that live stay."""
        remove_left_behind(self.path)
        for name in ("evaluations", "reports"):
            remove_left_behind(self.path / name)
        for name in ("latents", "checkpoints"):
            remove_left_behind(self.path / name, all_of_them=True)  # only the trainer writes there

    def _best_with(self, step: int, score: float) -> float | None:
        """Return the best score with this one; those that a rewound run replaces do not count."""
        if not self._scores_read:
            self._scores.clear()
            with suppress(FileNotFoundError):
                for _, line in read_lines(self.path / "metrics.jsonl", 0):
                    record = parse_record(line) if _KNN.encode() in line else None
                    if record is not None and _KNN in record.values:
                        self._keep_score(record.step, record.values[_KNN])
            self._scores_read = True
        self._keep_score(step, score)
        return max((s for _, s in self._scores if math.isfinite(s)), default=None)

    def _keep_score(self, step: int, score: float) -> None:
        while self._scores and self._scores[-1][0] >= step:
            self._scores.pop()
        self._scores.append((step, score))


def _put_in_place(draft: Path, runs: Path, preset_name: str, name: str | None) -> Path:
    """Give a whole folder its name, which no other run has; a rename never replaces a run."""
    if name is not None:
        try:
            return draft.rename(runs / name)
        except OSError as error:
            if error.errno not in _TAKEN:
                raise
            raise _taken(runs / name) from error
    preset = re.sub(r"[^A-Za-z0-9._-]+", "-", preset_name).strip("-")[:80] or "preset"
    stem = f"{datetime.now():%Y%m%d-%H%M%S}-{preset}"
    number = 1
    while True:
        path = runs / (stem if number == 1 else f"{stem}-{number}")
        number += 1
        if os.path.lexists(path):
            continue
        try:
            return draft.rename(path)
        except OSError as error:
            if error.errno not in _TAKEN:
                raise


def check_name(runs: Path, name: str) -> None:
    """Say in a RunError why a new run cannot be called `name`: not a name, or taken."""
    if not _NAME.fullmatch(name) or name == LATEST:
        raise RunError(
            f"'{name}' cannot name a run: use up to 100 letters, digits, '.', '_' and '-', "
            f"beginning with a letter or digit, and not '{LATEST}'"
        )
    if os.path.lexists(runs / name):
        raise _taken(runs / name)


def _taken(path: Path) -> RunError:
    return RunError(f"{path}: exists already: choose another name, or delete that run")
