"""Runs that were not trained by this program: of someone's own loop, or opened from files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

from tui_latent.procrustes import align
from tui_latent.runs.latents_file import LATENTS_FILE, UNLABELLED, write_latents
from tui_latent.runs.map_store import MapFolder
from tui_latent.runs.maps import write_map
from tui_latent.runs.origin import WATCHED, Origin
from tui_latent.runs.schema import LatentMap
from tui_latent.runs.thumbnails import thumbnails_file
from tui_latent.runs.writer import RunWriter

CLASSES: Final = ("cat", "dog", "owl")
STEPS: Final = (100, 200, 300)


def foreign_run(
    runs: Path,
    name: str = "their-loop",
    *,
    origin: Origin = "watched",
    labels: bool = True,
    bank: bool = True,
    thumbnails: bool = True,
    obeys: tuple[str, ...] = ("pause", "stop"),
    dimensions: int = 8,
    images: int = 60,
) -> Path:
    """Write the folder of a run as someone's loop or `tui-latent open` leaves it: a preset without
    data and method, curves (unless it was opened), three maps, the newest latents."""
    preset: dict[str, Any] = {WATCHED: {"obeys": list(obeys)}} if origin == "watched" else {}
    writer = RunWriter.create(runs, name, preset, {"origin": origin, "command": "train.py"}, name)
    writer.lock()
    random = np.random.default_rng(0)
    centres = random.normal(size=(len(CLASSES), dimensions)) * 3
    classes = np.arange(images) % len(CLASSES)
    noise = random.normal(size=(images, dimensions))
    shown = classes if labels else np.full(images, UNLABELLED)
    before = None
    for step in STEPS if origin == "watched" else (0,):
        if origin == "watched":
            for at in range(step - 99, step + 1):
                values = {"train/loss": 300 / (100 + at), "train/invariance": 100 / (100 + at)}
                writer.metrics(at, at / 100, at / 10, values)
        latents = (centres[classes] * (step + 100) / 400 + noise).astype(np.float32)
        points = latents[:, :2].astype(np.float64)
        if before is not None:
            points = np.asarray(align(points, before), dtype=np.float64)
        before = points
        writer.latent_map(
            LatentMap(
                step,
                points.astype(np.float32),
                np.arange(images),
                shown,
                CLASSES if labels else (),
                "native" if dimensions == 2 else "pca",
            )
        )
        if labels and origin == "watched":
            writer.metrics(step, step / 100, step / 10, {"val/knn_20": 0.5 + step / 1000})
    training = (latents + 0.1, shown) if bank else ()
    write_latents(writer.path / LATENTS_FILE, step, latents, shown, *training)
    if thumbnails:
        _write_thumbnails(writer.path, classes)
    writer.status(state="finished", step=step, total_steps=step)
    writer.close()
    return writer.path


def _write_thumbnails(run: Path, classes: NDArray[np.int64]) -> None:
    images = np.zeros((len(classes), 1, 12, 12), np.uint8)
    images[np.arange(len(classes)), 0, 2:10, 2 + classes * 3] = 255
    for split in ("train", "val"):
        path = thumbnails_file(run, split)
        path.parent.mkdir(exist_ok=True)
        np.save(path, images)


def forget_labels(run: Path, every: int = 4) -> None:
    """Take the label from every `every`th image of a run: from its maps and newest latents."""
    maps = MapFolder(run)
    for step in maps.refresh(None)[0]:
        stored = maps.at(step)
        assert stored is not None
        write_map(run, replace(stored.map, labels=_some(stored.map.labels, every)), None)
    with safe_open(run / LATENTS_FILE, "numpy") as file:
        parts = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        step = int(file.metadata()["step"])
    queries, labels = parts["query_latents"], _some(parts["query_labels"], every)
    training = (parts["bank_latents"], _some(parts["bank_labels"], every)) if len(parts) > 2 else ()
    write_latents(run / LATENTS_FILE, step, queries, labels, *training)


def _some(labels: NDArray[np.int64], every: int) -> NDArray[np.int64]:
    kept = np.array(labels)
    kept[::every] = UNLABELLED
    return kept
