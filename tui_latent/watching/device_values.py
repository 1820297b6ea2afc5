"""Records whose numbers are still on a device: fetched together, without waiting for it."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from tui_latent.watching.tensors import is_tensor
from tui_latent.watching.waiting_records import WaitingRecord

_MOST_TOGETHER: Final = 64
_LONGEST_WAIT: Final = 0.1
"""seconds that a record waits for others before all are fetched"""


class DeviceValues:
    """Keeps records in order until their numbers have come; belongs to the loop's thread.

    All calls of the device are made here, in that thread, because a call from another one would
    end the capture of a CUDA graph. A record is copied when it arrives (one kernel), because the
    loop may change its tensors in place. Every tenth of a second all copies go to pinned memory in
    one transfer behind the queued work, and they are read once an event says that it is done.
    """

    def __init__(self, put: Callable[[WaitingRecord], None]) -> None:
        self._put = put
        self._new: list[tuple[WaitingRecord, list[Any]]] = []
        """records with their copied numbers, a tensor per device"""
        self._since = 0.0
        self._on_the_way: deque[tuple[list[tuple[WaitingRecord, list[Any]]], Any, Any]] = deque()
        """records, their numbers in memory, and the event after which these are there"""

    def __bool__(self) -> bool:
        return bool(self._new or self._on_the_way)

    def add(self, record: WaitingRecord) -> None:
        """Take a record in which some values are tensors."""
        if not self._new:
            self._since = time.monotonic()
        self._new.append(_copied(record))
        self.poll()

    def poll(self) -> None:
        """Hand over what has come, and fetch what has waited long enough."""
        if not self:
            return
        while self._on_the_way and self._on_the_way[0][2].query():
            self._hand_over(*self._on_the_way.popleft()[:2])
        if self._new and (
            len(self._new) >= _MOST_TOGETHER or time.monotonic() - self._since >= _LONGEST_WAIT
        ):
            self._fetch()

    def flush(self) -> None:
        """Hand over everything, which waits for the device."""
        if self._new:
            self._fetch()
        while self._on_the_way:
            records, numbers, event = self._on_the_way.popleft()
            event.synchronize()
            self._hand_over(records, numbers)

    def _fetch(self) -> None:
        torch = sys.modules["torch"]
        records, self._new = self._new, []
        copies = [copy for _, found in records for copy in found]
        if copies and all(copy.device.type == "cuda" for copy in copies):
            first = copies[0].device
            with torch.cuda.device(first):
                together = torch.cat([copy.to(first, non_blocking=True) for copy in copies])
                numbers = torch.empty(together.shape, dtype=together.dtype, pin_memory=True)
                numbers.copy_(together, non_blocking=True)
                event = torch.cuda.Event()
                event.record()
            self._on_the_way.append((records, numbers, event))
            return
        # Other devices have no such events: their numbers are read here, as late as possible.
        numbers = torch.cat([copy.cpu() for copy in copies]) if copies else torch.empty(0)
        self._on_the_way.append((records, numbers, _Done()))

    def _hand_over(self, records: list[tuple[WaitingRecord, list[Any]]], numbers: Any) -> None:
        read = iter(numbers.tolist())
        for record, copies in records:
            by_device = {copy.device: [next(read) for _ in range(len(copy))] for copy in copies}
            values = [
                by_device[value.device].pop(0) if isinstance(value, _Slot) else value
                for value in record.values
            ]
            self._put(record._replace(values=values))


class _Slot(NamedTuple):
    """Stands for a number that is still on a device; the tensor itself would keep its graph."""

    device: Any


class _Done:
    """The event of numbers that have come."""

    def query(self) -> bool:
        return True

    def synchronize(self) -> None:
        pass


def _copied(record: WaitingRecord) -> tuple[WaitingRecord, list[Any]]:
    """Return the record with slots for its tensors, and their numbers: a float32 tensor a device.

    The copies wait behind the queued work, and the loop does not wait for them.
    """
    torch = sys.modules.get("torch")
    by_device: dict[Any, list[Any]] = {}
    values: list[Any] = []
    for value in record.values:
        if is_tensor(value):
            by_device.setdefault(value.device, []).append(value.detach().reshape(()))  # type: ignore[attr-defined]
            value = _Slot(value.device)  # type: ignore[attr-defined,assignment]
        values.append(value)
    if torch is None:
        return record, []
    with torch.no_grad():
        copies = [torch.stack(found).float() for found in by_device.values()]
    return record._replace(values=values), copies
