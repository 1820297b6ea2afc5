"""`control.json`: what a person asks of a trainer, which looks at it between two steps."""

from __future__ import annotations

import json
import math
import time
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_type_hints

from tui_latent.records.files import Signature, replace_small_file, signature
from tui_latent.records.locks import one_at_a_time
from tui_latent.records.schema import Request, RunError
from tui_latent.regular_files import read_small

_FILE: Final = "control.json"
_STATES: Final = get_args(get_type_hints(Request)["state"])
_SETTLED_AFTER: Final = 2.0
"""seconds after which a file's signature tells it apart from all later ones"""


def read_request(path: Path) -> Request:
    """Return what is asked of the run at `path`; nothing is, where the file cannot be read.

    Costs one look at the file's date, unless it changed in the last two seconds.
    """
    file = path / _FILE
    now = signature(file)
    if now is None:
        return Request()
    if abs(time.time() - now[2] / 1e9) < _SETTLED_AFTER:
        return _read(file)
    return _read_settled(file, now)


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
            f"the learning rate can be multiplied with a number above 0, not {lr_factor}"
        )
    try:
        with one_at_a_time(path / "control.lock"):
            old = _read(path / _FILE)
            new = replace(
                old,
                serial=old.serial + 1,
                state=state or old.state,
                checkpoints=old.checkpoints + checkpoint,
                lr_factor=old.lr_factor if lr_factor is None else lr_factor,
            )
            write_request(path, new)
    except OSError as error:
        raise RunError(
            f"{path}: cannot be asked for anything: {error.strerror or error}"
        ) from error
    return new


def write_request(path: Path, new: Request) -> None:
    """Replace what is asked of the run at `path`."""
    replace_small_file(path / _FILE, json.dumps(asdict(new)).encode())


@lru_cache(maxsize=16)
def _read_settled(file: Path, _: Signature) -> Request:
    return _read(file)


def _read(file: Path) -> Request:
    try:
        table = json.loads(read_small(file))
    except (OSError, ValueError, RecursionError):
        return Request()
    return Request(**table) if _is_request(table) else Request()


def _is_request(table: Any) -> bool:
    return (
        isinstance(table, dict)
        and table.keys() == asdict(Request()).keys()
        and table["state"] in _STATES
        and all(type(table[key]) is int and table[key] >= 0 for key in ("serial", "checkpoints"))
        and type(table["lr_factor"]) in (int, float)
        and 0 < table["lr_factor"] < math.inf
    )
