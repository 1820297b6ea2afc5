"""Seconds until a 2-D map of MNIST is good, against UMAP and openTSNE on the same machine.

.peers/bin/python -m experiments.time_to_quality                    about 8 minutes on two cores
.peers/bin/python -m experiments.time_to_quality --per-class 100    a trial of a few minutes

Quality is the kNN accuracy (k = 20) in the plane of the 10,000 test images, with the 60,000
training images as the bank. Our time is that of the faster of two presets until an evaluation
passes, with evaluations and the stage in a wider space included. UMAP and openTSNE show a map only
at the end: their time is fitting the training images and placing the test images, with default
settings, pixels in 0..1 and all cores. None of them uses labels. Imports and reading the images
are not counted for anyone. What numba compiles in each process counts for UMAP; the first run
after an installation compiles more. If there is a GPU, ours is trained there too.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import takewhile
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.peers import there
from benchmarks.record import Row, for_device, no_gpu, results_in, save
from benchmarks.rounds import device_option, devices, place, use_all_cores
from tui_latent.config.presets import load_preset, load_run_preset
from tui_latent.config.settings import Preset
from tui_latent.datasets.image_set import ImageSet
from tui_latent.datasets.sources import load_dataset
from tui_latent.metrics.knn import evaluate_knn

PRESETS = ("mnist-contrastive-2d-quick", "mnist-contrastive-2d")
GOALS = (0.95, 0.97)
Floats = NDArray[np.float32]
Curve = list[tuple[float, float]]
"""(seconds of training, val/knn_20)"""


def our_curve(preset: str, changes: dict[str, object]) -> Curve:
    """Train a preset without a screen; return (seconds of training, val/knn_20) in 2-D.

    The first stage's space is wider: its seconds count, its scores do not.
    """
    words = [part for item in changes.items() for part in ("--set", f"{item[0]}={item[1]}")]
    command = [sys.executable, "-m", "tui_latent", "train", preset, *words, "--json"]
    with tempfile.TemporaryDirectory() as runs:
        done = subprocess.run(
            [*command, "--runs", runs], check=True, stdout=subprocess.PIPE, text=True
        )
        path = Path(json.loads(done.stdout.splitlines()[-1])["path"])
        records = map(json.loads, (path / "metrics.jsonl").read_text().splitlines())
        wide = epochs_before_the_plane(load_run_preset(path))
        return [
            (record["time"], record["val/knn_20"])
            for record in records
            if "val/knn_20" in record and record["epoch"] > wide
        ]


def epochs_before_the_plane(preset: Preset) -> float:
    """Return the epochs of the stages whose space is wider than a map's."""
    stages = preset.training_stages()
    return sum(stage.epochs for stage in takewhile(lambda stage: stage.latent_dim > 2, stages))


def with_umap(train: Floats, test: Floats) -> tuple[Floats, Floats]:
    """Return both splits in the plane, by UMAP's defaults."""
    from umap import UMAP

    mapper = UMAP(n_components=2)
    return mapper.fit_transform(train), mapper.transform(test)


def with_open_tsne(train: Floats, test: Floats) -> tuple[Floats, Floats]:
    """Return both splits in the plane, by openTSNE's defaults on all cores."""
    from openTSNE import TSNE

    embedding = TSNE(n_jobs=torch.get_num_threads(), random_state=0).fit(train)
    return np.asarray(embedding), np.asarray(embedding.transform(test))


PEERS = {"UMAP": with_umap, "openTSNE": with_open_tsne}
MODULES = {"UMAP": "umap", "openTSNE": "openTSNE"}


def peer(name: str, train: ImageSet, test: ImageSet) -> tuple[float, float]:
    """Return a peer's seconds and its kNN@20."""
    pixels = [split.images.flatten(1).float().div(255).numpy() for split in (train, test)]
    start = time.perf_counter()
    points = PEERS[name](*pixels)
    seconds = time.perf_counter() - start
    bank, queries = (torch.from_numpy(p.astype(np.float32)) for p in points)
    classes = len(train.class_names)
    result = evaluate_knn(bank, train.labels, queries, test.labels, classes, ks=(20,))
    return seconds, result.accuracies[20]


def first_time(curves: dict[str, Curve], goal: float) -> tuple[float, str]:
    """Return when one of the presets first reaches the goal, and its name; or infinity."""
    times = [
        (seconds, name)
        for name, curve in curves.items()
        for seconds, score in curve
        if score >= goal
    ]
    return min(times, default=(inf, ""))


def main() -> None:
    """Measure the peers, then ours, and compare the times."""
    parser = argparse.ArgumentParser(prog="python -m experiments.time_to_quality")
    parser.add_argument(
        "--per-class", type=int, default=0, help="fewer training images, for a trial"
    )
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    device_option(parser)
    asked = parser.parse_args()
    use_all_cores()
    changes: dict[str, object] = {"data.per_class": asked.per_class, "train.eval_every": 1}
    changes |= dict(text.split("=", 1) for text in asked.set)
    save(
        for_device("time_to_quality", asked.device),
        ".peers/bin/python -m experiments.time_to_quality",
        _rows(asked.per_class, changes, asked.device),
        results_in(__file__),
    )


def _rows(per_class: int, changes: dict[str, object], only: str | None) -> Iterator[Row]:
    data = load_preset(PRESETS[0], {"data.per_class": per_class}).data
    dataset = load_dataset(data, seed=0)
    # With --device cuda the peers are left out: they compute on the CPU, and GPU time is scarce.
    # Without them the seconds to each goal are still reported.
    installed = [name for name, module in MODULES.items() if there(module) and only != "cuda"]
    peers = {name: peer(name, dataset.train, dataset.val) for name in installed}
    for device in devices(only):
        chosen = changes | {"train.device": device.type}
        curves, where = {name: our_curve(name, chosen) for name in PRESETS}, place(device)
        for name, result in peers.items():
            yield _peer_row(name, *result, curves, where)
        for goal in GOALS:
            yield _goal_row(goal, curves, peers, where)
    if not only:
        yield from no_gpu("seconds to 0.95 and 0.97")


def _peer_row(name: str, seconds: float, score: float, curves: dict[str, Curve], where: str) -> Row:
    ours, preset = first_time(curves, score)
    return Row(
        f"MNIST in 2-D, {where}: seconds to {name}'s kNN@20, held out, {score:.4f}",
        f"< {name}'s {seconds:.0f} s",
        _said(ours, preset),
        ours < seconds,
        {"their_seconds": seconds, "their_knn_20": score, "our_seconds": ours if preset else None},
    )


def _goal_row(goal: float, curves: dict[str, Curve], peers: dict[str, Any], where: str) -> Row:
    ours, preset = first_time(curves, goal)
    others = ", ".join(f"{n} {s:.0f} s to {score:.3f}" for n, (s, score) in peers.items())
    beside = f" ({others})" if others else ""
    return Row(
        f"MNIST in 2-D, {where}: seconds to kNN@20 {goal}, held out{beside}",
        "reached",
        _said(ours, preset),
        ours < inf,
        {
            "our_seconds": ours if preset else None,
            "curves": {
                name: [(round(s, 1), score) for s, score in curve] for name, curve in curves.items()
            },
        },
    )


def _said(seconds: float, preset: str) -> str:
    return f"{seconds:.0f} s ({preset})" if preset else "not reached"


if __name__ == "__main__":
    main()
