"""One of several processes that train a preset together, for `benchmarks.processes`.

    torchrun … -m benchmarks.processes_worker JOB.json OUT.json

In each round it times the steps of the whole group, and then the same computation in the same
processes at the same time, but without any exchange: what is gathered is a repetition of a
process's own. The difference is what the exchange costs, waiting for the slowest included.
"""

from __future__ import annotations

import functools
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import torch
import torch.distributed as dist
from torch import Tensor, nn

from tests.training.fake_cuda import made_images
from tui_latent.config.presets import load_preset
from tui_latent.methods import method as methods
from tui_latent.runtime.malloc import keep_freed_memory
from tui_latent.training.loop import TrainingLoop
from tui_latent.training.rank_commands import Command
from tui_latent.training.ranks import ALONE, Ranks, join, ranks_of_launcher

KINDS = ("all_reduce", "all_to_all_single", "broadcast")
SMALL, LARGE = 64, 1_000_000
"""floats of an exchange that takes its latency, and of one that takes its bytes"""
LONGEST_WORK = 0.02
"""seconds of computation before an exchange that is timed: more only takes time"""
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Job:
    """What one start of the processes measures."""

    preset: str
    batch: int
    """of all processes together"""
    steps: int
    """timed together"""
    rounds: int
    """0 to count what is exchanged, and time nothing"""
    threads: int
    """of each process"""


class _Untold(Ranks):
    """Ranks that step at the same time without being told to."""

    def tell(
        self, command: Command, lr_factor: float = 1.0, steps: int = 0, about: Any = None
    ) -> None:
        """Tell nothing."""


def made_loop(job: Job, ranks: Ranks, batch: int) -> TrainingLoop:
    """Return a loop on made images: what a step costs does not depend on their contents."""
    changes = {"train.batch_size": batch, "train.device": "cpu", "train.epochs": 1000}
    if "stages" in load_preset(job.preset).model_dump(exclude_defaults=True):
        changes["stages"] = []
    preset = load_preset(job.preset, changes)
    return TrainingLoop(preset, made_images(preset, 2 * job.batch), CPU, ranks=ranks)


def repeated(world: int) -> Any:
    """Gather, from now on, a process's own rows `world` times, without gradients of others.

    Its own rows are the first of them.
    """

    def gathered(x: Tensor, groups: int = 1) -> Tensor:
        return torch.cat([part for own in x.chunk(groups) for part in [own] * world])

    def own(count: int) -> slice:
        return slice(0, count // world)

    return mock.patch.multiple(methods, gathered=gathered, own=own)


def step_seconds(loop: TrainingLoop, steps: int) -> float:
    """Return the seconds of a step of the slowest process, the mean of some steps."""
    if dist.is_initialized():
        dist.barrier()
    start = time.perf_counter()
    for _ in range(steps):
        loop.step()
    seconds = torch.tensor([(time.perf_counter() - start) / steps])
    if dist.is_initialized():
        dist.all_reduce(seconds, dist.ReduceOp.MAX)
    return float(seconds)


@contextmanager
def counting(found: list[tuple[str, int]]) -> Iterator[None]:
    """Count what is exchanged meanwhile: the kind and the bytes of each exchange.

    Bytes are those of the result: what a process has afterwards.
    """

    def counted(name: str, exchange: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(exchange)
        def count(first: Any, *more: Any, **options: Any) -> Any:
            tensors = first if isinstance(first, list) else [first]
            found.append((name, sum(x.numel() * x.element_size() for x in tensors)))
            return exchange(first, *more, **options)

        return count

    with ExitStack() as stack:
        for name in KINDS:
            counter = counted(name, getattr(dist, name))
            stack.enter_context(mock.patch.object(dist, name, counter))
        yield


def norm_widths(loop: TrainingLoop) -> list[int]:
    """Return the features of each batch norm; its statistics are exchanged in a way per device."""
    norms = nn.modules.batchnorm._BatchNorm
    return [m.num_features for m in loop.method.modules() if isinstance(m, norms) and m.training]


def work_lasting(seconds: float) -> Callable[[], None]:
    """Return a computation that takes about so long, the same in all processes."""
    x = torch.ones(64, 64)
    start = time.perf_counter()
    for _ in range(200):
        x @ x
    found = torch.tensor(round(seconds / (time.perf_counter() - start) * 200))
    dist.broadcast(found, 0)
    often = int(found)

    def work() -> None:
        for _ in range(often):
            x @ x

    return work


def exchange_seconds(kind: str, floats: int, work: Callable[[], None], often: int) -> float:
    """Return the seconds of one exchange whose result has so many floats, the mean of a row.

    Each follows `work`, as in a step: the processes do not arrive at the same time, and those that
    wait have to be woken up.
    """
    x = torch.zeros(floats)
    received = torch.zeros(floats)
    calls: dict[str, Callable[[], object]] = {
        "all_reduce": lambda: dist.all_reduce(x),
        "all_to_all_single": lambda: dist.all_to_all_single(received, x),
        "broadcast": lambda: dist.broadcast(x, 0),
    }
    seconds = []
    for exchange in (lambda: None, calls[kind]):
        dist.barrier()
        start = time.perf_counter()
        for _ in range(often):
            work()
            exchange()
        seconds.append((time.perf_counter() - start) / often)
    alone, together = seconds
    return max(together - alone, 0.0)


def timed_exchanges(floats: int, work: Callable[[], None], often: int) -> dict[str, float]:
    """Return the median seconds of an exchange by kind."""
    return {
        kind: statistics.median(exchange_seconds(kind, floats, work, often) for _ in range(5))
        for kind in KINDS
    }


def measured(job: Job) -> dict[str, Any]:
    """Return the seconds of a step by round, what it exchanges, and what exchanges take."""
    keep_freed_memory()
    torch.set_num_threads(job.threads)
    ranks = _Untold(*vars(ranks_of_launcher()).values())
    join(ranks)
    group = made_loop(job, ranks, job.batch)
    if not ranks.several:
        group.step()
        return {"group": [step_seconds(group, job.steps) for _ in range(job.rounds)]}
    found: dict[str, Any] = {"exchanges": [], "norms": norm_widths(group)}
    group.step()
    group.step()  # the buckets are built anew after the first
    with counting(found["exchanges"]):
        group.step()
    if not job.rounds:
        return found
    found |= {"group": [], "share": []}
    with repeated(ranks.world):
        share = made_loop(job, ALONE, job.batch // ranks.world)
        share.step()
    for _ in range(job.rounds):
        found["group"].append(step_seconds(group, job.steps))
        with repeated(ranks.world):
            found["share"].append(step_seconds(share, job.steps))
    between = statistics.median(found["share"]) / len(found["exchanges"])
    work = work_lasting(min(between, LONGEST_WORK))
    found["small"] = timed_exchanges(SMALL, work, 30)
    found["large"] = timed_exchanges(LARGE, work, 6)
    return found


def main() -> None:
    """Measure, and write what rank 0 found."""
    job = Job(**json.loads(Path(sys.argv[1]).read_text()))
    found = measured(job)
    if ranks_of_launcher().rank == 0:
        Path(sys.argv[2]).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
