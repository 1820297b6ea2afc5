"""How the processes of one run reach each other."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch._C._distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

from tui_latent.runtime.launcher import restarts

_PATIENCE = timedelta(days=3650)
"""how long the others wait for rank 0, which may be paused"""
_groups: dict[str, Any] = {}


def join_groups(rank: int, world: int) -> None:
    """Meet the other processes; once in a process."""
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    store, _, _ = next(rendezvous("env://", rank, world))
    # The launcher's store outlives a restart, with the addresses of processes that are gone.
    store = PrefixStore(f"start {restarts()}", store)
    dist.init_process_group(backend, store=store, rank=rank, world_size=world)
    _groups["control"] = dist.new_group(backend="gloo", timeout=_PATIENCE)


def leave_groups() -> None:
    """End the exchange with other processes, once all have nothing left to say.

    Left to the end of the interpreter, the threads of a group may abort it, and the launcher would
    start a run again that was over.
    """
    if dist.is_initialized():
        _groups.clear()
        dist.destroy_process_group()


def control_group() -> Any:
    """Return the group for commands and for tensors on the CPU; it waits for years."""
    return _groups["control"]


def lost_others(error: Exception) -> bool:
    """Return whether an error says that another process no longer answers."""
    said = str(error).lower()
    words = ("connection closed", "connection reset", "broken pipe", "nccl", "socket", "gloo")
    return isinstance(error, RuntimeError) and any(word in said for word in words)
