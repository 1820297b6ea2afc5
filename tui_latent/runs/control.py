"""`control.json`: requests to a trainer, which reads them between two steps."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal, TypeVar, get_args, get_type_hints

from tui_latent.runs.atomic_files import Signature, replace_small_file, signature
from tui_latent.runs.author import author
from tui_latent.runs.events import LR_FACTOR, Value
from tui_latent.runs.file_lock import one_at_a_time
from tui_latent.runs.schema import GoBack, Request, RunError, Wanted
from tui_latent.runtime.regular_files import read_small
from tui_latent.runtime.sanitize import plain_name

Asked = TypeVar("Asked", Wanted, GoBack)

_FILE: Final = "control.json"
_STATES: Final = get_args(get_type_hints(Request)["state"])
_COUNTS: Final = ("serial", "checkpoints", "state_serial", "lr_serial")
_SINCE: Final[dict[str, Any]] = {
    "state_serial": 0, "lr_serial": 0, "lr_who": "", "settings": {}, "back": None,
}  # fmt: skip
"""fields that files of earlier versions do not have"""
_VALUES: Final = (bool, int, float, str)
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


def request_of(table: Any) -> Request | None:
    """Return the request in a JSON table; None if it contains none."""
    if not isinstance(table, dict):
        return None
    full = _SINCE | table
    if not _has_counts_and_states(full):
        return None
    settings, back = full.pop("settings"), full.pop("back")
    try:
        wanted = {plain_name(key): _checked(Wanted(**each)) for key, each in settings.items()}
        back = None if back is None else _checked(GoBack(**back))
    except (TypeError, AttributeError):  # other fields, or no tables
        return None
    return Request(**full, settings=wanted, back=back)


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
    settings: Mapping[str, Value] | None = None,
    back: tuple[int, str, Value] | None = None,
) -> Request:
    """Add to what is asked of the run at `path`, and return all of it; what is not named stays.

    `checkpoint` asks for one more; `lr_factor` takes the place of the earlier one, ValueError
    unless it is above 0. `settings` are values by dotted name, which the caller has checked.
    `back` is a checkpoint's step, a setting, and the value of that setting from there on.
    RunError when the folder cannot be written.
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
            if back is not None:
                new = replace(new, back=GoBack(*back, author(), serial))
                if back[1] == LR_FACTOR:
                    lr_factor = float(back[2])
                else:
                    settings = {**(settings or {}), back[1]: back[2]}
            # A value that is already requested keeps its serial: the change is not made again.
            if lr_factor is not None and lr_factor != old.lr_factor:
                new = replace(new, lr_factor=lr_factor, lr_serial=serial, lr_who=author())
            wanted = {
                key: Wanted(value, author(), serial)
                for key, value in (settings or {}).items()
                if key not in old.settings or old.settings[key].value != value
            }
            new = replace(new, settings={**old.settings, **wanted})
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
    """Read a request; OSError, or _NoRequestError for a file that is damaged."""
    try:
        found = request_of(json.loads(read_small(file)))
    except (ValueError, RecursionError) as error:
        raise _NoRequestError from error
    if found is None:
        raise _NoRequestError
    return found


def _checked(asked: Asked) -> Asked:
    """Return the request if its fields have the right types; TypeError otherwise."""
    steps = [asked.serial] + ([asked.step] if isinstance(asked, GoBack) else [])
    if any(type(number) is not int or number < 0 for number in steps):
        raise TypeError("not a serial or a step")
    if not isinstance(asked.value, _VALUES) or not isinstance(asked.who, str):
        raise TypeError("not a requested value")
    return replace(asked, who=plain_name(asked.who))


def _has_counts_and_states(full: Mapping[str, Any]) -> bool:
    return (
        full.keys() == asdict(Request()).keys()
        and full["state"] in _STATES
        and all(type(full[key]) is int and full[key] >= 0 for key in _COUNTS)
        and isinstance(full["lr_who"], str)
        and type(full["lr_factor"]) in (int, float)
        and 0 < full["lr_factor"] < math.inf
    )
