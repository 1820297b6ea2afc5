"""The process that measures latents, as the watched process sees it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

import numpy as np

import tui_latent
from tui_latent.runs.atomic_files import temporary_beside
from tui_latent.runs.latents_file import LATENTS_FILE
from tui_latent.watching.pipe import receive, send
from tui_latent.watching.waiting_latents import Measured, WaitingLatents

_MOST_WAITING: Final = 2
"""evaluations; each holds a copy of its latents"""
_ALONE: Final = {
    "CUDA_VISIBLE_DEVICES": "",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONUNBUFFERED": "1",
}
"""environment of the process: cores and GPUs are the loop's"""


class Measuring:
    """Sends latents to `python -m tui_latent.watching.measure`, one after the other.

    The process starts with the first latents, so that the loop keeps its interpreter to itself,
    and is started again if it dies.
    """

    def __init__(
        self, run: Path, previous: np.ndarray[Any, Any] | None, log: Callable[[str], None]
    ) -> None:
        """`previous` is the newest map (N, 2), to which the first is aligned."""
        self._run = run
        self._previous = previous
        self._log = log
        self._waiting: deque[WaitingLatents] = deque()
        self.results: deque[Measured] = deque()
        self.dropped = 0
        """latents that made room for newer ones"""
        self._change = threading.Condition()
        self._busy = self._ending = False
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self._thread = threading.Thread(target=self._work, name="watch-measuring", daemon=True)

    def put(self, latents: WaitingLatents) -> None:
        """Have latents measured."""
        with self._change:
            if len(self._waiting) >= _MOST_WAITING:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(latents)
            if self._thread.ident is None:
                self._thread.start()
            self._change.notify()

    @property
    def unfinished(self) -> int:
        """How many latents are not measured yet, or not written."""
        return len(self._waiting) + self._busy + len(self.results)

    @property
    def idle(self) -> bool:
        """Whether everything is measured and written."""
        with self._change:
            return not self.unfinished

    def finish(self) -> None:
        """Let the process end once everything is measured."""
        with self._change:
            self._ending = True
            self._change.notify()

    def kill(self) -> None:
        """End the process now."""
        self.finish()
        if self._process is not None:
            with suppress(OSError):
                self._process.kill()
                self._process.wait(5)

    def _work(self) -> None:
        while (latents := self._next()) is not None:
            try:
                measured = self._measured(latents)
            except Exception:  # the loop must go on, whatever it was
                measured = None
                self._log(traceback.format_exc())
            with self._change:
                if measured is not None:
                    self.results.append(measured)
                self._busy = False
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()  # which ends it

    def _next(self) -> WaitingLatents | None:
        with self._change:
            while not self._waiting and not self._ending:
                self._change.wait()
            if not self._waiting:
                return None
            self._busy = True
            return self._waiting.popleft()

    def _measured(self, latents: WaitingLatents) -> Measured | None:
        """Return what came out of latents; None, and why in the log, when nothing did."""
        for _ in range(2):
            try:
                return self._ask(latents)
            except (OSError, EOFError) as error:
                ended = self._ended() or str(error)
                if self._ending and not self._waiting:
                    break
        self._log(
            f"step {latents.step:,}: the latents were not measured: "
            f"the process that measures them ended: {ended}"
        )
        return None

    def _ask(self, latents: WaitingLatents) -> Measured | None:
        process = self._process or self._start()
        assert process.stdin is not None and process.stdout is not None
        about = {"step": latents.step, "file": str(temporary_beside(self._run / LATENTS_FILE))}
        arrays = {
            "queries": latents.queries,
            "labels": latents.labels,
            "bank": latents.bank,
            "bank_labels": latents.bank_labels,
            "previous": self._previous,
        }
        send(process.stdin, about, {name: a for name, a in arrays.items() if a is not None})
        found, arrays = receive(process.stdout)
        if "error" in found:
            self._log(f"step {latents.step:,}: the latents were not measured: {found['error']}")
            return None
        if (points := arrays.get("points")) is not None:
            self._previous = points
        return Measured(
            latents,
            found["metrics"],
            found["missing"],
            points,
            arrays.get("confusion"),
            found["problem"],
            found["collapse"],
            about["file"],
        )

    def _start(self) -> subprocess.Popen[bytes]:
        package = str(Path(tui_latent.__file__).parents[1])
        path = os.pathsep.join([package, *filter(None, [os.environ.get("PYTHONPATH")])])
        self._errors = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tui_latent.watching.measure"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, **_ALONE, "PYTHONPATH": path},
            start_new_session=True,  # Ctrl-C in the terminal is for the loop
        )
        return self._process

    def _ended(self) -> str:
        """Forget the process, and return its last line of errors."""
        process, errors = self._process, self._errors
        self._process = self._errors = None
        if process is None or errors is None:
            return ""
        process.kill()
        code = process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()
        errors.seek(0)
        lines = errors.read().decode("utf-8", "replace").strip().splitlines()
        errors.close()
        return f"exit code {code}{f': {lines[-1]}' if lines else ''}"
