"""The measuring of latents, as the watched process sees it."""

from __future__ import annotations

import threading
import traceback
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from numpy.typing import NDArray

from tui_latent.runs.atomic_files import temporary_beside
from tui_latent.runs.latents_file import LATENTS_FILE
from tui_latent.watching.own_process import EndedError, OwnProcess
from tui_latent.watching.waiting_latents import Measured, WaitingLatents

_MOST_LINES: Final = 100
MOST_BYTES: Final = 1 << 28
"""of latents that wait to be measured, and as many that wait for the disk. A short training may be
over before the process has started, which takes seconds"""


class Measuring:
    """Has latents measured by a process of its own, one after the other.

    It starts with the first latents, so that the loop keeps its interpreter to itself, and is
    started again if it dies.
    """

    def __init__(self, run: Path, previous: NDArray[Any] | None) -> None:
        """`previous` is the newest map (N, 2), to which the first is aligned."""
        self.results: deque[Measured] = deque()
        self.dropped = 0
        """latents that made room for newer ones"""
        self._run = run
        self._previous = previous
        self.lines: deque[str] = deque(maxlen=_MOST_LINES)
        """for the log"""
        self._waiting: deque[WaitingLatents] = deque()
        self._change = threading.Condition()
        self._busy = self._ending = False
        self._process = OwnProcess()
        self._thread = threading.Thread(target=self._work, name="watch-measuring", daemon=True)

    def put(self, latents: WaitingLatents) -> None:
        """Have latents measured; those that have waited longest make room for them."""
        with self._change:
            if self._ending:
                return
            self._waiting.append(latents)
            while _too_many([each.nbytes for each in self._waiting]):
                self._waiting.popleft()
                self.dropped += 1
            if self._thread.ident is None:
                self._thread.start()
            self._change.notify()

    @property
    def unfinished(self) -> int:
        """How many latents are not measured yet, or not written."""
        with self._change:
            return len(self._waiting) + self._busy + len(self.results)

    def finish(self) -> None:
        """Let the process end once everything is measured."""
        with self._change:
            self._ending = True
            self._change.notify()

    def kill(self) -> None:
        """End the process now."""
        with self._change:
            self._waiting.clear()
        self.finish()
        self._process.kill()

    def forsake(self) -> None:
        """Let go of the process in one that was forked off."""
        self._process.forsake()

    def _work(self) -> None:
        while (latents := self._next()) is not None:
            measured = None
            try:
                measured = self._measured(latents)
            except Exception:  # the loop must continue, whatever it was
                self.lines.append(traceback.format_exc())
            finally:
                with self._change:
                    if measured is None:
                        self.dropped += 1
                    else:
                        self._keep(measured)
                    self._busy = False
        self._process.close()

    def _keep(self, measured: Measured) -> None:
        self.results.append(measured)
        while _too_many([each.of.nbytes for each in list(self.results)]):  # a full or slow disk
            with suppress(OSError):
                Path(self.results.popleft().latents_file).unlink(missing_ok=True)
            self.dropped += 1

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
        file = str(temporary_beside(self._run / LATENTS_FILE))
        about = {"task": "measure", "step": latents.step, "file": file}
        given = {
            "queries": latents.queries,
            "labels": latents.labels,
            "bank": latents.bank,
            "bank_labels": latents.bank_labels,
            "previous": self._previous,
        }
        sent = {name: array for name, array in given.items() if array is not None}
        try:
            try:
                found, arrays = self._process.ask(about, sent)
            except EndedError:  # something else may have ended it: once more
                found, arrays = self._process.ask(about, sent)
        except EndedError as error:
            found = {"error": f"the process that measures them ended ({error})"}
        if "error" in found:
            self.lines.append(
                f"step {latents.step:,}: the latents were not measured: {found['error']}"
            )
            return None
        points = arrays.get("points")
        if points is not None:
            self._previous = points
        return Measured(
            latents,
            found["metrics"],
            found["missing"],
            points,
            arrays.get("confusion"),
            found["problem"],
            found["collapse"],
            file,
        )


def _too_many(sizes: Sequence[int]) -> bool:
    """Return whether the oldest must make room; the newest always has its place."""
    return len(sizes) > 1 and sum(sizes) > MOST_BYTES
