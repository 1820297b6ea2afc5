"""`metrics.jsonl`: one record a line, read as it grows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from tui_latent.records.curves import CurveBins, higher_is_better
from tui_latent.records.files import GrowingLines, read_lines
from tui_latent.records.schema import Curve

_LARGEST_STEP: Final = 2**53
_OWN_KEYS: Final = frozenset({"step", "epoch", "time"})


@dataclass(frozen=True)
class Record:
    """One line: the values of some metrics at a step."""

    step: int
    time: float
    values: Mapping[str, float]


def record_line(step: int, epoch: float, seconds: float, values: Mapping[str, float]) -> bytes:
    """Write a record as JSON, without a newline; what is not finite becomes `NaN` or `Infinity`,
    which Python's `json` reads back."""
    table = {"step": int(step), "epoch": float(epoch), "time": float(seconds)}
    table |= {name: float(value) for name, value in values.items()}
    return json.dumps(table, separators=(",", ":")).encode()


def parse_record(line: bytes) -> Record | None:
    """Read a line; None when it is no record. Values that are no numbers are left out."""
    try:
        table = json.loads(line)
        step, time = table["step"], float(table["time"])
        values = {k: float(v) for k, v in table.items() if k not in _OWN_KEYS and _is_number(v)}
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
    if not isinstance(step, int) or isinstance(step, bool) or not 0 <= step <= _LARGEST_STEP:
        return None
    return Record(step, time, values)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


class MetricsReader:
    """The curves of a run, kept up to date at a cost of the new lines.

    A record at an earlier step than the one before it (a run resumed from an older checkpoint)
    replaces all that was recorded from that step on. Bins cannot be cut in two, so the file is
    then read once more, passing over what has been replaced.
    """

    def __init__(self, path: Path) -> None:
        self._file = GrowingLines(path)
        self.curves: Mapping[str, Curve] = MappingProxyType({})
        """by metric, in order of first appearance; the same object until a record arrives"""
        self._start_over()

    def _start_over(self) -> None:
        self._bins: dict[str, CurveBins] = {}
        self.last_step = -1
        """step of the newest record"""
        self.skipped = 0
        """lines that are no records"""
        self._cuts: list[tuple[int, int]] = []
        """(offset, step): what lies before the offset from this step on has been replaced"""

    @property
    def rewound(self) -> bool:
        """Whether the run went back to an earlier step at some time."""
        return bool(self._cuts)

    def refresh(self) -> None:
        """Take in what the file has gained."""
        changed = self._file.replaced()
        if changed:
            self._start_over()
        rewound = False
        for offset, line in self._file.lines():
            changed = True
            record = parse_record(line)
            if record is None:
                self.skipped += bool(line.strip())
                continue
            if record.step < self.last_step:
                rewound = True
                self._cut(offset, record.step)
            self.last_step = record.step
            if not rewound:
                self._take(record)
        if rewound:
            self._read_again()
        if changed:
            self._share_curves()

    def _take(self, record: Record) -> None:
        for name, value in record.values.items():
            if name not in self._bins:
                self._bins[name] = CurveBins(higher_is_better(name))
            self._bins[name].add(record.step, record.time, value)

    def _cut(self, offset: int, step: int) -> None:
        while self._cuts and self._cuts[-1][1] >= step:
            self._cuts.pop()
        self._cuts.append((offset, step))

    def _read_again(self) -> None:
        self._bins = {}
        cuts = iter([*self._cuts, (self._file.offset, _LARGEST_STEP + 1)])
        until, replaced_from = next(cuts)
        for offset, line in read_lines(self._file.path, 0, self._file.offset):
            while offset >= until:
                until, replaced_from = next(cuts)
            record = parse_record(line)
            if record is not None and record.step < replaced_from:
                self._take(record)

    def _share_curves(self) -> None:
        curves = {name: bins.curve() for name, bins in self._bins.items()}
        same = list(curves.items()) == list(self.curves.items())
        if not same:
            self.curves = MappingProxyType(curves)
