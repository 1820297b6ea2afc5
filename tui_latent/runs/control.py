"""`control.json`: what a person asks of a trainer, which looks at it between two steps."""

from __future__ import annotations

import json
import math
import time
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_type_hints

from tui_latent.runs.atomic_files import Signature, replace_small_file, signature
from tui_latent.runs.author import author
from tui_latent.runs.file_lock import one_at_a_time
from tui_latent.runs.schema import Request, RunError
from tui_latent.runtime.regular_files import read_small

_FILE: Final = "control.json"
_STATES: Final = get_args(get_type_hints(Request)["state"])
_COUNTS: Final = ("serial", "checkpoints", "state_serial", "lr_serial")
_SINCE: Final[dict[str, Any]] = {"state_serial": 0, "lr_serial": 0, "lr_who": ""}
"""fields that files of earlier versions do not have"""
_SETTLED_AFTER: Final = 2.0
"""seconds after which a file's signature tells it apart from all later ones"""


def read_request(path: Path, otherwise: Request | None = None) -> Request:
    """Return what is asked of the run at `path`.

    `otherwise` is what was read before: it is returned where the file is missing or cannot be
    read, so that a disk that is away for a moment changes nothing. Without it, nothing is asked.
    Costs one look at the file's date, unless the file changed in the last two seconds.
    """
    file = path / _FILE
    try:
        now = signature(file)
        if now is None:
            return otherwise or Request()
        if abs(time.time() - now[2] / 1e9) < _SETTLED_AFTER:
            return _read(file)
        return _read_settled(file, now)
    except (OSError, _NoRequestError):
        return otherwise or Request()


def take_up(path: Path, before: Request) -> None:
    """Ask the run at `path` to run, as its new trainer does, unless a state was requested since.

    `before` is what was requested when the trainer was started; RunError as in `request`.
    """
    if read_request(path, before).state_serial == before.state_serial:
        request(path, state="run")


def request(
    path: Path,
    *,
    state: Literal["run", "pause", "stop"] | None = None,
    checkpoint: bool = False,
    lr_factor: float | None = None,
) -> Request:
    """Add to what is asked of the run at `path`, and return all of it; what is not named stays.

    `checkpoint` asks for one more; `lr_factor` takes the place of the earlier one, ValueError
    unless it is above 0. RunError when the folder cannot be written.
    """
    if lr_factor is not None and not (lr_factor > 0 and math.isfinite(lr_factor)):
        raise ValueError(
            f"the learning rate can only be multiplied by a number above 0, not {lr_factor}"
        )
    try:
        with one_at_a_time(path / "control.lock"):
            old = _asked_so_far(path / _FILE)
            serial = old.serial + 1
            new = replace(old, serial=serial, checkpoints=old.checkpoints + checkpoint)
            if state:
                new = replace(new, state=state, state_serial=serial)
            if lr_factor is not None:
                new = replace(new, lr_factor=lr_factor, lr_serial=serial, lr_who=author())
            write_request(path, new)
    except OSError as error:
        raise RunError(f"{path}: cannot write a request: {error.strerror or error}") from error
    return new


def write_request(path: Path, new: Request) -> None:
    """Replace what is asked of the run at `path`."""
    replace_small_file(path / _FILE, json.dumps(asdict(new)).encode())


class _NoRequestError(Exception):
    """A file that contains no request."""


@lru_cache(maxsize=16)
def _read_settled(file: Path, _: Signature) -> Request:
    return _read(file)


def _asked_so_far(file: Path) -> Request:
    try:
        return _read(file)
    except (FileNotFoundError, _NoRequestError):
        return Request()


def _read(file: Path) -> Request:
    """Read a request; OSError, or _NoRequestError for a file that is torn."""
    try:
        table = json.loads(read_small(file))
    except (ValueError, RecursionError) as error:
        raise _NoRequestError from error
    if not _is_request(table):
        raise _NoRequestError
    return Request(**table)


def _is_request(table: Any) -> bool:
    if not isinstance(table, dict):
        return False
    full = _SINCE | table
    return (
        full.keys() == asdict(Request()).keys()
        and full["state"] in _STATES
        and all(type(full[key]) is int and full[key] >= 0 for key in _COUNTS)
        and isinstance(full["lr_who"], str)
        and type(full["lr_factor"]) in (int, float)
        and 0 < full["lr_factor"] < math.inf
    )
