"""What rank 0 records of the processes that train with it: device, rate, and time waited."""

from __future__ import annotations

import platform
from contextlib import suppress
from pathlib import Path

import torch

from tui_latent.runs.ranks_file import FILE, RankStatus, write_ranks
from tui_latent.runtime.waited import WAITED
from tui_latent.training.device import describe_device
from tui_latent.training.rank_commands import Command
from tui_latent.training.ranks import Ranks

_EVERY = 1.0
"""seconds between two records"""


def own_state(device: torch.device) -> tuple[str, str, float | None]:
    """Return device and host of this process, and its seconds waited for others since last asked.

    None on a GPU: there the device waits, and the process does not notice.
    """
    seconds = WAITED.take()
    waited = seconds if device.type == "cpu" else None
    return describe_device(device), platform.node(), waited


class RankRecords:
    """Asks all ranks, and keeps what they say in the run folder; nothing for a single process."""

    def __init__(self, run: Path, ranks: Ranks, device: torch.device) -> None:
        self._run, self._ranks, self._device = run, ranks, device
        self._images, self._seconds = 0, 0.0
        if not ranks.several:
            with suppress(OSError):  # of a run that several trained before
                (run / FILE).unlink(missing_ok=True)

    def add(self, images: int, seconds: float) -> None:
        """Count what all ranks did since the last call; ask and write at most once a second."""
        self._images, self._seconds = self._images + images, self._seconds + seconds
        if not self._ranks.several or self._seconds < _EVERY:
            return
        self._ranks.tell(Command.WAITS)
        states = self._ranks.each(own_state(self._device))
        rate = self._images / self._seconds / self._ranks.world
        rows = [
            RankStatus(device, host, rate, _share(wait, self._seconds))
            for device, host, wait in states
        ]
        with suppress(OSError):  # it is only shown, and the next record brings the next one
            write_ranks(self._run, rows)
        self._images, self._seconds = 0, 0.0


def _share(wait: float | None, seconds: float) -> float | None:
    return None if wait is None else min(wait / seconds, 1.0)
