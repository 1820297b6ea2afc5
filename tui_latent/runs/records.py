"""A record of `metrics.jsonl`: one line, written and read without numpy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final, NamedTuple

from tui_latent.runtime.sanitize import plain_name

LARGEST_STEP: Final = 2**53
_DECODE: Final = json.JSONDecoder().decode
_NUMBERS: Final = (float, int)


class Record(NamedTuple):
    """One line: the values of some metrics at a step."""

    step: int
    time: float
    values: Mapping[str, float]
    late: bool = False
    """whether it was written after records of later steps, and replaces none of them"""


class NewRecord(NamedTuple):
    """A record to be written."""

    step: int
    epoch: float
    seconds: float
    """time spent training"""
    values: Mapping[str, float]
    late: bool = False
    """whether records of later steps have been written that stay: it was measured meanwhile"""


def record_line(
    step: int, epoch: float, seconds: float, values: Mapping[str, float], late: bool = False
) -> bytes:
    """Write a record as JSON, without a newline; what is not finite becomes `NaN` or `Infinity`,
    which Python's `json` reads back."""
    table = {"step": int(step), "epoch": float(epoch), "time": float(seconds)}
    if late:
        table["late"] = True
    table |= {name: float(value) for name, value in values.items()}
    return json.dumps(table, separators=(",", ":")).encode()


def parse_record(line: bytes) -> Record | None:
    """Read a line; None when it is not a record. Values that are not numbers are left out."""
    try:
        table = _DECODE(line.decode())
        step, time = table.pop("step"), float(table.pop("time"))
        table.pop("epoch", None)
        late = table.pop("late", False) is True
        values = {
            plain_name(name): float(value)
            for name, value in table.items()
            if type(value) in _NUMBERS
        }
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return None
    if type(step) is not int or not 0 <= step <= LARGEST_STEP:
        return None
    return Record(step, time, values, late)
