"""`status.json`: read, write, and find out whether a run that says it is live really is."""

from __future__ import annotations

import json
import math
import os
import socket
import time
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, Final, get_args, get_type_hints

from tui_latent.records.files import Signature, replace_small_file, signature
from tui_latent.records.plain import plain_text
from tui_latent.records.schema import LIVE_STATES, State, Status
from tui_latent.regular_files import read_small

STALE_AFTER: Final = 30.0
"""seconds without a heartbeat after which a run counts as interrupted"""

HOST: Final = socket.gethostname()

_TYPES: Final = {name: hint for name, hint in get_type_hints(Status).items() if name != "state"}


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
        raise StatusError(f"status.json is torn: {error}") from error
    if not isinstance(table, dict) or table.get("state") not in get_args(State):
        raise StatusError("status.json is torn: it names no state")
    known = {field.name for field in fields(Status)}
    return Status(**{key: _checked(key, table[key]) for key in table if key in known})


def with_interruption(status: Status, seen_beating: bool = False) -> Status:
    """Return the status with `interrupted` put in when its trainer is gone.

    On this host a dead process counts at once; else a heartbeat 30 s away from our clock does,
    unless the caller has `seen_beating`: the heartbeat change, on a host with another clock.
    """
    if status.state not in LIVE_STATES:
        return status
    here = status.host == HOST and status.pid > 0
    if here and not _alive(status.pid):
        return replace(status, state="interrupted")
    if abs(time.time() - status.heartbeat) > STALE_AFTER and not seen_beating:
        return replace(status, state="interrupted")
    return status


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True


def _checked(key: str, value: Any) -> Any:
    """Return a value of the type that the field has; StatusError when it has another."""
    if key == "state":
        return value
    hint = _TYPES[key]
    allowed = get_args(hint) or (hint,)
    if isinstance(value, int) and not isinstance(value, bool) and float in allowed:
        try:
            return float(value)
        except OverflowError as error:
            raise StatusError(f"status.json is torn: {key} is out of range") from error
    if isinstance(value, bool) or not isinstance(value, allowed):
        raise StatusError(f"status.json is torn: {key} is {value!r}")
    return plain_text(value) if isinstance(value, str) else value


class StatusFile:
    """Follows the status of one run: the newest that could be read, with an interruption put in."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._signature: Signature | None = None
        self._read = Status(state="interrupted")
        self._beat_seen = -math.inf
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
        seen_beating = time.monotonic() - self._beat_seen < STALE_AFTER
        return with_interruption(self._read, seen_beating)

    def _take(self) -> None:
        try:
            new = read_status(self._path)
        except StatusError as error:
            self.problem = str(error)
            return
        self.problem = ""
        if self._read.heartbeat and new.heartbeat != self._read.heartbeat:
            self._beat_seen = time.monotonic()
        self._read = new
