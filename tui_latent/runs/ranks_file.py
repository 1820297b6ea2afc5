"""`ranks.json`: the processes that train a run together, which rank 0 writes with its records."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from tui_latent.runs.atomic_files import Signature, replace_small_file, signature
from tui_latent.runtime.regular_files import SizeError, read_small
from tui_latent.runtime.sanitize import plain_text

FILE: Final = "ranks.json"


@dataclass(frozen=True)
class RankStatus:
    """One of several processes that train a run; rank 0 comes first."""

    device: str
    """`cpu 1 threads`, `cuda:0 NVIDIA H100`"""
    host: str
    images_per_second: float | None = None
    """training images of its share of the batches, lately; None before the first record"""
    waiting: float | None = None
    """share of the time that it lately waited for the others, 0..1; None if that is not measured,
    as on a GPU"""


def write_ranks(run: Path, ranks: list[RankStatus]) -> None:
    """Replace the ranks of a run; OSError."""
    content = json.dumps([asdict(rank) for rank in ranks], indent=1).encode()
    replace_small_file(run / FILE, content)


def read_ranks(run: Path) -> tuple[RankStatus, ...]:
    """Read the ranks of a run; none if a single process trains it, or if the file is torn."""
    try:
        table = json.loads(read_small(run / FILE))
    except (OSError, SizeError, ValueError, RecursionError):
        return ()
    found = [_rank(row) for row in table] if isinstance(table, list) else [None]
    return tuple(rank for rank in found if rank is not None) if None not in found else ()


def _rank(row: Any) -> RankStatus | None:
    if not isinstance(row, dict):
        return None
    device, host = row.get("device"), row.get("host")
    if not isinstance(device, str) or not isinstance(host, str):
        return None
    numbers = (_number(row.get(name)) for name in ("images_per_second", "waiting"))
    return RankStatus(plain_text(device), plain_text(host), *numbers)


def _number(value: Any) -> float | None:
    known = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if known else None


class RanksFile:
    """Follows the ranks of one run."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._signature: Signature | None = None
        self._ranks: tuple[RankStatus, ...] = ()

    def refresh(self) -> tuple[RankStatus, ...]:
        """Return the ranks now."""
        now = signature(self._run / FILE)
        if now != self._signature:
            self._signature = now
            self._ranks = read_ranks(self._run) if now is not None else ()
        return self._ranks
