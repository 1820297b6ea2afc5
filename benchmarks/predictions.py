"""What a GPU should reach, computed before one was available: counts times published rates.

python -m benchmarks.predictions                    prints how each was computed

Counts are those of the operators of one update, run on tensors without data (torch's FakeTensor)
at the preset's own batch: an operator is a kernel or a few, which takes the longest of a launch,
its bytes and its arithmetic. "Short" kernels are those for which that is the launch. Rates are
published ones or a range around them. Nothing here was measured on a GPU.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from benchmarks.record import RESULTS, results_in

EXPERIMENTS = results_in(str(Path(__file__).parents[1] / "experiments" / "quality.py"))


@dataclass(frozen=True)
class Counts:
    """Of one update."""

    batch: int
    kernels: int
    short: int
    """kernels that take no longer than their launch, at 2.5 TB/s"""
    gigabytes: float
    """that the others read and write"""
    long_teraflop: float
    """of those kernels that are bound by arithmetic"""
    teraflop: float
    """of all convolutions and matrix products"""
    optimizer_short: int = 0
    """of `short`, those of the optimiser"""


MNIST = Counts(512, 243, 204, 0.295, 0.0, 0.00699)
"""mnist-contrastive-2d, first stage"""
VICREG = Counts(256, 1281, 958, 9.23, 1.681, 1.708, optimizer_short=588)
"""cifar10-vicreg, LARS as a loop over its tensors"""

HOST_US = (5.0, 8.0)
"""of a launch by Python and torch, one after the other; a guess from common traces"""
LAUNCH_US = 1.7
"""of a kernel within a graph"""
CARDS = {
    "H100, convolutions at 250 TFLOP/s": (250.0, 2.5),
    "H100, at 350": (350.0, 2.5),
    "H200, at 350": (350.0, 3.6),
    "H100, at 450": (450.0, 2.5),
}
"""TFLOP/s that bfloat16 convolutions of this size reach, TB/s of memory"""
MATRIX_RATE = 790.0
"""TFLOP/s of a large bfloat16 matrix product, as seen on an H200"""
FOREACH = 25
"""launches of LARS by torch's foreach functions"""
FUSED_AWAY = 0.4
"""share of the bytes that compiling saves by fusing element-wise operators; a guess"""
FLOAT32_RATE = 50.0
"""TFLOP/s of a float32 matrix product without TensorFloat-32 on an H100"""
CORES = 16
"""of the box that a GPU is lent with; peers on the CPU are taken to scale with them: a guess"""


def milliseconds(c: Counts, conv: float, memory: float) -> float:
    """Return those of one update as a graph: short launches, then bytes, then arithmetic."""
    return LAUNCH_US * c.short / 1e3 + c.gigabytes / memory + 1e3 * c.long_teraflop / conv


def gains(c: Counts) -> tuple[float, float]:
    """Return the least and the largest gain of a graph over launched operators.

    Launched, an update takes as long as the host's launches or the device's work, whichever is
    longer.
    """
    found = []
    for conv, memory in (*CARDS.values(), (450.0, 3.6)):
        graph = milliseconds(c, conv, memory)
        found += [max(host * c.kernels / 1e3, graph) / graph for host in HOST_US]
    return min(found), max(found)


def shares(c: Counts) -> dict[str, float]:
    """Return the share of the matrix rate by card."""
    return {
        card: c.teraflop / MATRIX_RATE / milliseconds(c, *rates) * 1e3
        for card, rates in CARDS.items()
    }


def with_foreach(c: Counts) -> Counts:
    """Return the counts with LARS in a few launches."""
    fewer = c.optimizer_short - FOREACH
    return Counts(
        c.batch, c.kernels - fewer, c.short - fewer, c.gigabytes, c.long_teraflop, c.teraflop
    )


def with_compile(c: Counts) -> Counts:
    """Return the counts with element-wise operators fused."""
    left = c.gigabytes * (1 - FUSED_AWAY)
    return Counts(c.batch, c.kernels, c.short, left, c.long_teraflop, c.teraflop)


def knn_queries_per_second(queries: int = 10_000, bank: int = 60_000, width: int = 512) -> float:
    """Return those of exact kNN on a GPU: the product, topk's passes over it, the launches."""
    product = 2 * queries * bank * width / (FLOAT32_RATE * 1e12)
    passes = 4 * (4 * queries * bank) / 2.5e12  # written once, read three times
    launches = 12 * ceil(queries / 4096) * ceil(bank / 16384) * HOST_US[0] / 1e6
    return queries / (product + passes + launches)


def theirs(result: str, what: str) -> float:
    """Return the median rate of the other side in a CPU's result, by core."""
    content = json.loads((RESULTS / f"{result}.json").read_text())
    row = next(r for r in content["rows"] if what in r["what"] and "theirs_per_s" in r["numbers"])
    rates = sorted(row["numbers"]["theirs_per_s"])
    return float(rates[len(rates) // 2]) / int(row["numbers"]["threads"])


@dataclass(frozen=True)
class Goal:
    """Something asked of a GPU, what is expected, and where the answer will be."""

    what: str
    asked: str
    predicted: str
    arithmetic: str
    module: str
    """of `package`; measures it with `--device cuda`"""
    row: str
    """what its row's words hold"""
    options: str = ""
    result: str = ""
    package: str = "benchmarks"

    @property
    def command(self) -> str:
        """What measures it."""
        words = f"python -m {self.package}.{self.module} {self.options}".strip()
        return f"{words} --device cuda"

    def measured(self) -> str:
        """Return what was measured, or that it was not run and by which command it is."""
        name = f"{self.result or self.module}-cuda.json"
        for file in (RESULTS / name, RESULTS / "gpu_all" / name, EXPERIMENTS / name):
            if file.exists():
                content = json.loads(file.read_text())
                card = content.get("hardware", {}).get("gpu", "a GPU")
                found = [row["measured"] for row in content["rows"] if self.row in row["what"]]
                if found:
                    return f"{'; '.join(found)} ({card})"
        return f"not run: `{self.command}`"


def goals() -> list[Goal]:
    """Return all that was asked of a GPU."""
    least, most = gains(MNIST)
    v_least, v_most = gains(VICREG)
    now, foreach = shares(VICREG), shares(with_foreach(VICREG))
    both = shares(with_compile(with_foreach(VICREG)))
    epochs = {c: 50_000 / VICREG.batch * milliseconds(VICREG, *r) / 1e3 for c, r in CARDS.items()}
    knn = knn_queries_per_second() / (CORES * theirs("neighbours", "512-D,"))
    step = milliseconds(MNIST, 350, 2.5)
    ours = MNIST.batch / step * 1e3
    piped = [ours / (CORES * theirs("pipeline", v)) for v in ("elastic", "with affine views")]
    short = f"{MNIST.short} short kernels x {LAUNCH_US} us + {MNIST.gigabytes} GB / 2.5 TB/s"
    vicreg = (
        f"{VICREG.short} short kernels x {LAUNCH_US} us + {VICREG.gigabytes} GB / memory + "
        f"{VICREG.long_teraflop} TFLOP / convolutions"
    )
    host = f"{HOST_US[0]:.0f} to {HOST_US[1]:.0f} us per launch"
    return [
        Goal(
            "one CUDA graph per step, MNIST's network",
            "≥ 4 x",
            f"{least:.1f} to {most:.1f} x",
            f"{MNIST.kernels} kernels at {host}, against {short} = {step:.2f} ms",
            "gpu",
            "captured graph",
        ),
        Goal(
            "one CUDA graph per step, VICReg on a ResNet-18",
            "–",
            f"{v_least:.1f} to {v_most:.1f} x",
            f"{VICREG.kernels:,} kernels at {host}, against {vicreg}",
            "gpu_presets",
            "cifar10-vicreg",
            result="presets",
        ),
        Goal(
            "ResNet-18, VICReg, batch 256: share of the bfloat16 matrix rate",
            "≥ 25 %",
            f"{_span(now)}; with foreach LARS {_span(foreach)}, also compiled {_span(both)}",
            f"{VICREG.teraflop} TFLOP / {MATRIX_RATE:.0f} TFLOP/s, over {vicreg}; foreach: "
            f"{FOREACH} launches for {VICREG.optimizer_short}; compiled: "
            f"{FUSED_AWAY:.0%} fewer bytes (a guess)",
            "gpu",
            "share of the device's",
        ),
        Goal(
            "the same: one epoch of 50,000 images",
            "≤ 1.7 s on an H200",
            f"{epochs['H200, at 350']:.2f} s on an H200, {min(epochs.values()):.2f} to "
            f"{max(epochs.values()):.2f} s on all",
            f"50,000 / {VICREG.batch} steps of {vicreg}",
            "gpu",
            "epoch of",
        ),
        Goal(
            "exact kNN in 512-D against scikit-learn",
            "≥ 100 x",
            f"{knn:.0f} x",
            f"2 x 10,000 x 60,000 x 512 flop / {FLOAT32_RATE:.0f} TFLOP/s + four passes over "
            f"2.4 GB + launches, against the rate of scikit-learn on this machine, scaled to "
            f"{CORES} cores",
            "neighbours",
            "512-D,",
        ),
        Goal(
            "exact kNN in the plane",
            "≥ 100 x",
            "as on the CPU",
            "latents on a GPU are copied to the CPU, where the k-d tree needs no matrix product",
            "neighbours",
            " 2-D,",
        ),
        Goal(
            "a training step against a DataLoader and a plain loop",
            "≥ 30 x",
            f"{min(piped):.0f} x with affine views, {max(piped):.0f} x with elastic ones",
            f"{MNIST.batch} images / {step:.2f} ms, against the loader's rate on this machine, "
            f"scaled to {CORES} cores",
            "pipeline",
            "a training step",
        ),
        Goal("a step against lightly's", "≥ 20 x", "–", "", "lightly_step", "step"),
        Goal("augmentation alone", "≥ 1.5 x", "–", "", "augmentation", "augmentation"),
        Goal(
            "steps/s with the dashboard open over steps/s without",
            "≥ 0.98",
            "–",
            "",
            "screen",
            "steps/s",
        ),
        Goal(
            "seconds to kNN@20 of 0.95 and 0.97 on MNIST",
            "–",
            "–",
            "",
            "time_to_quality",
            "seconds to kNN@20",
            package="experiments",
        ),
        Goal(
            "mnist-contrastive-2d: kNN@20, held out",
            "≥ 0.96",
            "–",
            "",
            "quality",
            "mnist-contrastive-2d",
            options="mnist",
            result="quality-mnist",
            package="experiments",
        ),
    ]


def _span(shares: dict[str, float]) -> str:
    return f"{100 * min(shares.values()):.0f} to {100 * max(shares.values()):.0f} %"


def section() -> str:
    """Return the goals on a GPU as a Markdown table, and how each prediction was made."""
    lines = ["| on a GPU | goal | predicted | measured |", "|---|---|---|---|"]
    made = []
    for goal in goals():
        lines.append(f"| {goal.what} | {goal.asked} | {goal.predicted} | {goal.measured()} |")
        if goal.arithmetic:
            made.append(f"- {goal.what}: {goal.arithmetic}.")
    return "\n".join([*lines, "", "How the predictions were made:", "", *made]) + "\n"


def main() -> None:
    """Print them."""
    print(section())


if __name__ == "__main__":
    main()
