"""Sweeps that were never trained: their folders, with runs whose numbers a test chooses."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.tui.made_runs import PRESET, clusters
from tui_latent.launch.sweep.plan import run_name
from tui_latent.runs.schema import State, Status
from tui_latent.runs.status import write_status
from tui_latent.runs.sweep_folder import SweepManifest, SweepRun, write_sweep
from tui_latent.runs.writer import RunWriter

DIM, RATE, SEED = "method.latent_dim", "train.lr", "train.seed"


def made_sweep(
    runs: Path,
    figures: Mapping[tuple[Any, ...], float | None],
    keys: tuple[str, ...] = (DIM, RATE, SEED),
    name: str = "sweep-made",
    state: State = "finished",
) -> Path:
    """Make a sweep: the values of `keys` in each run, and its kNN@20.

    None is for a run that waits, NaN for one that failed at its first step.
    """
    path = runs / name
    path.mkdir(parents=True)
    entered = []
    for values, knn in figures.items():
        setting = dict(zip(keys, values, strict=True))
        entered.append(SweepRun(run_name(setting, {}), setting))
        if knn is not None:
            _run(path, entered[-1].name, knn)
    axes = {key: sorted({values[place] for values in figures}) for place, key in enumerate(keys)}
    command = "tui-latent sweep mnist-contrastive-2d"
    write_sweep(
        path,
        SweepManifest("mnist-contrastive-2d", time.time(), command, axes, {}, tuple(entered)),
    )
    done = sum(knn is not None for knn in figures.values())
    write_status(path, Status(state=state, step=done, total_steps=len(figures), seconds=90.0))
    return path


def _run(sweep: Path, name: str, knn: float) -> None:
    provenance = {"preset": "mnist-contrastive-2d", "seed": 0}
    writer = RunWriter.create(sweep, "mnist-contrastive-2d", PRESET, provenance, name)
    writer.lock()
    if math.isnan(knn):
        writer.status(state="failed", error="triplet became nan at step 1.")
        writer.close()
        return
    values = {"val/knn_20": knn, "val/loss": 2.0 - knn, "train/loss": 1.9 - knn}
    writer.metrics(60, 1.0, 6.0, values)
    writer.latent_map(clusters(200, 10, spread=2 - knn))
    writer.status(state="finished", step=60, total_steps=60, epoch=1.0, total_epochs=1, seconds=6.0)
    writer.close()
