"""Writes what a loop records, in a thread of its own that the loop never waits for."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Final

from tui_latent.nouns import counted
from tui_latent.runs.control import read_request
from tui_latent.runs.events import LR_FACTOR, Kind, RunEvent, new_event
from tui_latent.runs.origin import MEASURING, Wish
from tui_latent.runs.records import NewRecord
from tui_latent.runs.schema import FolderLostError, Request, State
from tui_latent.runs.writer import RunWriter
from tui_latent.watching.asked import Asked
from tui_latent.watching.evaluations import Evaluations
from tui_latent.watching.measuring import Measuring
from tui_latent.watching.waiting_records import MOST_VALUES, WaitingRecord, WaitingRecords

_PERIOD: Final = 0.5
"""seconds between two visits to the disk; on a busy machine each may cost the loop a moment,
because a thread that has the interpreter may lose its core"""
_AT_ONCE: Final = 500
"""records per write: about 3 ms of Python, for which the loop's thread may have to wait"""
_TOLD_EVERY: Final = 60.0
"""seconds between two lines of the log about what was left out"""
_SYNC_EVERY: Final = 60.0
"""seconds between two times at which everything is safe from a power failure"""
_MOST_LINES: Final = 1000
_LOGGER: Final = logging.getLogger("tui_latent")
_FOR_ROOM: Final = 5.0
"""seconds for which the end of a loop waits for a full disk"""
_A_MOMENT: Final = 2.0
"""seconds for what takes no time, unless the disk does not answer"""


class Recording:
    """The thread that writes a run; everything else here only leaves something for it."""

    def __init__(
        self,
        writer: RunWriter,
        evaluations: Evaluations,
        measuring: Measuring,
        obeys: frozenset[Wish],
        before: Request,
        last_step: int,
    ) -> None:
        """`before` is what was asked of an earlier process, `last_step` the last that it recorded;
        -1 for a new run."""
        self.path: Path = writer.path
        self.records = WaitingRecords()
        self.rewinds: list[int] = []
        """the step to which the loop went back, each time"""
        self.asked = Asked()
        self.paused = False
        """whether the loop waits"""
        self.lines: deque[str] = deque(maxlen=_MOST_LINES)
        """for the log"""
        self.checkpoint_step = writer.status().checkpoint_step
        self._writer, self._measuring, self._evaluations = writer, measuring, evaluations
        self._obeys = obeys
        self._events: deque[RunEvent] = deque(maxlen=_MOST_LINES)
        self._in_hand: list[NewRecord] = []
        """records that the disk has not taken"""
        self._timeline = 0
        """how many of the rewinds are written"""
        self._step = last_step
        """of the newest record that is not late"""
        self._epoch = writer.status().epoch
        self._seconds = self._seconds_before = writer.status().seconds
        self._dropped_before = writer.status().dropped
        self._skipped_before = writer.status().skipped
        self._told = [0, 0]
        """numbers of records and evaluations left out, as last logged"""
        self._tell_again = 0.0
        """time of the monotonic clock after which they may be logged again"""
        self._answered = before.checkpoints
        """checkpoints that were asked for and need no answer any more"""
        self._request = read_request(self.path)
        self._trouble = ""
        """why the disk takes nothing"""
        self._synced = time.monotonic()
        self._closing = threading.Event()
        self._deadline = float("inf")
        self._thread = threading.Thread(target=self._run, name="watch-writer", daemon=True)
        if last_step >= 0:
            self.tell("resume", last_step, f"The loop was started again after step {last_step:,}.")

    def start(self) -> None:
        """Begin to write."""
        self._set_asked()
        self._thread.start()

    def tell(self, kind: Kind, step: int, text: str) -> None:
        """Record an event, and its sentence in the log."""
        self._events.append(new_event(kind, step, text))
        self.lines.append(f"step {step:,}: {text}")

    def checkpoint_saved(self, step: int) -> None:
        """Show the step of the loop's newest checkpoint; requests for one are answered."""
        self._answered = self._request.checkpoints
        self._set_asked()
        self.checkpoint_step = step
        self.lines.append(f"the loop saved its own checkpoint at step {step:,}")

    def finish(self, state: State, error: str | None, seconds: float, until: float) -> None:
        """Write what is left until a time of the monotonic clock, and how the run ended."""
        self._deadline = until
        self._measuring.finish()
        if self._trouble:
            _LOGGER.warning(
                "%s: %s: the last records wait %.0f seconds for disk space",
                self.path, self._trouble, min(_FOR_ROOM, max(until - time.monotonic(), 0)),
            )  # fmt: skip
        self._closing.set()
        try:
            self._thread.join(max(until - time.monotonic(), 0) + _A_MOMENT)
        finally:  # also when someone presses Ctrl-C once more
            self._deadline = 0.0
            self._measuring.kill()
            self._thread.join(_A_MOMENT)
            if not self._thread.is_alive():  # else the disk does not answer
                self._end(state, error, self._seconds_before + seconds)

    def forsake(self) -> None:
        """Release what a forked process inherited; the run belongs to its parent."""
        self._writer.forsake()
        self._measuring.forsake()

    def _end(self, state: State, error: str | None, seconds: float) -> None:
        self._writer.log(f"failed: {error}" if error else state)
        with suppress(OSError, FolderLostError):
            self._writer.status(state=state, phase="", error=error, seconds=seconds)
            self._writer.sync()
        with suppress(OSError):
            self._writer.close()

    def _run(self) -> None:
        refused = False
        while True:
            closing = self._closing.wait(_PERIOD)
            done = False
            try:
                self._visit()
                done = not (self.records or self.lines or self._measuring.unfinished)
            except FolderLostError as error:
                self._lose(error)
                return
            except OSError as error:
                self._disk_refuses(error)
                if closing and not refused:
                    refused = True
                    self._deadline = min(self._deadline, time.monotonic() + _FOR_ROOM)
            except Exception:  # the loop must continue, whatever it was
                self.records.dropped += len(self._in_hand)
                self._in_hand.clear()
                self._evaluations.forget()
                self._writer.log(traceback.format_exc())
            if closing and (done or time.monotonic() > self._deadline):
                self._leave_out()
                return
            if closing:
                time.sleep(_PERIOD / 20)

    def _visit(self) -> None:
        """Write what waits; OSError while the disk refuses it."""
        self._writer.check_still_mine()
        self._look_at_requests()
        rewinds = len(self.rewinds)  # before the last look at the records: these are older
        for lines in (self.lines, self._measuring.lines):
            while lines:
                self._writer.log(lines.popleft())
        while self._in_hand or self._take_records():
            self._write_in_hand()
        if rewinds > self._timeline:  # and no record has come since
            self._cut(rewinds, None)
            self._write_in_hand()
        self._evaluations.undo()
        self._write_measured()
        while self._events:
            self._writer.event(self._events[0])
            self._events.popleft()
        if time.monotonic() - self._synced > _SYNC_EVERY:
            self._writer.sync()
            self._synced = time.monotonic()
        if self._trouble:
            self._trouble = ""
            self._writer.log("the disk takes records again")
        self._show_progress()

    def _write_in_hand(self) -> None:
        self._writer.records(self._in_hand)
        self._in_hand = []

    def _take_records(self) -> bool:
        for record in self.records.take(_AT_ONCE):
            if record.timeline > self._timeline:
                self._cut(record.timeline, record)
            values = dict(zip(record.names, record.values, strict=True))
            self._epoch, self._seconds = record.epoch, self._seconds_before + record.seconds
            late = record.step < self._step
            new = NewRecord(record.step, record.epoch, self._seconds, values, late)
            self._in_hand.append(new)
            self._step = max(record.step, self._step)
        return bool(self._in_hand)

    def _cut(self, timeline: int, record: WaitingRecord | None) -> None:
        """Replace all from the step on to which the loop went back before a record."""
        to = min(self.rewinds[self._timeline : timeline])
        self._timeline = timeline
        if to >= self._step:
            return
        if record is None or record.step > to:
            self._in_hand.append(NewRecord(to, self._epoch, self._seconds, {}))
        self.tell("resume", to, f"The loop went back from step {self._step:,}.")
        self._step = to
        self._evaluations.undo_from(to)

    def _write_measured(self) -> None:
        while self._evaluations.in_hand or self._measuring.results:
            if self._evaluations.in_hand is None:
                self._evaluations.in_hand = self._measuring.results.popleft()
            of = self._evaluations.in_hand.of
            if any(of.step >= to for to in self.rewinds[of.timeline :]):
                self._evaluations.forget()  # the loop has gone back since
                continue
            self._evaluations.write(of.step < self._step, self._seconds_before, self.tell)
            self._step = max(self._step, of.step)

    def _look_at_requests(self) -> None:
        old, request = self._request, read_request(self.path, self._request)
        if request is old:
            return
        self._request = request
        if request.lr_factor != old.lr_factor and "lr" in self._obeys:
            text = f"From here on, the learning rate is multiplied by {request.lr_factor:g}."
            self._events.append(
                new_event(
                    "rate", max(self._step, 0), text,
                    setting=LR_FACTOR, old=old.lr_factor, new=request.lr_factor,
                    who=request.lr_who or None, serial=request.lr_serial,
                )
            )  # fmt: skip
            self.lines.append(text)
        self._set_asked()

    def _set_asked(self) -> None:
        request = self._request
        asked = Asked(
            request.state == "pause",
            request.state == "stop",
            request.checkpoints > self._answered,
            request.lr_factor,
        )
        if asked != self.asked:
            self.asked = asked

    def _left_out(self, records: int = 0, evaluations: int = 0) -> dict[str, int]:
        """Return the status fields that count what was left out, including these."""
        return {
            "dropped": self._dropped_before + self.records.dropped + records,
            "skipped": self._skipped_before + self._measuring.dropped + evaluations,
        }

    def _log_left_out(self, records: int = 0, evaluations: int = 0) -> None:
        """Log what was left out since the last such line."""
        now = [self.records.dropped + records, self._measuring.dropped + evaluations]
        lost, skipped = (new - told for new, told in zip(now, self._told, strict=True))
        self._told = now
        self._tell_again = time.monotonic() + _TOLD_EVERY
        if lost:
            self._writer.log(
                f"{lost:,} record{' was' if lost == 1 else 's were'} left out, the oldest first: "
                "the disk was full or slow"
            )
        if skipped:
            self._writer.log(
                f"{skipped:,} evaluation{' was' if skipped == 1 else 's were'} left out: latents "
                "came faster than they could be measured and written"
            )

    def _show_progress(self) -> None:
        if time.monotonic() > self._tell_again and (
            [self.records.dropped, self._measuring.dropped] != self._told
        ):
            self._log_left_out()
        self._writer.status(
            state="paused" if self.paused else "running",
            step=max(self._step, 0),
            epoch=self._epoch,
            seconds=self._seconds,
            phase=self._phase(),
            checkpoint_step=self.checkpoint_step,
            lr_factor=self._request.lr_factor if "lr" in self._obeys else 1.0,
            error=None,
            **self._left_out(),
        )

    def _phase(self) -> str:
        if self.paused:
            return "waiting"
        return MEASURING if self._measuring.unfinished else "training"

    def _disk_refuses(self, error: OSError) -> None:
        trouble = f"the disk takes no records: {error.strerror or error}"
        if trouble != self._trouble:
            self._trouble = trouble
            self._writer.log(trouble)
        self._writer.status(
            error=f"{trouble}: free some space; the loop continues without the oldest records",
            **self._left_out(),
        )

    def _lose(self, error: FolderLostError) -> None:
        """Warn on the loop's console that recording has ended; discard what the loop still logs."""
        _LOGGER.warning("%s: nothing more is recorded of it; the loop continues", error.what)
        self._measuring.kill()
        while not self._closing.wait(_PERIOD):
            self.records.take(MOST_VALUES)

    def _leave_out(self) -> None:
        """Count the records and evaluations that could not be written in time."""
        left = len(self._in_hand) + len(self.records.take(MOST_VALUES))
        unfinished = self._measuring.unfinished
        self._log_left_out(left, unfinished)
        if left or unfinished:
            _LOGGER.warning(
                "%s: lost at the end: %s%s",
                self.path,
                " and ".join(
                    counted(count, what)
                    for count, what in ((left, "record"), (unfinished, "evaluation"))
                    if count
                ),
                f": {self._trouble}" if self._trouble else ", which took too long to measure",
            )  # fmt: skip
            self._writer.status(**self._left_out(left, unfinished))
