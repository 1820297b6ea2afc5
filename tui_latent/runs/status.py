"""`status.json`: read it, write it, and find out whether a live run really is."""

from __future__ import annotations

import json
import math
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final, get_args, get_type_hints

from tui_latent.runs.atomic_files import Signature, replace_small_file, signature
from tui_latent.runs.process import HOST, is_alive, process_of
from tui_latent.runs.schema import LIVE_STATES, State, Status
from tui_latent.runtime.regular_files import read_small
from tui_latent.runtime.sanitize import plain_text

STALE_AFTER: Final = 30.0
"""seconds without a heartbeat after which a run counts as interrupted"""

BEATS_WITHIN: Final = 2.5
"""seconds within which a live trainer, which writes once a second, is seen to write"""

_ALLOWED: Final = {
    name: get_args(hint) or (hint,)
    for name, hint in get_type_hints(Status).items()
    if name != "state"
}
"""the types that a field may have"""
_STATES: Final = get_args(State)


class StatusError(Exception):
    """`status.json` is missing or torn; the message says which."""


def write_status(path: Path, status: Status) -> None:
    """Replace the status of the run at `path`."""
    replace_small_file(path / "status.json", json.dumps(asdict(status), indent=1).encode())


def read_status(path: Path) -> Status:
    """Read the status of the run at `path` as its trainer left it; StatusError if there is none."""
    try:
        table = json.loads(read_small(path / "status.json"))
    except FileNotFoundError as error:
        raise StatusError("status.json is missing") from error
    except (ValueError, RecursionError) as error:
        raise StatusError(f"status.json is damaged: {error}") from error
    if not isinstance(table, dict) or table.get("state") not in _STATES:
        raise StatusError("status.json is damaged: it has no state")
    known = {key: _checked(key, table[key]) for key in table if key in _ALLOWED}
    return Status(**known, state=table["state"])


def readable_status(path: Path) -> Status:
    """Read the status of the run at `path`; an empty, interrupted one if it is missing or torn."""
    try:
        return read_status(path)
    except StatusError:
        return Status(state="interrupted")


def with_interruption(status: Status, seen_beating: bool = False) -> Status:
    """Return the status with `interrupted` put in when its trainer is gone.

    A process that this system can tell from all others counts by whether it lives. Of any other,
    as one in another container or on another host, only its heartbeat counts: within 30 s of our
    clock, or `seen_beating` by the caller, whatever its clock says. A run starts as long as what
    launched its process lives: torch has yet to be imported there, or PyTorch's launcher starts
    its processes again.
    """
    if status.state not in (*LIVE_STATES, "interrupted"):
        return status
    launched = is_alive(status.host, status.launched_pid, status.launched)
    alive = is_alive(status.host, status.pid, status.process)
    if alive is None:
        gone = not status.pid and launched is False
        alive = not gone and (seen_beating or beats(status))
    if alive and status.state in LIVE_STATES and not awaits_launched(status):
        return status
    return replace(status, state="starting" if launched else "interrupted")


def awaits_launched(status: Status) -> bool:
    """Return whether a launched process is to resume the run, whose last trainer has ended it.

    That trainer may live on: a dashboard that trained the run itself.
    """
    return status.state == "starting" and bool(status.launched_pid) and not status.heartbeat


def note_launched(path: Path, pid: int) -> None:
    """Note which process is to take the run at `path`, unless one has taken it already.

    A run that is resumed starts from then on: nobody should have to ask for it twice. OSError when
    it cannot be written.
    """
    status, process = with_interruption(readable_status(path)), process_of(pid)
    launched = replace(status, host=HOST, launched_pid=pid, launched=process)
    if status.state == "starting" and not status.pid:
        write_status(path, launched)
    elif status.state not in LIVE_STATES and process:
        # Its last trainer stays in the status, without a heartbeat: see `awaits_launched`.
        write_status(path, replace(launched, state="starting", phase="", heartbeat=0.0))


def beats(status: Status) -> bool:
    """Return whether the heartbeat is within 30 s of our clock."""
    return abs(time.time() - status.heartbeat) <= STALE_AFTER


def certain_status(path: Path, seconds: float = BEATS_WITHIN) -> Status:
    """Read the status of the run at `path`, with an interruption put in once that is certain.

    A heartbeat that seems long past may be that of a host with another clock: it is watched for
    some seconds. OSError when the status cannot be read.
    """
    status = readable_status(path)
    shown = with_interruption(status)
    undecided = status.pid and is_alive(status.host, status.pid, status.process) is None
    if shown.state == status.state or not undecided:
        return shown
    return moving_status(path, status, seconds) or shown


def moving_status(path: Path, status: Status, seconds: float = BEATS_WITHIN) -> Status | None:
    """Wait for a heartbeat other than `status` has, and return its status; None if none comes."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0.05)
        try:
            new = read_status(path)
        except StatusError:
            continue
        if new.heartbeat != status.heartbeat:
            return new
    return None


def _checked(key: str, value: Any) -> Any:
    """Return a value of the type that the field has; StatusError when it has another."""
    allowed = _ALLOWED[key]
    if isinstance(value, int) and not isinstance(value, bool) and float in allowed:
        try:
            return float(value)
        except OverflowError as error:
            raise StatusError(f"status.json is damaged: {key} is out of range") from error
    if isinstance(value, bool) or not isinstance(value, allowed):
        raise StatusError(f"status.json is damaged: {key} is {value!r}")
    return plain_text(value) if isinstance(value, str) else value


class _Heartbeat:
    """Remembers whether the heartbeat of one run moves, whatever its host's clock says."""

    def __init__(self) -> None:
        self._last: float | None = None
        self._moved = -math.inf

    def take(self, status: Status) -> None:
        """Compare a status that was just read with the one before it."""
        if self._last not in (None, status.heartbeat):
            self._moved = time.monotonic()
        self._last = status.heartbeat

    def moves(self) -> bool:
        """Return whether it has been seen to move within 30 s."""
        return time.monotonic() - self._moved < STALE_AFTER


class Beats:
    """Remembers for many runs whether their heartbeats move."""

    def __init__(self) -> None:
        self._seen: dict[Path, _Heartbeat] = {}

    def status(self, path: Path) -> Status:
        """Read the status of the run at `path`, with an interruption put in; StatusError."""
        status = read_status(path)
        if status.state not in LIVE_STATES:
            self._seen.pop(path, None)
            return with_interruption(status)
        heartbeat = self._seen.setdefault(path, _Heartbeat())
        heartbeat.take(status)
        return with_interruption(status, heartbeat.moves())


class StatusFile:
    """Follows the status of one run: the newest that could be read, with an interruption put in."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._signature: Signature | None = None
        self._read = Status(state="interrupted")
        self._heartbeat = _Heartbeat()
        self.problem = ""
        """why the file as it is now cannot be read; empty when it can"""

    def refresh(self) -> Status:
        """Return the status now."""
        now = signature(self._path / "status.json")
        # while a run is live the file is always read: two changes within the clock's grain
        # can leave the same signature, and the second may be the last
        if self._read.state in LIVE_STATES or self.problem or now is None or now != self._signature:
            self._signature = now
            self._take()
        return with_interruption(self._read, self._heartbeat.moves())

    def _take(self) -> None:
        try:
            self._read = read_status(self._path)
        except StatusError as error:
            self.problem = str(error)
            return
        self.problem = ""
        self._heartbeat.take(self._read)
