"""What a GPU should reach, computed before one was available: counts times published rates.

python -m benchmarks.predictions                    prints how each was computed

Counts are those of `python -m benchmarks.count_kernels`. "Short" kernels are those whose launch
takes longer than their bytes and their arithmetic. Rates are published ones or a range around
them. Nothing here was measured on a GPU.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from math import ceil
from pathlib import Path

from benchmarks.record import RESULTS, results_in

EXPERIMENTS = results_in(str(Path(__file__).parents[1] / "experiments" / "quality.py"))
PRESETS = (MNIST, VICREG) = ("mnist-contrastive-2d", "cifar10-vicreg")
"""whose first stages are counted"""


@dataclass(frozen=True)
class Counts:
    """Counts of one update."""

    batch: int
    kernels: int
    short: int
    """kernels whose launch takes longest"""
    gigabytes: float
    """read and written by the kernels whose bytes take longest"""
    long_teraflop: float
    """of the kernels whose arithmetic takes longest"""
    teraflop: float
    """of all convolutions and matrix products"""


HOST_US = (5.0, 8.0)
"""of one launch by Python and torch; a guess from common traces"""
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
FUSED_AWAY = 0.4
"""share of the bytes that compiling saves by fusing element-wise operators; a guess"""
FLOAT32_RATE = 50.0
"""TFLOP/s of a float32 matrix product without TensorFloat-32 on an H100"""
CORES = 16
"""of a GPU machine; that CPU peers scale with them is a guess"""


def counts_of(preset: str) -> Counts:
    """Return the counts of an update of a preset, as `count_kernels` saved them."""
    rows = json.loads((RESULTS / "count_kernels.json").read_text())["rows"]
    numbers = next(row["numbers"] for row in rows if row["numbers"]["preset"] == preset)
    return Counts(**{field.name: numbers[field.name] for field in fields(Counts)})


def milliseconds(c: Counts, conv: float, memory: float) -> float:
    """Return the milliseconds of one update as a graph: short launches, bytes, arithmetic."""
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


def with_compile(c: Counts) -> Counts:
    """Return the counts with element-wise operators fused."""
    return replace(c, gigabytes=c.gigabytes * (1 - FUSED_AWAY))


def knn_queries_per_second(queries: int = 10_000, bank: int = 60_000, width: int = 512) -> float:
    """Return the rate of exact kNN on a GPU: the product, topk's passes over it, the launches."""
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
    """A goal on a GPU, its prediction, and the command that measures it."""

    what: str
    asked: str
    predicted: str
    arithmetic: str
    module: str
    """of `package`; measures it with `--device cuda`"""
    row: str
    """text that identifies its row"""
    options: str = ""
    result: str = ""
    package: str = "benchmarks"

    @property
    def command(self) -> str:
        """The command that measures it."""
        words = f"python -m {self.package}.{self.module} {self.options}".strip()
        return f"{words} --device cuda"

    def measured(self) -> str:
        """Return what was measured, or that it was not run, with its command."""
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
    """Return the goals on a GPU."""
    mnist, vicreg = counts_of(MNIST), counts_of(VICREG)
    least, most = gains(mnist)
    v_least, v_most = gains(vicreg)
    now, compiled = shares(vicreg), shares(with_compile(vicreg))
    epochs = {c: 50_000 / vicreg.batch * milliseconds(vicreg, *r) / 1e3 for c, r in CARDS.items()}
    knn = knn_queries_per_second() / (CORES * theirs("neighbours", "512-D,"))
    step = milliseconds(mnist, 350, 2.5)
    ours = mnist.batch / step * 1e3
    piped = [ours / (CORES * theirs("pipeline", v)) for v in ("elastic", "with affine views")]
    m_step, v_step = _in_words(mnist), _in_words(vicreg)
    host = f"{HOST_US[0]:.0f} to {HOST_US[1]:.0f} us per launch"
    return [
        Goal(
            "one CUDA graph per step, MNIST's network",
            "≥ 4 x",
            _range(least, most, ".1f", "x"),
            f"{mnist.kernels} kernels at {host}, against {m_step} = {step:.2f} ms",
            "gpu",
            "captured graph",
        ),
        Goal(
            "one CUDA graph per step, VICReg on a ResNet-18",
            "–",
            _range(v_least, v_most, ".1f", "x"),
            f"{vicreg.kernels} kernels at {host}, against {v_step}",
            "gpu_presets",
            "cifar10-vicreg",
            result="presets",
        ),
        Goal(
            "ResNet-18, VICReg, batch 256: share of the bfloat16 matrix rate",
            "≥ 25 %",
            f"{_span(now)}; compiled {_span(compiled)}",
            f"{vicreg.teraflop:.4g} TFLOP / {MATRIX_RATE:.0f} TFLOP/s, over {v_step}; compiled: "
            f"{FUSED_AWAY:.0%} fewer bytes (a guess)",
            "gpu",
            "share of the device's",
        ),
        Goal(
            "the same: one epoch of 50,000 images",
            "≤ 1.7 s on an H200",
            f"{epochs['H200, at 350']:.2f} s on an H200, {min(epochs.values()):.2f} to "
            f"{max(epochs.values()):.2f} s on all",
            f"50,000 / {vicreg.batch} steps of {v_step}",
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
            f"{mnist.batch} images / {step:.2f} ms, against the loader's rate on this machine, "
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


def _in_words(c: Counts) -> str:
    parts = f"{c.short} short kernels x {LAUNCH_US} us + {c.gigabytes:.3g} GB / memory"
    return f"{parts} + {c.long_teraflop:.4g} TFLOP / convolutions"


def _span(shares: dict[str, float]) -> str:
    return _range(100 * min(shares.values()), 100 * max(shares.values()), ".0f", "%")


def _range(least: float, most: float, digits: str, unit: str) -> str:
    ends = dict.fromkeys((format(least, digits), format(most, digits)))
    return f"{' to '.join(ends)} {unit}"


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
    """Print the goals."""
    print(section())


if __name__ == "__main__":
    main()
