"""Settings that people change while a run trains: made between two updates, kept as events."""

from __future__ import annotations

from collections import deque

from tui_latent.runs.events import LR_FACTOR, EventsReader, RunEvent, Value, settings_at
from tui_latent.runs.schema import Request
from tui_latent.training.loop import TrainingLoop
from tui_latent.training.recorder import Recorder


class LiveSettings:
    """Makes the changes that are asked for, and after a resume those that were made before.

    What holds at an update is a function of the events and its step alone, so a run that was
    killed and resumed has each change at the same update as one that was not.
    """

    def __init__(self, loop: TrainingLoop, recorder: Recorder, events: EventsReader) -> None:
        self._loop, self._recorder = loop, recorder
        self._events = events
        self._again: deque[RunEvent] = deque()
        """changes ahead of the step from which the run was resumed"""
        self._seen: Request | None = None

    def restore(self, request: Request) -> None:
        """Put in force what holds at the loop's step; `request` is what is asked at the start."""
        standing, step = self._events.refresh(), self._loop.done
        changes = [event for event in standing if event.sets]
        self._again = deque(sorted(_after(changes, step), key=lambda event: event.step))
        values = settings_at(changes, step)
        first = next((e.old for e in self._again if e.setting == LR_FACTOR), None)
        # A request of before there were events has no serial, and holds from the start.
        otherwise = request.lr_factor if not request.lr_serial else 1.0
        self._set(LR_FACTOR, values.get(LR_FACTOR, otherwise if first is None else first))

    def follow(self, request: Request) -> None:
        """Make the changes that are due before the next update."""
        if self._again or request is not self._seen:
            self._follow(request)

    def _follow(self, request: Request) -> None:
        while self._again and self._again[0].step <= self._loop.done:
            event = self._again.popleft()
            if event.setting is not None and event.new is not None:
                self._set(event.setting, event.new)
                self._recorder.writer.log(f"as before the resume: {event.text}")
        self._seen = request
        if request.lr_serial > self._events.answered.get(LR_FACTOR, 0):
            self._scale(request)

    def _scale(self, request: Request) -> None:
        before, old = self._loop.scheduled_lr, self._loop.lr_factor
        new = request.lr_factor
        self._events.answered[LR_FACTOR] = request.lr_serial
        self._again = deque(event for event in self._again if event.setting != LR_FACTOR)
        if new == old:
            return
        rates = f"{before * old:.3g} → {before * new:.3g}"
        self._recorder.event(
            "rate",
            self._loop.done,
            f"Learning rate {rates}, {new:g} times the schedule's.",
            setting=LR_FACTOR,
            old=old,
            new=new,
            who=request.lr_who or None,
            serial=request.lr_serial,
        )
        self._set(LR_FACTOR, new)

    def _set(self, setting: str, value: Value) -> None:
        if setting == LR_FACTOR and isinstance(value, (int, float)) and value > 0:
            self._loop.lr_factor = float(value)
            self._recorder.writer.status(lr_factor=self._loop.lr_factor)


def _after(events: list[RunEvent], step: int) -> list[RunEvent]:
    return [event for event in events if event.step > step]
