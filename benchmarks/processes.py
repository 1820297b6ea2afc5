"""One run trained by several processes: images per second, and what their exchange costs.

python -m benchmarks.processes                       about 20 minutes on two idle cores
python -m benchmarks.processes --presets digits-conv-autoencoder --rounds 1    a try
python -m benchmarks.processes --count               only what a step exchanges; a minute

All train the same batch on the CPU with gloo, the preset's where that is possible. Several
processes have one thread each; they are compared with one process of one thread, and of two. The
ways take turns, so that a drifting machine affects all of them. `benchmarks.scaling_report` writes
docs/SCALING.md from the result.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.record import Row, save
from benchmarks.scaling_model import Step, batch_of

PRESETS = {
    "digits-conv-autoencoder": 20,
    "mnist-contrastive-2d": 4,
    "mnist-conv-autoencoder-7d": 4,
    "cifar10-vicreg": 1,
}
"""convolutional networks, and the steps that are timed together"""
BATCHES = {"cifar10-vicreg": 32}
"""where the preset's batch takes too long: 256 images take 15 seconds on one core"""
GOAL = 1.5
"""times the images per second of one process of one thread, by two"""


class Way(NamedTuple):
    """A number of processes, and the threads of each."""

    processes: int
    threads: int

    @property
    def key(self) -> str:
        """What the result calls it."""
        return f"{self.processes}x{self.threads}"


WAYS = (ONE, TWO_THREADS, TWO, FOUR) = (Way(1, 1), Way(1, 2), Way(2, 1), Way(4, 1))


def batch_for(preset: str) -> int:
    """Return the batch that is measured."""
    return BATCHES.get(preset) or batch_of(preset)


def measured(preset: str, way: Way, steps: int, folder: Path, rounds: int = 2) -> dict[str, Any]:
    """Start the processes once, and return what they found."""
    job, out = folder / "job.json", folder / "out.json"
    about = {"preset": preset, "batch": batch_for(preset), "steps": steps, "rounds": rounds}
    job.write_text(json.dumps(about | {"threads": way.threads}))
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={way.processes}"]
    words = launcher if way.processes > 1 else []
    subprocess.run(
        [sys.executable, *words, "-m", "benchmarks.processes_worker", str(job), str(out)],
        env={**os.environ, "OMP_NUM_THREADS": str(way.threads)},
        check=True,
        capture_output=True,
    )
    found: dict[str, Any] = json.loads(out.read_text())
    return found


def joined(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what several starts found, as if it had been one."""
    whole = dict(parts[0])
    for key in ("group", "share"):
        if key in whole:
            whole[key] = [seconds for part in parts for seconds in part[key]]
    for key in ("small", "large"):
        if key in whole:
            whole[key] = {
                kind: statistics.median(part[key][kind] for part in parts) for kind in whole[key]
            }
    return whole


def counts(presets: Sequence[str]) -> Iterator[Row]:
    """Count what a step of two processes exchanges, a row for each preset."""
    for preset in presets:
        with tempfile.TemporaryDirectory() as name:
            found = measured(preset, TWO, 1, Path(name), rounds=0)
        total = sum(size for _, size in found["exchanges"])
        words = f"{len(found['exchanges'])} exchanges of {total / 1e6:.2f} MB"
        batch = batch_for(preset)
        numbers = {"preset": preset, "batch": batch, **found}
        yield Row(f"{preset}, batch {batch}: a step", "–", words, None, numbers)


def rows(presets: Sequence[str], rounds: int) -> Iterator[Row]:
    """Measure the presets, a row for each number of processes."""
    for preset in presets:
        found: dict[str, list[dict[str, Any]]] = {way.key: [] for way in WAYS}
        with tempfile.TemporaryDirectory() as name:
            for _ in range(rounds):
                for way in WAYS:
                    folder = Path(name)
                    found[way.key].append(measured(preset, way, PRESETS[preset], folder))
        whole = {key: joined(parts) for key, parts in found.items()}
        batch = batch_for(preset)
        rate = {key: batch / statistics.median(w["group"]) for key, w in whole.items()}
        yield Row(
            f"{preset}, batch {batch}: one process of one thread, and of two",
            "–",
            f"{rate[ONE.key]:,.0f} and {rate[TWO_THREADS.key]:,.0f} images/s",
            None,
            {"preset": preset, "batch": batch, "ways": whole, "load": os.getloadavg()[0]},
        )
        for way in (TWO, FOUR):
            step = Step.read(whole[way.key], way.processes)
            gain = rate[way.key] / rate[ONE.key]
            words = (
                f"{gain:.2f} x one process of one thread, "
                f"{rate[way.key] / rate[TWO_THREADS.key]:.2f} x one of two; "
                f"{step.exchanged:.0%} of a step is spent exchanging"
            )
            goal = f"≥ {GOAL} x on two idle cores" if way is TWO else "–"
            reached = gain >= GOAL if way is TWO else None
            numbers: dict[str, object] = {"gain": gain, "exchanged": step.exchanged}
            yield Row(f"the same by {way.processes} processes", goal, words, reached, numbers)


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.processes")
    parser.add_argument("--presets", nargs="+", choices=PRESETS, default=list(PRESETS))
    parser.add_argument("--rounds", type=int, default=3, help="times that every way has its turn")
    parser.add_argument("--count", action="store_true", help="only what a step exchanges")
    asked = parser.parse_args()
    if asked.count:
        save("exchanges", "python -m benchmarks.processes --count", counts(asked.presets))
        return
    save("processes", "python -m benchmarks.processes", rows(asked.presets, asked.rounds))


if __name__ == "__main__":
    main()
