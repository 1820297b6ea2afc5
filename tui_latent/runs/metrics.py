"""`metrics.jsonl`: one record a line, read as it grows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from tui_latent.runs.curve_cache import NAME, CurveCache, read_curve_cache, write_curve_cache
from tui_latent.runs.curves import CurveBins
from tui_latent.runs.line_files import GrowingLines, read_lines
from tui_latent.runs.metric_specs import higher_is_better
from tui_latent.runs.records import LARGEST_STEP, Record, parse_record
from tui_latent.runs.schema import Curve

_BATCH: Final = 20_000
"""records reduced at once: numpy's cost is shared, and memory stays flat"""


class MetricsReader:
    """The curves of a run, kept up to date at the cost of the new lines.

    A record at an earlier step than the one before it (a run resumed from an older checkpoint)
    replaces all that was recorded from that step on. Bins cannot be cut in two, so the file is
    then read once more, passing over what has been replaced. A record that is marked as late was
    measured while a loop went on: it replaces nothing, and is replaced as any other. A late value
    is left out where its metric has a value at a later step already. Reading starts after what
    `curves.npz` holds, unless that too has been replaced.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = GrowingLines(path)
        self.curves: Mapping[str, Curve] = MappingProxyType({})
        """by metric, in order of first appearance; the same object until a record arrives"""
        self._start_over()

    def _start_over(self) -> None:
        self.last_step = -1
        """step of the newest record"""
        self.skipped = 0
        """lines that are not records"""
        self._cuts: list[tuple[int, int]] = []
        """(offset, step): what lies before the offset from this step on has been replaced"""
        self._waiting: defaultdict[str, list[tuple[int, float, float]]] = defaultdict(list)
        self._kept = self._kept_curves()
        if self._kept is not None:
            self.last_step, self.skipped = self._kept.last_step, self._kept.skipped
            self._cuts = list(self._kept.cuts)
        self._start_bins()

    def _kept_curves(self) -> CurveCache | None:
        """Return what needs no reading, with the file's offset behind it."""
        kept = read_curve_cache(self.path.with_name(NAME))
        return kept if kept and self._file.start_at(kept.offset, kept.anchor) else None

    def _start_bins(self) -> None:
        kept = self._kept.bins if self._kept else {}
        self._bins = {
            name: CurveBins.of(state, higher_is_better(name)) for name, state in kept.items()
        }
        self._waiting.clear()
        self._waiting_records = 0
        self._shared = False

    @property
    def rewound(self) -> bool:
        """Whether the run went back to an earlier step at some time."""
        return bool(self._cuts)

    def refresh(self) -> None:
        """Take in what the file has gained."""
        if self._file.replaced():
            self._start_over()
        changed, rewound = not self._shared, False
        for offset, line in self._file.lines():
            changed = True
            record = parse_record(line)
            if record is None:
                self.skipped += bool(line.strip())
                continue
            if not record.late and record.step < self.last_step:
                rewound = True
                self._cut(offset, record.step)
            self.last_step = record.step if not record.late else max(self.last_step, record.step)
            if not rewound:
                self._take(record)
        if rewound:
            self._read_again()
        if changed:
            self._share_curves()

    def keep(self) -> None:
        """Take in what is new and write `curves.npz`; for the run's writer alone."""
        self.refresh()
        if self._file.offset:
            bins = {name: bins.state() for name, bins in self._bins.items()}
            state = (self.last_step, self.skipped, tuple(self._cuts), bins)
            kept = CurveCache(self._file.offset, self._file.anchor, *state)
            write_curve_cache(self.path.with_name(NAME), kept)

    def standing_lines(self, up_to: int) -> Iterator[bytes]:
        """Yield the lines of standing records, up to and including a step."""
        for line, record in self._standing(0):
            if record.step <= up_to:
                yield line

    def _standing(self, start: int) -> Iterator[tuple[bytes, Record]]:
        """Read again from an offset on; yield the records that none has replaced, with lines."""
        after = [cut for cut in self._cuts if cut[0] >= start]
        cuts = iter([*after, (self._file.offset, LARGEST_STEP + 1)])
        until, replaced_from = next(cuts)
        for offset, line in read_lines(self.path, start, self._file.offset):
            while offset >= until:
                until, replaced_from = next(cuts)
            record = parse_record(line)
            if record is not None and record.step < replaced_from:
                yield line, record

    def _take(self, record: Record) -> None:
        step, time, waiting = record.step, record.time, self._waiting
        for name, value in record.values.items():
            if record.late and step < self._last_step_of(name):
                continue  # the bins take steps in order
            waiting[name].append((step, time, value))
        self._waiting_records += 1
        if self._waiting_records >= _BATCH:
            self._reduce()

    def _last_step_of(self, name: str) -> int:
        if waiting := self._waiting.get(name):
            return waiting[-1][0]
        return self._bins[name].last_step if name in self._bins else -1

    def _reduce(self) -> None:
        for name, records in self._waiting.items():
            if name not in self._bins:
                self._bins[name] = CurveBins(higher_is_better(name))
            self._bins[name].extend(records)
        self._waiting.clear()
        self._waiting_records = 0

    def _cut(self, offset: int, step: int) -> None:
        while self._cuts and self._cuts[-1][1] >= step:
            self._cuts.pop()
        self._cuts.append((offset, step))

    def _read_again(self) -> None:
        """Read what stands, from the kept curves on where none of them has been replaced."""
        start = self._kept.offset if self._kept else 0
        if (
            self._kept
            and min(step for at, step in self._cuts if at >= start) <= self._kept.last_step
        ):
            self._kept, start = None, 0
        self._start_bins()
        for _, record in self._standing(start):
            self._take(record)

    def _share_curves(self) -> None:
        self._reduce()
        self._shared = True
        curves = {name: bins.curve() for name, bins in self._bins.items()}
        if list(curves.items()) != list(self.curves.items()):
            self.curves = MappingProxyType(curves)
