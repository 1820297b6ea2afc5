"""Settings changed while a run trains: applied between two updates and recorded as events."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Mapping

from tui_latent.config.preset_files import PresetError
from tui_latent.config.tuning import live_values, rate_settings, with_values
from tui_latent.runs.events import LR_FACTOR, EventsReader, RunEvent, Value, settings_at
from tui_latent.runs.schema import GoBack, Request, Wanted
from tui_latent.training.best_checkpoint import BestLoss
from tui_latent.training.checkpoint import checkpoint_file
from tui_latent.training.loop import TrainingLoop
from tui_latent.training.recorder import Recorder


class BackRequested(Exception):
    """Raised between steps when the run is to be trained again from an earlier checkpoint."""

    def __init__(self, back: GoBack, text: str, old: Value | None) -> None:
        super().__init__(text)
        self.back, self.text, self.old = back, text, old


class LiveSettings:
    """Makes requested changes, and after a resume makes earlier ones again at their steps.

    The values at an update depend on the events and its step alone, so a run that was killed and
    resumed makes each change at the same update as one that was not.
    """

    def __init__(
        self, loop: TrainingLoop, recorder: Recorder, events: EventsReader, best: BestLoss
    ) -> None:
        self._loop, self._recorder, self._events, self._best = loop, recorder, events, best
        self._preset = loop.preset
        """the run's preset, before any change"""
        self._values: dict[str, Value] = {}
        """settings that differ from the preset now"""
        self._again: deque[RunEvent] = deque()
        """changes at later steps than the one from which the run was resumed"""
        self._seen: Request | None = None

    def restore(self, request: Request) -> None:
        """Apply the changes made up to the loop's step; `request` is what was requested so far."""
        step = self._loop.done
        changes = [event for event in self._events.refresh() if event.sets]
        ahead = [event for event in changes if event.step > step]
        self._again = deque(sorted(ahead, key=lambda event: event.step))
        values = dict(settings_at(changes, step))
        factor: Value = request.first_lr_factor
        factor = next((e.old for e in ahead if e.setting == LR_FACTOR and e.old), factor)
        self._scale(values.pop(LR_FACTOR, factor))
        for event in changes:
            if event.step <= step and event.setting in values:
                self._set(event.setting, values[event.setting], event.step)

    @property
    def steps_to_change(self) -> int:
        """The number of steps before the next change that is made again after a resume."""
        return self._again[0].step - self._loop.done if self._again else sys.maxsize

    def follow(self, request: Request) -> None:
        """Make the changes due before the next update.

        BackRequested when the run should go on from an earlier checkpoint.
        """
        if self._again or request is not self._seen:
            self._follow(request)

    def _follow(self, request: Request) -> None:
        while self._again and self._again[0].step <= self._loop.done:
            self._make_again(self._again.popleft())
        self._seen = request
        if request.back is not None and self._is_new(request.back.setting, request.back.serial):
            self._go_back(request.back)
        if self._is_new(LR_FACTOR, request.lr_serial):
            self._change_factor(Wanted(request.lr_factor, request.lr_who, request.lr_serial))
        new = [(w.serial, k, w) for k, w in request.settings.items() if self._is_new(k, w.serial)]
        for _, setting, wanted in sorted(new, key=lambda each: each[:2]):
            self._change(setting, wanted)

    def _is_new(self, setting: str, serial: int) -> bool:
        return serial > self._events.answered.get(setting, 0)

    def _make_again(self, event: RunEvent) -> None:
        assert event.setting is not None and event.new is not None
        if event.setting == LR_FACTOR:
            self._scale(event.new)
        else:
            self._set(event.setting, event.new, event.step)
        self._recorder.writer.log(f"as before the resume: {event.text}")

    def _change_factor(self, wanted: Wanted) -> None:
        loop, new = self._loop, wanted.value
        self._answer(LR_FACTOR, wanted.serial)
        if new == loop.lr_factor or not isinstance(new, (int, float)):
            return
        rates = f"{loop.scheduled_lr * loop.lr_factor:.3g} → {loop.scheduled_lr * new:.3g}"
        text = f"Learning rate {rates}, {new:g} times the schedule's."
        self._record("rate", LR_FACTOR, text, loop.lr_factor, wanted)
        self._scale(new)

    def _change(self, setting: str, wanted: Wanted) -> None:
        old = self._now().get(setting)
        self._answer(setting, wanted.serial)
        if old is None:
            self._recorder.writer.log(f"{setting} cannot be changed while the run trains")
            return
        if old == wanted.value:
            return
        try:
            with_values(self._preset, self._values | {setting: wanted.value})
        except PresetError as error:
            self._recorder.writer.log(str(error))
            return
        text = f"{setting} {_written(old)} → {_written(wanted.value)}."
        kind = "rate" if setting in rate_settings(self._preset) else "change"
        self._record(kind, setting, text, old, wanted)
        self._set(setting, wanted.value, self._loop.done)

    def _go_back(self, back: GoBack) -> None:
        wanted = Wanted(back.value, back.who, back.serial)
        file = checkpoint_file(self._recorder.writer.path / "checkpoints", back.step)
        if not file.is_file() or back.step > self._loop.done:
            self._recorder.writer.log(f"cannot go back: there is no checkpoint of step {back.step}")
            if back.setting == LR_FACTOR:
                self._change_factor(wanted)
            else:
                self._change(back.setting, wanted)
            return
        old = self._now().get(back.setting)
        what = f"{back.setting} is {_written(back.value)} again"
        text = f"Went back from step {self._loop.done:,}: {what}."
        raise BackRequested(back, text, old)

    def _record(self, kind: str, setting: str, text: str, old: Value, wanted: Wanted) -> None:
        self._recorder.event(
            "rate" if kind == "rate" else "change",
            self._loop.done,
            text,
            setting=setting,
            old=old,
            new=wanted.value,
            who=wanted.who or None,
            serial=wanted.serial,
        )

    def _answer(self, setting: str, serial: int) -> None:
        """Note that a request is answered; it also replaces changes that were to be made again."""
        self._events.answered[setting] = serial
        self._again = deque(event for event in self._again if event.setting != setting)

    def _now(self) -> Mapping[str, Value]:
        """Return the current values of all settings that can be changed, and the rate's factor."""
        return live_values(self._loop.preset) | {LR_FACTOR: self._loop.lr_factor}

    def _scale(self, factor: Value) -> None:
        if isinstance(factor, (int, float)) and factor > 0:
            self._loop.lr_factor = float(factor)
        self._recorder.writer.status(lr_factor=self._loop.lr_factor)

    def _set(self, setting: str, value: Value, step: int) -> None:
        """Train with a value from the next update on; `step` is that of its event."""
        self._values[setting] = value
        self._loop.tune(with_values(self._preset, self._values))
        if setting.startswith("method."):
            self._best.forget_until(step)


def _written(value: Value) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)
