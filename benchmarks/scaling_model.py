"""How fast a run is on several devices: a model from step times, bytes and links.

    seconds of a step = seconds of a device's share + sum over exchanges of
                        latency(kind) + bytes sent by a device / bandwidth(kind)

Of an exchange whose result has S bytes, each of W devices sends 2 (W - 1) / W S to sum it
(all-reduce), (W - 1) / W S to gather it or to send each its part (all-to-all), and S to broadcast
it: the factors that NCCL's own tests compute bus bandwidth with (github.com/NVIDIA/nccl-tests,
doc/PERFORMANCE.md). A device's share is
its images and what a loss computes of them. Nothing is taken to overlap.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

from tui_latent.config.presets import load_preset

FLOAT = 4
"""bytes"""
LARGE = 1_000_000
"""floats of the exchange that bandwidths are measured with"""


@dataclass(frozen=True)
class Exchange:
    """One exchange between all devices."""

    kind: str
    """all_reduce, all_gather, all_to_all_single or broadcast"""
    bytes: float
    """of its result"""


class Joined(Protocol):
    """Knows what an exchange between devices takes."""

    def seconds(self, exchange: Exchange, world: int) -> float:
        """Return what an exchange between `world` devices takes."""


@dataclass(frozen=True)
class Links:
    """What joins the devices, as two numbers for each kind of exchange."""

    latency: Mapping[str, float]
    """seconds, by kind"""
    bandwidth: Mapping[str, float]
    """bytes that a device sends per second, by kind"""

    def seconds(self, exchange: Exchange, world: int) -> float:
        """Return what an exchange takes."""
        kind = exchange.kind
        return self.latency[kind] + sent(exchange, world) / self.bandwidth[kind]


def sent(exchange: Exchange, world: int) -> float:
    """Return the bytes that each device sends."""
    factor = {
        "all_reduce": 2 * (world - 1) / world,
        "all_gather": (world - 1) / world,
        "all_to_all_single": (world - 1) / world,
        "broadcast": 1.0,
    }
    return factor[exchange.kind] * exchange.bytes


def predicted(share: float, exchanges: Sequence[Exchange], links: Joined, world: int) -> float:
    """Return the seconds of a step, from those of a device's share without exchanges."""
    return share + sum(links.seconds(exchange, world) for exchange in exchanges)


@dataclass(frozen=True)
class Step:
    """A step of several processes, as `benchmarks.processes` measured it."""

    world: int
    group: float
    """seconds of a step"""
    share: float
    """seconds of the same computation without exchanges, in all processes at the same time"""
    exchanges: tuple[Exchange, ...]
    norms: tuple[int, ...]
    """features of each batch norm"""
    links: Links

    @classmethod
    def read(cls, found: Mapping[str, Any], world: int) -> Self:
        """Return the medians of what was measured."""
        small, large = found["small"], found["large"]
        bandwidth = {
            kind: sent(Exchange(kind, LARGE * FLOAT), world) / max(large[kind] - small[kind], 1e-6)
            for kind in small
        }
        return cls(
            world,
            statistics.median(found["group"]),
            statistics.median(found["share"]),
            tuple(Exchange(kind, size) for kind, size in found["exchanges"]),
            tuple(found["norms"]),
            Links(small, bandwidth),
        )

    @property
    def exchanged(self) -> float:
        """The share of a step that is spent exchanging, waiting for the slowest included."""
        return max(0.0, 1 - self.share / self.group)

    @property
    def predicted(self) -> float:
        """What the model says of this step."""
        return predicted(self.share, self.exchanges, self.links, self.world)

    @property
    def error(self) -> float:
        """How far the model is off, of what was measured."""
        return self.predicted / self.group - 1


def batch_of(preset: str) -> int:
    """Return the batch of a preset, of all devices together."""
    return load_preset(preset).train.batch_size
