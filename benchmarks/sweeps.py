"""What a trial of a sweep costs beyond its training, and what a sweep leaves behind.

    python -m benchmarks.sweeps [--runs 200] [--jobs 2] [--engine local|ray] [--out FILE.json]

Trains short runs of the digits, the seeds from 0 on, in a temporary folder. The overhead of a
trial is the wall time of all jobs, less the seconds that the runs themselves have counted, by the
number of runs; it contains the start of the engine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

TORCHS = "torchinductor_"
"""folder of compiled code that torch makes when it is imported, one for each user"""

PRESET = """
title = "short"
[data]
source = "digits"
per_class = 20
[method]
name = "autoencoder"
latent_dim = 2
network = "mlp"
width = 8
[train]
epochs = 5
batch_size = 32
device = "cpu"
"""


def measured(runs: int, jobs: int, engine: str) -> dict[str, Any]:
    """Run one sweep, and return what it took and what it left."""
    with tempfile.TemporaryDirectory() as folder:
        preset = Path(folder, "short.toml")
        preset.write_text(PRESET)
        seeds = ",".join(map(str, range(runs)))
        words = ["sweep", str(preset), "--grid", f"train.seed={seeds}", "--jobs", str(jobs)]
        words += ["--engine", engine, "--runs", f"{folder}/runs", "--json"]
        temporary = Path(folder, "tmp")
        temporary.mkdir()
        since = time.perf_counter()
        printed, said = Path(folder, "printed.json"), Path(folder, "said.txt")
        with printed.open("w") as stdout, said.open("w") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "tui_latent", *words],
                stdout=stdout,
                stderr=stderr,
                env={**os.environ, "TMPDIR": str(temporary)},
            )
        seen: dict[int, psutil.Process] = {}
        while process.poll() is None:
            with suppress(psutil.NoSuchProcess):
                for child in psutil.Process(process.pid).children(recursive=True):
                    seen[child.pid] = child
            time.sleep(0.5)
        seconds = time.perf_counter() - since
        lines = printed.read_text().splitlines()
        if not lines:
            sys.exit(
                f"{said.read_text()}the sweep ended with code {process.returncode} after "
                f"{seconds:.0f} s and has no result"
            )
        told = json.loads(lines[-1])
        _, left = psutil.wait_procs(list(seen.values()), timeout=60)
        trained = sum(row["seconds"] for row in told["runs"])
        strays = [p.name for p in Path(folder, "runs").rglob("*") if p.name.endswith(".tmp")]
        made = (p.name for p in temporary.iterdir())
        strays += [name for name in made if not name.startswith(TORCHS)]
        return {
            "engine": engine,
            "runs": runs,
            "jobs": jobs,
            "exit_code": process.returncode,
            "finished": sum(row["state"] == "finished" for row in told["runs"]),
            "wall_seconds": round(seconds, 1),
            "training_seconds": round(trained, 1),
            "overhead_seconds_per_trial": round((seconds * jobs - trained) / runs, 3),
            "processes_left": len(left),
            "temporary_files_left": strays,
            "load_before": round(os.getloadavg()[0], 1),
        }


def main() -> None:
    """Measure, print, and write the result if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--engine", default="local", choices=["local", "ray"])
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    result = measured(asked.runs, asked.jobs, asked.engine)
    text = json.dumps(result, indent=1)
    print(text)
    if asked.out:
        asked.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
