"""Two ways of doing one thing, measured in turn so that a drifting machine affects both."""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass

import torch

from benchmarks.peers import SKIPPED
from tui_latent.runtime.malloc import keep_freed_memory

Round = Callable[[], float]
"""does one round and returns items per second"""


@dataclass(frozen=True)
class Comparison:
    """Items per second of both sides, a number per round."""

    ours: list[float]
    theirs: list[float]

    @property
    def ratios(self) -> list[float]:
        """How many times faster we were, by round."""
        return [a / b for a, b in zip(self.ours, self.theirs, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios."""
        return statistics.median(self.ratios)

    def words(self, unit: str) -> str:
        """Return `8.4 x: 4,217 against 502 images/s`."""
        ours, theirs = statistics.median(self.ours), statistics.median(self.theirs)
        return f"{self.ratio:.1f} x: {_rate(ours)} against {_rate(theirs)} {unit}/s"

    def numbers(self) -> dict[str, object]:
        """Return everything behind the ratio."""
        return {
            "ours_per_s": self.ours,
            "theirs_per_s": self.theirs,
            "ratios": self.ratios,
            "threads": torch.get_num_threads(),
            "load_average": os.getloadavg(),
        }


def alternate(ours: Round, theirs: Round, rounds: int) -> Comparison:
    """Run both sides in turn, `rounds` times; each warms itself up within its round."""
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    return Comparison([a for a, _ in pairs], [b for _, b in pairs])


def use_all_cores() -> int:
    """Give torch a thread per core, for both sides; return how many.

    Freed memory is kept as in the program, for both sides.
    """
    keep_freed_memory()
    cores = len(os.sched_getaffinity(0))
    torch.set_num_threads(cores)
    return cores


def device_option(parser: argparse.ArgumentParser) -> None:
    """Add `--device`: measure on one device alone, to save time on a borrowed GPU."""
    parser.add_argument(
        "--device", choices=("cpu", "cuda"), help="this alone; else the CPU, then a GPU if any"
    )


def devices(only: str | None = None) -> list[torch.device]:
    """Return the devices to measure: the CPU and any GPU that torch sees, or only the given one.

    Exits with a sentence and `SKIPPED` if a GPU is requested and there is none.
    """
    if only == "cuda" and not torch.cuda.is_available():
        print("torch sees no GPU here", file=sys.stderr)
        sys.exit(SKIPPED)
    if only:
        return [torch.device(only)]
    return [torch.device(name) for name in ("cpu", "cuda")[: 1 + torch.cuda.is_available()]]


def place(device: torch.device) -> str:
    """Return `2 cores`, or the GPU's name."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{len(os.sched_getaffinity(0))} cores"


def finish(device: torch.device) -> None:
    """Wait until the device has finished, before the clock is read."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _rate(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"
