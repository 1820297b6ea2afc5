"""A bounded queue of records for the disk; it drops and counts the oldest when it is full."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

MOST_VALUES: Final = 200_000
"""numbers that wait at most: about 30 MB"""


class WaitingRecord(NamedTuple):
    """The metrics that a loop recorded at a step."""

    step: int
    seconds: float
    epoch: float
    names: Sequence[str]
    values: Sequence[float]
    timeline: int
    """how often the loop had gone back to an earlier step before"""


class WaitingRecords:
    """A queue between two threads, one that adds records and one that takes them; neither waits."""

    def __init__(self, most_values: int = MOST_VALUES) -> None:
        self._most = most_values
        self._records: deque[WaitingRecord] = deque()
        self.dropped = 0
        """records, so far"""
        self._put = self._taken = self._lost = 0  # values; each is changed by one thread alone

    def __len__(self) -> int:
        return len(self._records)

    def put(self, record: WaitingRecord) -> None:
        """Add a record, and drop the oldest if there are too many."""
        self._put += len(record.values) + 1
        while self._put - self._taken - self._lost > self._most:
            try:
                oldest = self._records.popleft()
            except IndexError:  # the other thread has just taken them all
                break
            self._lost += len(oldest.values) + 1
            self.dropped += 1
        self._records.append(record)

    def take(self, most: int) -> list[WaitingRecord]:
        """Remove and return at most `most` records, the oldest first."""
        taken: list[WaitingRecord] = []
        try:
            while len(taken) < most:
                record = self._records.popleft()
                self._taken += len(record.values) + 1
                taken.append(record)
        except IndexError:
            pass
        return taken
