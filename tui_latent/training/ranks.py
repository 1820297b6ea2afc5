"""The processes that train one run together, as PyTorch's launcher started them.

Rank 0 trains the run as a single process would: it alone reads requests and writes the run
folder. It tells the others what to do next, and they do it at the same time, so that a pause, a
stop or another learning rate reaches all ranks between the same two steps.
"""

from __future__ import annotations

import io
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from tui_latent.runtime.launcher import place
from tui_latent.sources.errors import DataError
from tui_latent.training.rank_commands import Command, Heard, Listening, OtherCommandError, tell
from tui_latent.training.rank_groups import control_group, join_groups


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

    def tell(
        self, command: Command, lr_factor: float = 1.0, steps: int = 0, about: Any = None
    ) -> None:
        """Tell the others what to do next, if this process leads them."""
        if self.leads:
            tell(command, lr_factor, steps, about)

    def hear(self) -> Heard:
        """Wait for the next command."""
        return Listening().heard()

    def go_on(self) -> None:
        """Go on with an evaluation together; every rank calls it equally often.

        Rank 0 may leave the evaluation instead and say something else: OtherCommandError.
        """
        self.tell(Command.GO_ON)
        if self.rank and (heard := self.hear()).command is not Command.GO_ON:
            raise OtherCommandError(heard)

    def agree(self, problem: str) -> str:
        """Return the first problem that a rank has, with its number; empty if none has any."""
        if not self.several:
            return problem
        said = self.each((problem, platform.node()))
        found = ((rank, *words) for rank, words in enumerate(said) if words[0])
        return next(
            (f"process {rank} of {self.world} (on {host}): {text}" for rank, text, host in found),
            "",
        )

    @contextmanager
    def agreeing(self) -> Iterator[None]:
        """Do inside what may fail on one rank alone; then DataError says so on all of them."""
        try:
            yield
        except DataError as error:
            self.agree(str(error))
            raise
        if problem := self.agree(""):
            raise DataError(problem)

    def each(self, value: Any) -> list[Any]:
        """Return a small value of each rank, by rank."""
        if not self.several:
            return [value]
        values: list[Any] = [None] * self.world
        dist.all_gather_object(values, value, control_group())
        return values

    def share(self, rows: Tensor) -> Tensor:
        """Return this rank's part of a batch's rows (B,), which the ranks divide."""
        if not self.several:
            return rows
        own = len(rows) // self.world
        return rows[self.rank * own : (self.rank + 1) * own]

    def stretch(self, count: int) -> Tensor:
        """Return this rank's part of `count` rows, int64 (n,), n the same for all ranks.

        The parts follow each other; after the last row, that row is repeated. See `whole`.
        """
        own = -(-count // self.world)
        rows = torch.arange(self.rank * own, (self.rank + 1) * own)
        return rows if not self.several else rows.clamp_(max=count - 1)

    def whole(self, part: Tensor, count: int) -> Tensor:
        """Return what all ranks have found for their `stretch` of `count` rows: (count, ...)."""
        if not self.several:
            return part
        here = part.cpu().contiguous()
        parts = [torch.empty_like(here) for _ in range(self.world)]
        dist.all_gather(parts, here, control_group())
        return torch.cat(parts)[:count].to(part.device)

    def total(self, values: Tensor) -> Tensor:
        """Return the sum of the ranks' values."""
        if not self.several:
            return values
        summed = values.cpu()
        dist.all_reduce(summed, group=control_group())
        return summed.to(values.device)

    def mean(self, values: Tensor) -> Tensor:
        """Return the means of values over all ranks; on a GPU nothing waits for them."""
        if not self.several:
            return values
        summed = values.clone()
        dist.all_reduce(summed)
        return summed / self.world

    def least(self, number: int) -> int:
        """Return the smallest of the ranks' numbers."""
        smallest: int = min(self.each(number))
        return smallest

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


def ranks_of_launcher() -> Ranks:
    """Return this process's place among those that `torchrun` or a similar launcher started."""
    return Ranks(*place())


def join(ranks: Ranks) -> None:
    """Meet the other processes; call it once, before anything else of this module."""
    if ranks.several and not dist.is_initialized():
        join_groups(ranks.rank, ranks.world)


def packed(state: Mapping[str, Any]) -> bytes:
    """Return a checkpoint's state as bytes."""
    buffer = io.BytesIO()
    torch.save(dict(state), buffer)
    return buffer.getvalue()


def unpacked(content: bytes, device: torch.device) -> dict[str, Any]:
    """Return a checkpoint's state from bytes, its tensors on the device."""
    state: dict[str, Any] = torch.load(io.BytesIO(content), device, weights_only=True)
    return state
