"""`events.jsonl`: what happened to a run, one event a line, read as it grows.

A line replaces earlier ones where the training went back behind them. A `resume` at a step removes
what the training finds again by itself (stages, collapses); changes of settings stay, because the
resumed training makes them again at their steps. A `retry` removes all that followed its step. A
later change of a setting removes those of the same setting at later steps.
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
"""the setting of an event that scales the scheduled learning rate; it is in no preset"""

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
    """who asked for it: user@host"""
    serial: int | None = None
    """of the request in `control.json` that it answers"""

    @property
    def sets(self) -> bool:
        """Whether it is a change of a setting, which holds from the next update on."""
        return self.setting is not None and self.new is not None


def new_event(kind: Kind, step: int, text: str, **fields: Any) -> RunEvent:
    """Return an event of now; `fields` are those of `RunEvent` that may be left out."""
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    return RunEvent(step, now, kind, text, **fields)


def event_line(event: RunEvent) -> bytes:
    """Write an event as JSON, without a newline; fields without a value are left out."""
    table = {name: value for name, value in asdict(event).items() if value is not None}
    return json.dumps(table, ensure_ascii=False, separators=(",", ":")).encode()


def parse_event(line: bytes) -> RunEvent | None:
    """Read a line; None when it is no event. Fields of a wrong type are left out."""
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
    """Return the events that still hold, in the order of their lines, which replace each other."""
    kept: list[RunEvent] = []
    farthest = -1
    for event in events:
        if event.step <= farthest:  # as it is where the training went back, and hardly elsewhere
            kept = [earlier for earlier in kept if not _replaces(event, earlier)]
        kept.append(event)
        farthest = max(farthest, event.step)
    return tuple(kept)


def settings_at(events: Iterable[RunEvent], step: int) -> Mapping[str, Value]:
    """Return the settings that changes have given other values by the update after `step`."""
    return {
        event.setting: event.new
        for event in events
        if event.setting is not None and event.new is not None and event.step <= step
    }


def settings_now(events: Sequence[RunEvent], step: int) -> Mapping[str, Value]:
    """Return the settings that changes have given other values by now.

    `step` is the status's, which may be a second older than the newest line.
    """
    return settings_at(events, max([step, *(event.step for event in events[-1:])]))


def read_events(run: Path) -> tuple[RunEvent, ...]:
    """Return the events of the run at `run` that still hold; OSError when they cannot be read."""
    return EventsReader(run / FILE).refresh()


class EventsReader:
    """The events of a run that still hold, kept up to date at a cost of the new lines."""

    def __init__(self, path: Path) -> None:
        self._file = GrowingLines(path)
        self._events: tuple[RunEvent, ...] = ()
        self.answered: dict[str, int] = {}
        """setting -> the largest serial of a request that an event answers, standing or not"""

    def refresh(self) -> tuple[RunEvent, ...]:
        """Take in what the file has gained; the same tuple if it is nothing."""
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
    """Return whether a line takes an earlier one away."""
    match event.kind:
        case "retry":
            return earlier.step > event.step
        case "resume" if earlier.kind == "stage":  # it begins after a checkpoint of its first step
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
