"""Run folders with latents of our making: no images, no training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tui_latent.metrics.projection import to_plane
from tui_latent.runs.schema import LatentMap
from tui_latent.runs.writer import RunWriter

PRESET: dict[str, Any] = {
    "data": {"source": "kmnist"},  # which no test machine has
    "method": {"name": "contrastive", "latent_dim": 2},
}

MakeSpace = Callable[..., Path]


def blobs(labels: torch.Tensor, dimensions: int, seed: int) -> torch.Tensor:
    """Return overlapping clouds, one per class."""
    centres = 2 * torch.randn(50, dimensions, generator=torch.Generator().manual_seed(9))
    noise = torch.randn(len(labels), dimensions, generator=torch.Generator().manual_seed(seed))
    return centres[labels] + noise


def write_latents(run: Path, step: int, **tensors: torch.Tensor) -> None:
    """Write `last.safetensors` as the trainer does."""
    path = run / "latents" / "last.safetensors"
    path.parent.mkdir(exist_ok=True)
    apart = {name: tensor.clone() for name, tensor in tensors.items()}
    save_file(apart, path, metadata={"step": str(step)})


@pytest.fixture
def make_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeSpace:
    """Make a finished run of some latents, of labels given or drawn, without its data."""
    monkeypatch.setenv("TUI_LATENT_DATA", str(tmp_path / "nothing"))
    monkeypatch.setenv("TUI_LATENT_OFFLINE", "1")

    def make(
        labels: torch.Tensor | None = None,
        query_labels: torch.Tensor | None = None,
        names: tuple[str, ...] = ("ant", "bee", "cat", "dog"),
        dimensions: int = 5,
        change: Callable[[torch.Tensor], torch.Tensor] = lambda latents: latents,
    ) -> Path:
        labels = torch.arange(200) % 4 if labels is None else labels
        query_labels = torch.arange(90) % 4 if query_labels is None else query_labels
        writer = RunWriter.create(tmp_path / "runs", "made", PRESET, {"preset": "made"}, None)
        bank, queries = (
            change(blobs(labels, dimensions, 1)),
            change(blobs(query_labels, dimensions, 2)),
        )
        points = to_plane(queries.numpy()).astype(np.float32)
        rows = np.arange(len(points))
        writer.metrics(40, 2.0, 1.0, {"val/knn_20": 0.5, "latent/alignment": 0.25})
        writer.latent_map(LatentMap(40, points, rows, query_labels.numpy(), names))
        writer.status(state="finished", step=40)
        writer.close()
        write_latents(
            writer.path,
            40,
            bank_latents=bank,
            bank_labels=labels,
            query_latents=queries,
            query_labels=query_labels,
        )
        return writer.path

    return make
