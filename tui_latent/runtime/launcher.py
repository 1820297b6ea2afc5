"""What PyTorch's launcher tells a process that it started: its place among the others."""

from __future__ import annotations

import os
from typing import Final, NamedTuple

_NAMES: Final = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


class Place(NamedTuple):
    """A process among those that train together."""

    rank: int
    world: int
    """number of processes on all machines"""
    local_rank: int
    """number of the process on its machine"""


def place() -> Place:
    """Return this process's place; that of a single process where no launcher started it."""
    if any(name not in os.environ for name in _NAMES):
        return Place(0, 1, 0)
    rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    return Place(rank, world, int(os.environ.get("LOCAL_RANK", rank)))


def launch_id() -> str:
    """Return the name of this launch, which stays when its processes restart; empty without one."""
    if place().world == 1:
        return ""
    given = os.environ.get("TORCHELASTIC_RUN_ID", "none")
    if given != "none":
        return given
    return f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"


def restarts() -> int:
    """Return how often the launcher has restarted its processes, after one of them had ended."""
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"))
