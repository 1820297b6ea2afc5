"""Seconds of `tui-latent evaluate` on latents of MNIST's size.

python -m benchmarks.evaluate                         60,000 + 10,000 latents of 2 dimensions
python -m benchmarks.evaluate --images 600 --dry      a smoke run; nothing is saved
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from benchmarks.program import PROGRAM
from benchmarks.record import Row, save
from tui_latent.analysis.evaluate import evaluate_run
from tui_latent.runs.schema import LatentMap
from tui_latent.runs.writer import RunWriter

TRIES = 3
GOAL = 20.0
CLASSES = 10
PRESET = {"data": {"source": "mnist"}, "method": {"name": "contrastive", "latent_dim": 2}}


def latents(images: int, dimensions: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return clouds that overlap about as much as a trained map of MNIST: kNN@20 near 0.98."""
    labels = torch.arange(images) % CLASSES
    angle = 2 * torch.pi * torch.arange(CLASSES) / CLASSES
    centres = torch.zeros(CLASSES, dimensions)
    centres[:, 0], centres[:, 1] = 15 * angle.cos(), 15 * angle.sin()
    generator = torch.Generator().manual_seed(seed)
    return centres[labels] + 2 * torch.randn(images, dimensions, generator=generator), labels


def make_run(folder: Path, images: int, dimensions: int) -> Path:
    """Write a run folder with latents of training images, and a sixth as many held out."""
    writer = RunWriter.create(folder, "made", PRESET, {"preset": "made"})
    bank, bank_labels = latents(images, dimensions, 1)
    queries, query_labels = latents(images // 6, dimensions, 2)
    rows, names = np.arange(len(queries)), tuple(map(str, range(CLASSES)))
    points = queries[:, :2].numpy()
    writer.latent_map(LatentMap(100, points, rows, query_labels.numpy(), names))
    tensors = {
        "bank_latents": bank,
        "bank_labels": bank_labels,
        "query_latents": queries,
        "query_labels": query_labels,
    }
    save_file(tensors, writer.path / "latents" / "last.safetensors", metadata={"step": "100"})
    writer.status(state="finished", step=100)
    writer.close()
    return writer.path


def command_seconds(run: Path) -> tuple[float, float]:
    """Return the seconds of the whole command, and kNN@20 so that the latents can be judged."""
    command = [*PROGRAM, "evaluate", str(run), "--json"]
    start = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    found = json.loads(done.stdout.splitlines()[-1])
    return seconds, float(found["knn_held_out"]["accuracy"]["20"]["value"])


def part_seconds(run: Path) -> dict[str, float]:
    """Return the seconds of each part, in this process."""
    seconds: dict[str, float] = {}
    last = time.perf_counter()
    doing = "imports"

    def tell(words: str) -> None:
        nonlocal last, doing
        now = time.perf_counter()
        seconds[doing] = seconds.get(doing, 0.0) + now - last
        last, doing = now, words

    evaluate_run(run, None, tell)
    tell("end")
    return {words: round(value, 2) for words, value in seconds.items()}


def main() -> None:
    """Measure, print, and save unless it was a smoke run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=60_000)
    parser.add_argument("--dimensions", type=int, default=2)
    parser.add_argument("--tries", type=int, default=TRIES)
    parser.add_argument("--dry", action="store_true", help="print only")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = make_run(Path(folder), asked.images, asked.dimensions)
        measured = [command_seconds(run) for _ in range(asked.tries)]
        parts = part_seconds(run)
    seconds = statistics.median(second for second, _ in measured)
    numbers = {"seconds": [s for s, _ in measured], "knn_20": measured[0][1], "parts_s": parts}
    what = f"evaluate, {asked.images:,} + {asked.images // 6:,} latents of {asked.dimensions}-D"
    row = Row(what, f"≤ {GOAL:.0f} s", f"{seconds:.1f} s", seconds <= GOAL, numbers)
    if asked.dry:
        print(row)
    else:
        save("evaluate", "python -m benchmarks.evaluate", [row])


if __name__ == "__main__":
    main()
