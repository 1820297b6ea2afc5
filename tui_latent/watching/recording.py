"""Writes what a loop records, in a thread of its own that the loop never waits for."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Final

from tui_latent.runs.control import read_request
from tui_latent.runs.events import LR_FACTOR, RunEvent, new_event
from tui_latent.runs.metrics import NewRecord
from tui_latent.runs.schema import FolderLostError, State
from tui_latent.runs.writer import RunWriter
from tui_latent.watching.asked import Asked
from tui_latent.watching.evaluations import Evaluations
from tui_latent.watching.measuring import Measuring
from tui_latent.watching.waiting_latents import WaitingLatents
from tui_latent.watching.waiting_records import MOST_VALUES, WaitingRecord, WaitingRecords

_PERIOD: Final = 0.2
"""seconds between two visits to the disk"""
_AT_ONCE: Final = 500
"""records per write: about 3 ms of Python, for which the loop's thread may have to wait"""
_SYNC_EVERY: Final = 60.0
"""seconds between two times at which everything is safe from a power failure"""
_LAST_WAIT: Final = 60.0
"""seconds that a finished loop waits for its last latents to be measured and written"""
_SHORT_WAIT: Final = 10.0
"""seconds, for a loop that was stopped or failed"""
_MOST_LINES: Final = 1000


class Recording:
    """The thread that writes a run; everything else here only leaves something for it."""

    def __init__(
        self,
        writer: RunWriter,
        measuring: Measuring,
        evaluations: Evaluations,
        first_step: int,
    ) -> None:
        """`first_step` is that of the newest record of an earlier process, -1 for a new run."""
        self.path: Path = writer.path
        self.records = WaitingRecords()
        self.rewinds: list[int] = []
        """the step to which the loop went back, each time"""
        self.asked = Asked()
        self.paused = False
        """whether the loop waits"""
        self._writer, self._measuring, self._evaluations = writer, measuring, evaluations
        self._lines: deque[str] = deque(maxlen=_MOST_LINES)
        self._events: deque[RunEvent] = deque(maxlen=_MOST_LINES)
        self._in_hand: list[NewRecord] = []
        """records that the disk has not taken"""
        self._timeline = 0
        """how many of the rewinds are on disk"""
        self._step = first_step
        """of the newest record that is not late"""
        self._epoch = writer.status().epoch
        self._seconds = self._seconds_before = writer.status().seconds
        self._dropped_before = writer.status().dropped
        self._saved = writer.checkpoints_before
        """checkpoints that were asked for and that the loop has answered"""
        self._request = read_request(self.path)
        self._dropped = 0
        """as the log says"""
        self._trouble = ""
        """why the disk takes nothing, as the log says"""
        self._synced = time.monotonic()
        self._closing = threading.Event()
        self._deadline = float("inf")
        self._thread = threading.Thread(target=self._run, name="watch-writer", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._look_at_requests()
        self._thread.start()

    def measure(self, latents: WaitingLatents) -> None:
        """Have latents measured; those that have waited longest make room for them."""
        self._measuring.put(latents)

    def note(self, text: str) -> None:
        """Add a line to the log."""
        self._lines.append(text)

    def log_exception(
        self,
        kind: type[BaseException],
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Put a traceback into the log."""
        self._lines.append("".join(traceback.format_exception(kind, error, trace)))

    def checkpoint_saved(self, step: int) -> None:
        """Show the step of the loop's newest checkpoint; requests for one are answered."""
        self._saved = self._request.checkpoints
        self._set_asked()
        self._writer.status(checkpoint_step=step)
        self._lines.append(f"the loop wrote a checkpoint at step {step:,}")

    def finish(self, state: State, error: str | None, seconds: float) -> None:
        """Write what is left, for a while, and how the run ended."""
        wait = _LAST_WAIT if state == "finished" else _SHORT_WAIT
        self._deadline = time.monotonic() + wait
        self._measuring.finish()
        self._closing.set()
        try:
            self._thread.join(wait + _PERIOD)
        finally:
            self._measuring.kill()
            if self._thread.is_alive():  # a disk that does not answer: nothing can be written
                return
            self._end(state, error, self._seconds_before + seconds)

    def _end(self, state: State, error: str | None, seconds: float) -> None:
        try:
            if error:
                self._writer.log(f"failed: {error}")
            self._writer.status(state=state, phase="", error=error, seconds=seconds)
            if not error:
                self._writer.log(state)
            self._writer.sync()
        except (OSError, FolderLostError):
            pass
        try:
            self._writer.close()
        except OSError:
            pass

    def _run(self) -> None:
        while True:
            closing = self._closing.wait(_PERIOD)
            try:
                done = self._visit()
            except FolderLostError as error:
                self._lost(error)
                return
            except OSError as error:
                done = False
                self._disk_refuses(error)
            except Exception:  # the loop must go on, whatever it was
                done = False
                self._in_hand.clear()
                self._writer.log(traceback.format_exc())
            if closing and (done or time.monotonic() > self._deadline):
                self._leave_out()
                return
            if closing:
                time.sleep(_PERIOD / 10)

    def _visit(self) -> bool:
        """Write what waits; return whether nothing does any more."""
        self._writer.check_still_mine()
        self._look_at_requests()
        rewinds = len(self.rewinds)
        while self._lines:
            self._writer.log(self._lines.popleft())
        while self._in_hand or self._take_records():
            self._writer.records(self._in_hand)
            self._in_hand = []
        self._go_back_to_be(rewinds)
        self._evaluations.undo()
        self._take_measured()
        while self._events:
            self._writer.event(self._events[0])
            self._events.popleft()
        self._show_progress()
        if time.monotonic() - self._synced > _SYNC_EVERY:
            self._writer.sync()
            self._synced = time.monotonic()
        if self._trouble:
            self._trouble = ""
            self._writer.log("the disk takes records again")
        return not self.records and not self._lines and self._measuring.idle

    def _take_records(self) -> bool:
        for record in self.records.take(_AT_ONCE):
            if record.timeline > self._timeline:
                self._cut(record.timeline, record)
            values = dict(zip(record.names, record.values, strict=True))
            seconds = self._seconds_before + record.seconds
            self._in_hand.append(NewRecord(record.step, record.epoch, seconds, values))
            self._step = record.step
            self._epoch, self._seconds = record.epoch, seconds
        return bool(self._in_hand)

    def _go_back_to_be(self, rewinds: int) -> None:
        """Write that the loop went back, where no record has said so; all before it is on disk."""
        if rewinds > self._timeline:
            self._cut(rewinds, None)
            self._writer.records(self._in_hand)
            self._in_hand = []

    def _cut(self, timeline: int, record: WaitingRecord | None) -> None:
        """Replace all from the step on to which the loop went back."""
        to = min(self.rewinds[self._timeline : timeline])
        self._timeline = timeline
        if record is None or record.step > to:
            self._in_hand.append(NewRecord(to, self._epoch, self._seconds, {}))
        text = f"The loop went back from step {self._step:,} to step {to:,}."
        self._step = to
        self._events.append(new_event("resume", to, text))
        self._lines.append(text)
        self._evaluations.undo_from(to)

    def _take_measured(self) -> None:
        while self._evaluations.in_hand or self._measuring.results:
            if self._evaluations.in_hand is None:
                self._evaluations.in_hand = self._measuring.results.popleft()
            of = self._evaluations.in_hand.of
            if any(of.step >= to for to in self.rewinds[of.timeline :]):
                self._evaluations.forget()  # the loop has gone back since
                continue
            record = self._evaluations.write(late=of.step < self._step, before=self._seconds_before)
            if record is not None:
                self._step = max(self._step, record.step)
                self._writer.sync()
                self._synced = time.monotonic()
        for event in self._evaluations.events():
            self._events.append(event)

    def _look_at_requests(self) -> None:
        request = read_request(self.path, self._request)
        if request == self._request and request is not self._request:
            request = self._request
        old, self._request = self._request, request
        if request.lr_factor != old.lr_factor:
            text = f"The learning rate factor is {request.lr_factor:g}, as asked."
            values = {"setting": LR_FACTOR, "old": old.lr_factor, "new": request.lr_factor}
            who = {"who": request.lr_who or None, "serial": request.lr_serial}
            self._events.append(new_event("rate", self._step, text, **values, **who))
            self._lines.append(text)
        self._set_asked()

    def _set_asked(self) -> None:
        request = self._request
        asked = Asked(
            request.state == "pause",
            request.state == "stop",
            request.checkpoints > self._saved,
            request.lr_factor,
        )
        if asked != self.asked:
            self.asked = asked

    def _show_progress(self) -> None:
        state: State = "paused" if self.paused else "running"
        dropped = self.records.dropped + self._measuring.dropped
        if dropped > self._dropped:
            self._writer.log(
                f"{dropped - self._dropped:,} records were left out, the oldest first: the disk "
                "was full or slow, or latents came faster than they can be measured"
            )
            self._dropped = dropped
        self._writer.status(
            state=state,
            step=max(self._step, 0),
            epoch=self._epoch,
            seconds=self._seconds,
            phase="waiting" if self.paused else "training",
            lr_factor=self._request.lr_factor,
            dropped=self._dropped_before + dropped,
            error=None,
        )

    def _disk_refuses(self, error: OSError) -> None:
        trouble = f"the disk takes no records: {error.strerror or error}"
        if trouble != self._trouble:
            self._trouble = trouble
            self._writer.log(trouble)
        dropped = self._dropped_before + self.records.dropped + self._measuring.dropped
        self._writer.status(dropped=dropped, error=f"{trouble}: the loop goes on without them")

    def _lost(self, error: FolderLostError) -> None:
        """Say where a loop's author looks that nothing is recorded any more."""
        logging.getLogger("tui_latent").warning("%s", error)
        while not self._closing.wait(_PERIOD):
            self.records.take(_AT_ONCE)

    def _leave_out(self) -> None:
        """Count what could not be written in time."""
        left = len(self._in_hand) + len(self.records.take(MOST_VALUES))
        left += self._measuring.unfinished
        if left:
            self._writer.log(
                f"{left:,} records were left out at the end: the disk was too slow, "
                "or the last latents were not measured in time"
            )
            dropped = self._dropped_before + self.records.dropped + self._measuring.dropped
            self._writer.status(dropped=dropped + left)
