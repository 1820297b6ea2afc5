"""Run folders as a trainer leaves them, of any number of classes, without training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tui_latent.datasets.image_set import Dataset, ImageSet
from tui_latent.metrics.knn import evaluate_knn
from tui_latent.metrics.projection import to_plane
from tui_latent.runs.schema import LatentMap
from tui_latent.runs.writer import RunWriter

PRESET: dict[str, Any] = {
    "title": "Blobs as a map: two numbers per image, and no label seen",
    "data": {"source": "digits"},
    "augment": {"rotate": 15.0, "noise": 0.1},
    "method": {"name": "contrastive", "latent_dim": 2, "norm_weight": 0.01},
    "train": {"seed": 3},
}
PROVENANCE: dict[str, Any] = {
    "preset": "blobs-2d",
    "created": "2026-11-22T13:45:00+01:00",
    "seed": 3,
    "command": "tui-latent train blobs-2d --set train.seed=3",
    "python": "3.11.9",
    "versions": {"tui-latent": "0.1.0", "torch": "2.14.1"},
}
STEPS = range(10, 210, 10)

MakeDataset = Callable[..., Dataset]
MakeRun = Callable[..., Path]


def blobs(
    names: tuple[str, ...], each: int, seed: int, shape: tuple[int, int, int] = (3, 12, 12)
) -> ImageSet:
    """Return images of one colour a class, `each` of them."""
    random = torch.Generator().manual_seed(seed)
    labels = torch.arange(len(names) * each) % len(names)
    colours = torch.rand(len(names), shape[0], generator=torch.Generator().manual_seed(9))
    noise = torch.rand(len(labels), *shape, generator=random)
    images = (colours[labels][:, :, None, None] * 180 + noise * 75).to(torch.uint8)
    return ImageSet(images, labels, names, None, labels)


@pytest.fixture
def make_dataset(monkeypatch: pytest.MonkeyPatch) -> MakeDataset:
    """Make a dataset of some classes and let every preset's data be it."""

    def make(names: tuple[str, ...], each: int = 12, **kinds: Any) -> Dataset:
        dataset = Dataset(
            "blobs",
            blobs(names, 2 * each, 1, **kinds),
            blobs(names, each, 2, **kinds),
            torch.zeros(3, 1, 1),
            torch.ones(3, 1, 1),
            "test images",
        )
        monkeypatch.setattr("tui_latent.datasets.sources.load_dataset", lambda *_: dataset)
        return dataset

    return make


@pytest.fixture
def make_run(tmp_path: Path, make_dataset: MakeDataset) -> MakeRun:
    """Make a finished run; `evaluated` with curves, a map, a matrix and latents."""

    def make(
        names: tuple[str, ...] = tuple("0123456789"),
        dimensions: int = 2,
        evaluated: bool = True,
        name: str | None = None,
        provenance: dict[str, Any] = PROVENANCE,
        method: dict[str, Any] | None = None,
        **kinds: Any,
    ) -> Path:
        dataset = make_dataset(names, **kinds)
        preset = PRESET | {"method": (method or PRESET["method"]) | {"latent_dim": dimensions}}
        writer = RunWriter.create(tmp_path / "runs", "blobs-2d", preset, provenance, name)
        writer.status(
            state="finished" if evaluated else "running",
            step=200 if evaluated else 3,
            total_steps=200,
            epoch=20.0,
            total_epochs=20,
            seconds=133.0,
            device="cpu 2 threads",
        )
        if evaluated:
            record(writer, dataset, dimensions)
        writer.close()
        return writer.path

    return make


def record(writer: RunWriter, dataset: Dataset, dimensions: int) -> None:
    """Write what a run that learnt something writes."""
    classes = len(dataset.val.class_names)
    random = torch.Generator().manual_seed(0)
    centres = 4 * torch.randn(classes, dimensions, generator=random) * classes**0.5
    bank, queries = (
        centres[split.labels] + 3 * torch.randn(len(split), dimensions, generator=random)
        for split in (dataset.train, dataset.val)
    )
    knn = evaluate_knn(bank, dataset.train.labels, queries, dataset.val.labels, classes)
    for step in STEPS:
        share = step / STEPS[-1]
        loss = float(6 * np.exp(-3 * share) + 0.3)
        values = {"train/loss": loss, "train/info_nce": loss - 0.1, "train/norm": 0.9 * loss}
        values |= {"val/loss": loss + 0.2, "val/info_nce": loss + 0.15, "train/lr": 1e-3}
        values |= {f"val/knn_{k}": a * share for k, a in knn.accuracies.items()}
        values |= {"latent/effective_rank": 1.93, "latent/std_min": 0.81}
        writer.metrics(step, step / 10, step / 2, values)
    points = to_plane(queries.numpy()).astype(np.float32)
    indices, labels = np.arange(len(points)), dataset.val.labels.numpy()
    projection = "native" if dimensions <= 2 else "pca"
    latent_map = LatentMap(STEPS[-1], points, indices, labels, dataset.val.class_names, projection)
    writer.latent_map(latent_map, knn.confusion.numpy())
    tensors = {
        "bank_latents": bank.contiguous(),
        "bank_labels": dataset.train.labels,
        "query_latents": queries.contiguous(),
        "query_labels": dataset.val.labels,
    }
    save_file(tensors, writer.path / "latents" / "last.safetensors")
