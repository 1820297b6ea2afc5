"""Run folders with known content, written by the same writer as a trainer's."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from tui_latent.runs.control import read_request, request
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import LatentMap, Status
from tui_latent.runs.writer import RunWriter

PRESET: Final[Mapping[str, Any]] = {
    "title": "Digits as a map",
    "data": {"source": "digits"},
    "augment": {},
    "method": {"name": "contrastive", "latent_dim": 2},
    "train": {"epochs": 40, "seed": 0, "log_every": 10, "eval_every": 1.0},
}
DIGITS: Final = tuple(str(digit) for digit in range(10))
STEPS: Final = 2400


def clusters(count: int, classes: int, spread: float = 0.8, seed: int = 0) -> LatentMap:
    """Return a map of `count` points in round clusters on a circle, one per class."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    angle = 2 * np.pi * labels / classes
    centres = 5 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    points = centres + spread * generator.normal(size=(count, 2))
    names = DIGITS[:classes] if classes <= 10 else tuple(f"class {i}" for i in range(classes))
    return LatentMap(720, points.astype(np.float32), np.arange(count), labels, names)


def new_run(
    runs: Path,
    name: str = "20261122-134500-mnist-contrastive-2d",
    preset: Mapping[str, Any] = PRESET,
) -> RunWriter:
    """Make a run that has not begun."""
    provenance = {"preset": "mnist-contrastive-2d", "seed": 0}
    return RunWriter.create(runs, "mnist-contrastive-2d", preset, provenance, name)


def write_records(writer: RunWriter, steps: int = 720) -> None:
    """Write losses every 10 steps and an evaluation every 60, up to `steps`."""
    generator = np.random.default_rng(1)
    for step in range(10, steps + 1, 10):
        info_nce = 3.0 + 4.0 / (1 + step / 60) + 0.05 * generator.normal()
        norm = 0.02 + 0.1 / (1 + step / 40)
        values = {"train/loss": info_nce + norm, "train/info_nce": info_nce, "train/norm": norm}
        values |= {"train/lr": 1e-3, "train/images_per_second": 12431.0}
        if step % 60 == 0:
            score = 0.97 - 0.5 / (1 + step / 60)
            values |= {f"val/knn_{k}": score + 0.004 * i for i, k in enumerate((1, 5, 20))}
            values |= {"val/loss": info_nce + 0.2, "val/info_nce": info_nce + 0.2 - norm}
            values |= {"latent/effective_rank": 2 - 1 / (1 + step / 100)}
            values |= {"latent/std_min": 0.81, "latent/std_mean": 1.13}
            values |= {"latent/alignment": 0.1 + 10 / step, "latent/uniformity": -2 - step / 500}
        writer.metrics(step, step / 60, step / 10, values)


def running(writer: RunWriter, **changes: Any) -> None:
    """Put the run into the state of one that trains on the CPU."""
    writer.status(
        **{
            "state": "running",
            "step": 720,
            "total_steps": STEPS,
            "epoch": 12.0,
            "total_epochs": 40,
            "seconds": 72.0,
            "images_per_second": 12431.0,
            "device": "cpu",
            "memory_bytes": 2 * 2**30,
        }
        | changes
    )


def trained_run(runs: Path, **changes: Any) -> RunWriter:
    """Make a run of 720 steps with curves, a map and a log; it is live until it is closed."""
    writer = new_run(runs)
    writer.lock()
    write_records(writer)
    confusion = np.diag(np.full(10, 190)) + np.roll(np.diag(np.arange(10)), 1, axis=1)
    writer.latent_map(clusters(2000, 10), confusion)
    (writer.path / "train.log").write_text(
        "13:45:00 data: mnist, 60,000 train, 10,000 held out\n"
        "13:45:10 checkpoint at step 700, 2.1 MB\n"
    )
    running(writer, **changes)
    return writer


class ScriptedTrainer:
    """Trains nothing, but writes a run folder and obeys requests as a trainer must."""

    def __init__(self, steps: int = STEPS, seconds_per_step: float = 0.01) -> None:
        self.steps = steps
        self.seconds_per_step = seconds_per_step
        self.trained: list[Path] = []

    def __call__(self, path: Path) -> Status:
        """Write a run until it is finished or asked to stop."""
        self.trained.append(path)
        if RunReader(path).refresh().status.state != "starting":
            request(path, state="run")  # as `train_run` does: what was asked before is old
        writer = RunWriter.reopen(path)
        writer.lock()
        running(writer, step=0, total_steps=self.steps, epoch=0.0, seconds=0.0)
        writer.log("[red]training[/red] begins")
        served = read_request(path).checkpoints
        for step in range(1, self.steps + 1):
            asked = read_request(path)
            while asked.state == "pause":
                writer.status(state="paused")
                time.sleep(0.01)
                asked = read_request(path)
            if asked.state == "stop":
                writer.status(state="stopped", checkpoint_step=step - 1)
                break
            writer.status(state="running", step=step)
            writer.metrics(step, step / 60, step / 10, {"train/loss": 1 / step})
            if asked.checkpoints > served:
                served = asked.checkpoints
                writer.log(f"checkpoint at step {step}")
            if step == 5:
                writer.latent_map(clusters(200, 3))
            time.sleep(self.seconds_per_step)
        else:
            writer.status(state="finished", step=self.steps)
        writer.close()
        return RunReader(path).refresh().status
