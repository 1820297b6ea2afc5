"""kNN of the bundled contrastive presets within a budget of training time.

python -m experiments.quality             both presets (about 11 minutes; MNIST must be there)
python -m experiments.quality digits      one of them
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.program import PROGRAM
from benchmarks.record import Row, for_device, results_in, save
from benchmarks.rounds import device_option, devices


@dataclass(frozen=True)
class Budget:
    """A preset, its time and what it should reach in that time."""

    preset: str
    seconds: float
    goal: float
    aim: float


BUDGETS = {
    "digits": Budget("digits-contrastive-2d", 60, 0.90, 0.95),
    "mnist": Budget("mnist-contrastive-2d", 600, 0.96, 0.97),
}


def train(preset: str, runs: str, device: str | None) -> dict[str, Any]:
    """Train a preset without a screen; return what `--json` says."""
    where = ["--device", device] if device else []
    command = [*PROGRAM, "train", preset]
    done = subprocess.run(
        [*command, *where, "--runs", runs, "--seed", "0", "--json"],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def evaluations(path: str) -> list[dict[str, float]]:
    """Return the records of a run that contain kNN."""
    lines = (Path(path) / "metrics.jsonl").read_text().splitlines()
    return [row for row in map(json.loads, lines) if "val/knn_20" in row]


def measure(budget: Budget, device: str | None) -> Row:
    """Train to the preset's end and read the last evaluation within the budget."""
    with tempfile.TemporaryDirectory() as runs:
        result = train(budget.preset, runs, device)
        rows = evaluations(result["path"])
    within = [row for row in rows if row["time"] <= budget.seconds]
    knn = {k: within[-1][f"val/knn_{k}"] for k in (1, 5, 20)} if within else {}
    score = knn.get(20, 0.0)
    seconds = within[-1]["time"] if within else 0.0
    return Row(
        f"{budget.preset}, {budget.seconds:.0f} s of training: val/knn_20, held out",
        f"≥ {budget.goal:.2f}, aim {budget.aim:.2f}",
        f"{score:.4f} after {seconds:.0f} s",
        score >= budget.goal,
        {
            "knn": knn,
            "at_seconds": seconds,
            "at_step": within[-1]["step"] if within else 0,
            "whole_run_seconds": result["seconds"],
            "whole_run_knn_20": rows[-1]["val/knn_20"],
            "curve": [(round(row["time"], 1), row["val/knn_20"]) for row in rows],
        },
    )


def main() -> None:
    """Measure the presets named on the command line, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m experiments.quality")
    parser.add_argument("names", nargs="*", default=list(BUDGETS), help=", ".join(BUDGETS))
    device_option(parser)
    asked = parser.parse_args()
    devices(asked.device)  # exits here if there is none
    for name in asked.names:
        result = for_device(f"quality-{name}", asked.device)
        row = measure(BUDGETS[name], asked.device)
        save(result, f"python -m experiments.quality {name}", [row], results_in(__file__))


if __name__ == "__main__":
    main()
