"""The trainer's end of a run folder: everything a run leaves behind, except its checkpoints."""

from __future__ import annotations

import math
import re
import shutil
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

from tui_latent.records.control import write_request
from tui_latent.records.files import AppendedLines, read_lines, replace_file
from tui_latent.records.identity import PRESET_FILE, read_identity
from tui_latent.records.liveness import (
    HOST,
    StatusError,
    read_status,
    with_interruption,
    write_status,
)
from tui_latent.records.locks import FileLock
from tui_latent.records.maps import write_map
from tui_latent.records.metrics import MetricsReader, parse_record, record_line
from tui_latent.records.plain import plain_line
from tui_latent.records.runs import LATEST, LOCK_FILE, busy_error
from tui_latent.records.schema import (
    FORMAT,
    LIVE_STATES,
    LatentMap,
    Request,
    RunError,
    Status,
)
from tui_latent.records.toml import dump_toml

_BEAT: Final = 1.0
"""seconds between two writes of the status while nothing else asks for one"""

_KNN: Final = "val/knn_20"
_LOSS: Final = "train/loss"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


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
        path = _new_folder(runs, preset_name, name)
        now = time.time()
        about = {"preset": preset_name, "created": now} | dict(provenance) | {"format": FORMAT}
        text = dump_toml({**preset, "provenance": about})
        try:
            write_status(path, Status(host=HOST, heartbeat=now))
            write_request(path, Request())  # a full disk later still takes requests in its place
            replace_file(path / PRESET_FILE, text.encode(), durable=True)
        except OSError as error:
            shutil.rmtree(path, ignore_errors=True)
            raise RunError(f"{runs}: no run can be made there: {error.strerror}") from error
        return cls(path)

    @classmethod
    def reopen(cls, path: Path) -> RunWriter:
        """Open the folder of an earlier run to go on with it; RunError when it is not a run."""
        read_identity(path)
        return cls(path)

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mutex = threading.RLock()
        self._status = self._status_on_disk()
        self._written = 0.0
        self._unwritten = False
        self._lock = FileLock(path / LOCK_FILE)
        self._metrics = AppendedLines(path / "metrics.jsonl")
        self._curves = MetricsReader(path / "metrics.jsonl")
        self._log = AppendedLines(path / "train.log")
        self._scores: list[tuple[int, float]] = []
        self._scores_read = False
        self._closing = threading.Event()
        self._heart: threading.Thread | None = None

    def lock(self) -> None:
        """Take the run for this process and keep its heartbeat going, until `close`.

        RunBusyError when another live process has it.
        """
        try:
            locked = self._lock.take()
        except BlockingIOError as error:
            raise busy_error(self.path, self._status_on_disk(), "try again") from error
        except OSError as error:
            raise RunError(f"{self.path}: cannot be written: {error.strerror}") from error
        status = with_interruption(self._status_on_disk())
        elsewhere = status.host != HOST if locked else status.pid != getpid()
        if status.pid and elsewhere and status.state in LIVE_STATES:
            self._lock.release()
            raise busy_error(self.path, status, "try again")
        with self._mutex:
            self._status = status
            self._write_status()
        self._heart = threading.Thread(target=self._beat, name="run-heartbeat", daemon=True)
        self._heart.start()

    def status(self, **changes: Any) -> Status:
        """Change fields of the status and return it; written at once when the state changes,
        else within a second. What the disk does not take is tried again with the heartbeat."""
        with self._mutex:
            old, self._status = self._status, replace(self._status, **changes)
            self._unwritten = self._unwritten or bool(changes)
            due = time.monotonic() - self._written >= _BEAT
            if self._status.state != old.state or (due and self._unwritten):
                with suppress(OSError):
                    self._write_status()
            return self._status

    def metrics(self, step: int, epoch: float, seconds: float, values: Mapping[str, float]) -> None:
        """Record values of metrics at a step; `seconds` is the time spent training."""
        self._metrics.append(record_line(step, epoch, seconds, values))
        if _LOSS in values:
            self.status(loss=float(values[_LOSS]))
        if _KNN in values:
            self.status(best_knn_20=self._best_with(step, float(values[_KNN])))

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
        if self._closing.is_set():
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
        with suppress(OSError):
            self._curves.keep()

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
        finally:
            self._metrics.close()
            self._log.close()
            self._lock.release()

    def _status_on_disk(self) -> Status:
        try:
            return read_status(self.path)
        except StatusError:
            return Status(state="interrupted")

    def _write_status(self) -> None:
        self._status = replace(self._status, pid=getpid(), host=HOST, heartbeat=time.time())
        write_status(self.path, self._status)
        self._written = time.monotonic()
        self._unwritten = False

    def _beat(self) -> None:
        while not self._closing.wait(_BEAT):
            with self._mutex:
                try:
                    self._write_status()
                except OSError:
                    continue  # a full disk pauses the run where it would lose something

    def _best_with(self, step: int, score: float) -> float | None:
        """Return the best score with this one; those that a rewound run replaces do not count."""
        if not self._scores_read:
            self._scores_read = True
            for _, line in read_lines(self.path / "metrics.jsonl", 0):
                record = parse_record(line) if _KNN.encode() in line else None
                if record is not None and _KNN in record.values:
                    self._keep_score(record.step, record.values[_KNN])
        self._keep_score(step, score)
        return max((s for _, s in self._scores if math.isfinite(s)), default=None)

    def _keep_score(self, step: int, score: float) -> None:
        while self._scores and self._scores[-1][0] >= step:
            self._scores.pop()
        self._scores.append((step, score))


def _new_folder(runs: Path, preset_name: str, name: str | None) -> Path:
    """Make and return an empty folder that nobody else has."""
    try:
        runs.mkdir(parents=True, exist_ok=True)
        if name is not None:
            return _named_folder(runs, name)
        preset = re.sub(r"[^A-Za-z0-9._-]+", "-", preset_name).strip("-")[:80] or "preset"
        stem = f"{datetime.now():%Y%m%d-%H%M%S}-{preset}"
        number = 1
        while True:
            path = runs / (stem if number == 1 else f"{stem}-{number}")
            try:
                path.mkdir()
            except FileExistsError:
                number += 1
            else:
                return path
    except OSError as error:
        raise RunError(f"{runs}: no run can be made there: {error.strerror}") from error


def check_name(runs: Path, name: str) -> None:
    """Say in a RunError why a new run cannot be called `name`: not a name, or taken."""
    if not _NAME.fullmatch(name) or name == LATEST:
        raise RunError(
            f"'{name}' cannot name a run: use up to 100 letters, digits, '.', '_' and '-', "
            f"beginning with a letter or digit, and not '{LATEST}'"
        )
    if (runs / name).exists():
        raise RunError(f"{runs / name}: exists already: choose another name, or delete that run")


def _named_folder(runs: Path, name: str) -> Path:
    check_name(runs, name)
    path = runs / name
    try:
        path.mkdir()
    except FileExistsError as error:
        raise RunError(
            f"{path}: exists already: choose another name, or delete that run"
        ) from error
    return path
