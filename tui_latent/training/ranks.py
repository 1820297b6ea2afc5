"""The processes that train one run together, as PyTorch's launcher started them.

Rank 0 trains the run as a single process would: it alone reads requests, evaluates, and writes
the run folder. It tells the others what to do next, and they do it at the same time, so that a
pause, a stop or another learning rate reaches all ranks between the same two steps.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch._C._distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

from tui_latent.runtime.launcher import place, restarts
from tui_latent.training.graph_step import Terms

_PATIENCE = timedelta(days=3650)
"""how long the others wait for rank 0, which may be paused"""
_LAST_WAIT = timedelta(seconds=10)
"""for the end to reach ranks that may have ended before"""


class Command(IntEnum):
    """What rank 0 tells the others to do."""

    END = 0
    PREPARE = 1
    """load the images of a preset"""
    BUILD = 2
    """build the networks"""
    LOAD = 3
    """go to a checkpoint"""
    TUNE = 4
    """use other settings from the next step on"""
    STEP = 5


@dataclass(frozen=True)
class Ranks:
    """This process among those that train a run; `ALONE` if it is the only one."""

    rank: int = 0
    world: int = 1
    local_rank: int = 0
    """number of this process on its machine"""

    @property
    def several(self) -> bool:
        """Whether there are other processes."""
        return self.world > 1

    @property
    def leads(self) -> bool:
        """Whether this process tells others what to do."""
        return self.world > 1 and self.rank == 0

    def tell(self, command: Command, lr_factor: float = 1.0, about: Any = None) -> None:
        """Tell the others what to do next; `about` goes with every command but STEP and END."""
        if not self.leads:
            return
        work = dist.broadcast(_message(command, lr_factor), 0, _control(), async_op=True)
        assert work is not None
        if command is Command.END:
            with suppress(RuntimeError):  # they have ended already
                work.wait(_LAST_WAIT)
            return
        work.wait()
        if command is not Command.STEP:
            dist.broadcast_object_list([about], 0, _control())

    def hear(self) -> tuple[Command, float, Any]:
        """Wait for the next command; return it, the learning rate factor, and what it is about."""
        message = _message(Command.END, 1.0)
        dist.broadcast(message, 0, _control())
        command, lr_factor = Command(int(message[0])), float(message[1])
        about: list[Any] = [None]
        if command not in (Command.STEP, Command.END):
            dist.broadcast_object_list(about, 0, _control())
        return command, lr_factor, about[0]

    def agree(self, problem: str) -> str:
        """Return the first problem that a rank has, with its number; empty if none has any."""
        if not self.several:
            return problem
        said: list[Any] = [None] * self.world
        dist.all_gather_object(said, problem, _control())
        found = ((rank, text) for rank, text in enumerate(said) if text)
        return next((f"process {rank} of {self.world}: {text}" for rank, text in found), "")

    def share(self, rows: Tensor) -> Tensor:
        """Return this rank's part of a batch's rows (B,), which the ranks divide."""
        if not self.several:
            return rows
        own = len(rows) // self.world
        return rows[self.rank * own : (self.rank + 1) * own]

    def mean(self, terms: Terms) -> Terms:
        """Return the means of scalars over all ranks."""
        if not self.several:
            return terms
        values = torch.stack(list(terms.values()))
        dist.all_reduce(values)
        return dict(zip(terms, values / self.world, strict=True))

    def seed(self, generator: torch.Generator, seed: int, step: int) -> None:
        """Let every rank draw random numbers of its own.

        Rank 0 draws on as a single process would. The others draw as a function of seed, rank and
        step, so no checkpoint needs to contain their generators.
        """
        if self.rank:
            number = ((seed * 1_000_003 + step) * 65_537 + self.rank) % 2**63
            generator.manual_seed(number)
            torch.manual_seed(number + 1)


ALONE = Ranks()
_groups: dict[str, Any] = {}


def ranks_of_launcher() -> Ranks:
    """Return this process's place among those that `torchrun` or a similar launcher started."""
    return Ranks(*place())


def join(ranks: Ranks) -> None:
    """Meet the other processes; call it once, before anything else of this module."""
    if ranks.several and not dist.is_initialized():
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        store, _, _ = next(rendezvous("env://", ranks.rank, ranks.world))
        # The launcher's store outlives a restart, with the addresses of processes that are gone.
        store = PrefixStore(f"start {restarts()}", store)
        dist.init_process_group(backend, store=store, rank=ranks.rank, world_size=ranks.world)
        _groups["control"] = dist.new_group(backend="gloo", timeout=_PATIENCE)


def lost_others(error: Exception) -> bool:
    """Return whether an error says that another process no longer answers."""
    said = str(error).lower()
    words = ("connection closed", "connection reset", "broken pipe", "nccl", "socket", "gloo")
    return isinstance(error, RuntimeError) and any(word in said for word in words)


def packed(state: Mapping[str, Any]) -> bytes:
    """Return a checkpoint's state as bytes."""
    buffer = io.BytesIO()
    torch.save(dict(state), buffer)
    return buffer.getvalue()


def unpacked(content: bytes, device: torch.device) -> dict[str, Any]:
    """Return a checkpoint's state from bytes, its tensors on the device."""
    state: dict[str, Any] = torch.load(io.BytesIO(content), device, weights_only=True)
    return state


def _control() -> Any:
    return _groups["control"]


def _message(command: Command, lr_factor: float) -> Tensor:
    return torch.tensor([float(command), lr_factor], dtype=torch.float64)
