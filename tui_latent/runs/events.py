"""`events.jsonl`: what happened to a run, one event per line, read as the file grows.

When training goes back to an earlier step, a new line replaces earlier lines of later steps. A
`resume` removes the events that training will record again (stages, collapses); changes of settings
stay, because the resumed run makes them again at their steps. A `retry` removes all events after
its step. A change of a setting removes changes of the same setting at later steps.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from tui_latent.runs.line_files import GrowingLines
from tui_latent.runtime.sanitize import plain_line, plain_name

Kind = Literal["stage", "rate", "resume", "collapse", "change", "fork", "retry", "disk"]
Value = float | int | str | bool

FILE: Final = "events.jsonl"
LR_FACTOR: Final = "lr_factor"
"""setting of an event that scales the scheduled learning rate; no preset contains it"""

_LARGEST_STEP: Final = 2**53
_CHANGES: Final = frozenset({"rate", "change"})
_TEXTS: Final = ("setting", "who")


@dataclass(frozen=True)
class RunEvent:
    """Something that happened to a run after `step` updates."""

    step: int
    time: str
    """local time with its offset, as ISO 8601 writes it, to the second"""
    kind: str
    """one of `Kind`; a newer version may write others"""
    text: str
    """one short sentence for people"""
    setting: str | None = None
    """dotted name of the setting that changed, or `lr_factor`"""
    old: Value | None = None
    new: Value | None = None
    who: str | None = None
    """who requested it: user@host"""
    serial: int | None = None
    """serial number of the request in `control.json` that it answers"""

    @property
    def sets(self) -> bool:
        """True for a change of a setting, which applies from the next update on."""
        return self.setting is not None and self.new is not None


def new_event(kind: Kind, step: int, text: str, **fields: Any) -> RunEvent:
    """Return an event with the current time; `fields` are the optional ones of `RunEvent`."""
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    return RunEvent(step, now, kind, text, **fields)


def event_line(event: RunEvent) -> bytes:
    """Write an event as JSON, without a newline; fields without a value are left out."""
    table = {name: value for name, value in asdict(event).items() if value is not None}
    return json.dumps(table, ensure_ascii=False, separators=(",", ":")).encode()


def parse_event(line: bytes) -> RunEvent | None:
    """Read a line; None if it is not an event. Fields of a wrong type are left out."""
    try:
        table = json.loads(line.decode())
    except (ValueError, RecursionError):
        return None
    if not isinstance(table, dict):
        return None
    step, kind, text = table.get("step"), table.get("kind"), table.get("text")
    if type(step) is not int or not 0 <= step <= _LARGEST_STEP:
        return None
    if not isinstance(kind, str) or not isinstance(text, str):
        return None
    time, serial = table.get("time"), table.get("serial")
    return RunEvent(
        step=step,
        time=plain_name(time) if isinstance(time, str) else "",
        kind=plain_name(kind),
        text=plain_line(text),
        **{name: _name(table.get(name)) for name in _TEXTS},
        old=_value(table.get("old")),
        new=_value(table.get("new")),
        serial=serial if type(serial) is int else None,
    )


def standing(events: Iterable[RunEvent]) -> tuple[RunEvent, ...]:
    """Return the events that no later one has replaced, in the order of their lines."""
    kept: list[RunEvent] = []
    farthest = -1
    for event in events:
        if event.step <= farthest:  # training went back, or several events share a step
            kept = [earlier for earlier in kept if not _replaces(event, earlier)]
        kept.append(event)
        farthest = max(farthest, event.step)
    return tuple(kept)


def settings_at(events: Iterable[RunEvent], step: int) -> Mapping[str, Value]:
    """Return the changed settings and their values for the update after `step`."""
    return {
        event.setting: event.new
        for event in events
        if event.setting is not None and event.new is not None and event.step <= step
    }


def settings_now(events: Sequence[RunEvent], step: int) -> Mapping[str, Value]:
    """Return the changed settings and their current values.

    `step` is that of the status, which may be a second older than the newest line.
    """
    return settings_at(events, max([step, *(event.step for event in events[-1:])]))


def read_events(run: Path) -> tuple[RunEvent, ...]:
    """Return the standing events of the run at `run`; OSError when they cannot be read."""
    return EventsReader(run / FILE).refresh()


class EventsReader:
    """The standing events of a run, kept up to date by reading only new lines."""

    def __init__(self, path: Path) -> None:
        self._file = GrowingLines(path)
        self._events: tuple[RunEvent, ...] = ()
        self.answered: dict[str, int] = {}
        """setting -> largest serial of a request that any event answers, standing or not"""

    def refresh(self) -> tuple[RunEvent, ...]:
        """Read what was added to the file; returns the same tuple if nothing was."""
        before = () if self._file.replaced() else self._events
        if before is not self._events:
            self._events, self.answered = (), {}
        new = [event for _, line in self._file.lines() if (event := parse_event(line))]
        if new:
            self._events = standing((*before, *new))
            for event in new:
                if event.setting is not None and event.serial is not None:
                    known = self.answered.get(event.setting, 0)
                    self.answered[event.setting] = max(known, event.serial)
        return self._events


def _replaces(event: RunEvent, earlier: RunEvent) -> bool:
    """Return whether an event replaces an earlier one."""
    match event.kind:
        case "retry":
            return earlier.step > event.step
        case "resume" if earlier.kind == "stage":  # recorded again after that step
            return earlier.step >= event.step
        case "resume":
            return earlier.step > event.step and earlier.kind not in _CHANGES
        case "rate" | "change":
            return earlier.step > event.step and earlier.setting == event.setting and earlier.sets
    return False


def _name(value: Any) -> str | None:
    return plain_name(value) if isinstance(value, str) else None


def _value(value: Any) -> Value | None:
    if isinstance(value, str):
        return plain_name(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (bool, int, float)) else None
