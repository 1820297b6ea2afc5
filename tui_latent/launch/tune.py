"""Change settings of a run during training: check them, and send the request to its trainer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tui_latent.config.presets import load_run_preset
from tui_latent.config.settings import Preset
from tui_latent.config.tuning import changed_settings, live_values, rate_settings, with_values
from tui_latent.launch.foreign import refuse_foreign
from tui_latent.runs.command_word import command_word
from tui_latent.runs.control import read_request, request
from tui_latent.runs.events import (
    FILE,
    LR_FACTOR,
    EventsReader,
    RunEvent,
    Value,
    settings_now,
)
from tui_latent.runs.run_list import run_status
from tui_latent.runs.schema import LIVE_STATES, Request, RunError, Status, Wanted
from tui_latent.training.checkpoint_index import checkpoint_step
from tui_latent.training.schedule import Stage, lr_at, plan_stages, stage_at

REQUESTED: Final = "requested"
"""kind of a change that the trainer has not made yet, as of a paused run; no file contains it"""


@dataclass(frozen=True)
class Desk:
    """The settings of a run that can be changed during training, and their current values."""

    name: str
    preset: Preset
    """as it was when the run began"""
    now: Preset
    """with all changes so far, including those that the trainer has not made yet"""
    waiting: frozenset[str]
    """settings whose change the trainer has not made yet"""
    status: Status
    factor: float
    """multiplies the scheduled learning rate"""

    @property
    def stage(self) -> int:
        """Index of the stage that the next update belongs to."""
        return stage_at(self._stages(), self.status.step).index

    @property
    def rate(self) -> float:
        """Learning rate of the next update."""
        stage = stage_at(self._stages(), self.status.step)
        return lr_at(self.status.step, stage, self.now.train.schedule) * self.factor

    def checked(self, overrides: Mapping[str, object]) -> dict[str, Value]:
        """Return the values that would change; PresetError as for `--set`."""
        return changed_settings(self.now, overrides, self.name, self.stage)

    def with_changes(self, values: Mapping[str, Value]) -> Desk:
        """Return the desk as it is once these changes have been made."""
        now = with_values(self.now, values)
        return Desk(self.name, self.preset, now, self.waiting, self.status, self.factor)

    def _stages(self) -> tuple[Stage, ...]:
        epochs, steps = self.status.total_epochs, self.status.total_steps
        return plan_stages(self.now, max(steps // epochs, 1) if epochs else 1)


def read_desk(path: Path) -> Desk:
    """Read the settings of the run at `path` that can be changed; RunError, PresetError."""
    refuse_foreign(path, "have its settings changed")
    preset, status, asked = load_run_preset(path), run_status(path), read_request(path)
    events, answered = run_events(path)
    values = dict(settings_now(events, status.step))
    waiting = _requested(asked, answered, live_values(preset) | values, status.step)
    values |= {each.setting: each.new for each in waiting if each.setting and each.new is not None}
    factor = float(values.pop(LR_FACTOR, asked.first_lr_factor))
    now = with_values(preset, values)
    names = frozenset(each.setting for each in waiting if each.setting)
    return Desk(path.name, preset, now, names, status, factor)


def tune(path: Path, overrides: Mapping[str, object]) -> str:
    """Ask the trainer of the run at `path` to change settings; return a sentence that says how.

    PresetError for what `--set` would refuse, for settings that are fixed, and for those that
    have the value already; RunError when nothing can be requested, as for a finished run.
    """
    desk = read_desk(path)
    refuse_finished(path, desk.status)
    values = desk.checked(overrides)
    request(path, settings=values)
    return told(desk, values)


def refuse_finished(path: Path, status: Status | None = None) -> None:
    """Refuse to change a setting of a run that is finished: RunError."""
    if (status or run_status(path)).state == "finished":
        raise RunError(
            f"{path.name} is finished: start from one of its checkpoints with other settings: "
            f"tui-latent fork {command_word(path)} --set …"
        )


def told(desk: Desk, values: Mapping[str, Value]) -> str:
    """Return a sentence that says what changes, and from when on."""
    before, after = live_values(desk.now), desk.with_changes(values)
    words = [f"{key} {before[key]:g} → {value:g}" for key, value in values.items()]
    live = desk.status.state in LIVE_STATES
    when = "from the next step on" if live else "once it is resumed"
    if not set(values) & set(rate_settings(desk.preset)):
        return f"{', '.join(words)} {when}"
    return f"{', '.join(words)} {when}; the next step's learning rate is {after.rate:.3g}"


def last_change(path: Path) -> RunEvent | None:
    """Return the newest change of the run at `path` that has not been undone; None without one.

    It may be one that the trainer has not made yet (`REQUESTED`).
    """
    events, answered = run_events(path)
    standing: list[RunEvent] = []
    for event in (*events, *_waiting(path, events, answered)):
        if not event.sets or event.kind == "retry":
            continue
        if standing and _undoes(event, standing[-1]):
            standing.pop()
        else:
            standing.append(event)
    return standing[-1] if standing else None


def checkpoint_before(path: Path, step: int) -> int | None:
    """Return the step of the newest checkpoint up to `step` that was kept; None without one."""
    return max((kept for kept in checkpoint_steps(path) if kept <= step), default=None)


def checkpoint_steps(path: Path) -> tuple[int, ...]:
    """Return the steps of the checkpoints of the run at `path`, in ascending order."""
    try:
        names = [file.name for file in (path / "checkpoints").iterdir()]
    except OSError:  # missing, or not readable: then none can be used
        return ()
    steps = map(checkpoint_step, names)
    return tuple(sorted(step for step in steps if step is not None))


def undo(path: Path, change: RunEvent, checkpoint: int | None = None) -> None:
    """Request the value that a setting had before a change, from the next step on.

    With the step of a `checkpoint`, training also goes back to it. RunError as in `request`, and
    for a run that is finished.
    """
    refuse_finished(path)
    assert change.setting is not None and change.old is not None
    if checkpoint is not None:
        request(path, back=(checkpoint, change.setting, change.old))
    elif change.setting == LR_FACTOR:
        request(path, lr_factor=float(change.old))
    else:
        request(path, settings={change.setting: change.old})


def run_events(path: Path) -> tuple[tuple[RunEvent, ...], Mapping[str, int]]:
    """Return a run's standing events, and the last request answered per setting; RunError."""
    reader = EventsReader(path / FILE)
    try:
        return reader.refresh(), reader.answered
    except OSError as error:
        raise RunError(f"{path / FILE}: cannot be read: {error.strerror or error}") from error


def _waiting(path: Path, events: Sequence[RunEvent], answered: Mapping[str, int]) -> list[RunEvent]:
    asked = read_request(path)
    if not asked.serial:
        return []
    step = run_status(path).step
    values = dict(settings_now(events, step))
    if asked.settings.keys() - values.keys():
        values = live_values(load_run_preset(path)) | values
    return _requested(asked, answered, values, step)


def _requested(
    asked: Request, answered: Mapping[str, int], values: Mapping[str, Value], step: int
) -> list[RunEvent]:
    """Return the changes that the trainer has not made yet, in the order of their requests.

    `values` are those that it trains with, of each setting that is asked for.
    """
    made: dict[str, Value] = {LR_FACTOR: asked.first_lr_factor, **values}
    factor = Wanted(asked.lr_factor, asked.lr_who, asked.lr_serial)
    late = [
        (wanted.serial, setting, wanted)
        for setting, wanted in (*asked.settings.items(), (LR_FACTOR, factor))
        if wanted.serial > answered.get(setting, 0)
    ]
    return [
        RunEvent(
            step,
            "",
            REQUESTED,
            f"{setting} {made[setting]} → {wanted.value}.",
            setting=setting,
            old=made[setting],
            new=wanted.value,
            who=wanted.who or None,
        )
        for _, setting, wanted in sorted(late, key=lambda each: each[:2])
        if setting in made and made[setting] != wanted.value
    ]


def _undoes(event: RunEvent, earlier: RunEvent) -> bool:
    same = event.setting == earlier.setting
    return same and event.new == earlier.old and event.old == earlier.new
