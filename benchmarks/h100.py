"""Links between H100 GPUs, from published figures; nothing here was measured.

Latencies and the rates of the low-latency protocol are the constants with which NCCL itself
chooses an algorithm (github.com/NVIDIA/nccl, src/graph/tuning.cc at 5067397c, Hopper, an Intel
host). As there, an exchange takes the faster of two protocols: LL, of little latency, and Simple,
of the full bandwidth. Eight GPUs are a machine, joined by NVLink; machines are joined by an
InfiniBand adapter of 400 Gb/s for each GPU, as in a DGX H100.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log2
from typing import Final

from benchmarks.scaling_model import Exchange, sent

PER_MACHINE: Final = 8
NVLINK: Final = 370e9
"""bytes/s that NCCL reaches of NVLink's 450e9 (github.com/NVIDIA/nccl-tests, issue 212)"""
INFINIBAND: Final = 0.96 * 8 * 50e9
"""bytes/s of eight adapters: of 25e9, one reaches 24e9 (github.com/NVIDIA/nccl, issue 412)"""
LL_MACHINE, LL_MACHINES = 141e9, 20.4e9
"""bytes/s at most by LL, in a machine and between more than two (llMaxBws)"""


@dataclass(frozen=True)
class _Protocol:
    """Microseconds of `baseLatencies` and `hwLatencies`: tree for sums, ring for gathers."""

    tree: tuple[float, float, float]
    """fixed, for a step by NVLink, for one between machines"""
    ring: tuple[float, float, float]
    """likewise"""

    def microseconds(self, kind: str, world: int) -> float:
        machines = ceil(world / PER_MACHINE)
        if kind == "all_reduce":
            fixed, near, far = self.tree
            return fixed + 2 * ((world / machines - 1) * near + log2(machines) * far)
        fixed, near, far = self.ring
        return fixed + (world - machines) * near + (machines - 1) * far


LL: Final = _Protocol((6.8, 0.6, 5.0), (6.6, 1.0, 2.7))
"""a step of a ring takes the host's 1 us at least"""
SIMPLE: Final = _Protocol((8.4, 4.0, 14.0), (8.4, 3.4, 14.0))


class H100Links:
    """Exchanges between so many H100s as there are devices."""

    def seconds(self, exchange: Exchange, world: int) -> float:
        """Return what an exchange takes, by the faster protocol."""
        one = world <= PER_MACHINE
        rates = (LL_MACHINE if one else LL_MACHINES, NVLINK if one else min(NVLINK, INFINIBAND))
        return min(
            1e-6 * protocol.microseconds(exchange.kind, world) + sent(exchange, world) / rate
            for protocol, rate in zip((LL, SIMPLE), rates, strict=True)
        )


def on_gpus(exchanges: list[Exchange], norms: tuple[int, ...], growth: float) -> list[Exchange]:
    """Return what a step exchanges on GPUs, from what it exchanges on CPUs.

    A batch norm on a CPU sends 2 C numbers to each process forwards and backwards, as two
    processes counted it. torch's SyncBatchNorm has exchanges of its own: see `norm_exchanges`.
    What was gathered of a batch, and its gradient, grows with the batch, by `growth`; sums do not,
    which are of the gradients of weights.
    """
    left = list(exchanges)
    for width in norms:
        for _ in range(2):
            left.remove(Exchange("all_to_all_single", 2 * 4 * 2 * width))
    return [
        e if e.kind == "all_reduce" else Exchange(e.kind, e.bytes * growth)
        for e in left
        if e.kind != "broadcast"  # of commands, between CPUs
    ]


def norm_exchanges(norms: tuple[int, ...], world: int) -> list[Exchange]:
    """Return what SyncBatchNorm exchanges for norms of so many features."""
    gathers = [Exchange("all_gather", 4 * (2 * width + 1) * world) for width in norms]
    return gathers + [Exchange("all_reduce", 4 * 2 * width) for width in norms]
