"""Runs to write and read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tui_latent.runs.schema import LatentMap
from tui_latent.runs.writer import RunWriter

PRESET = {"title": "Digits", "data": {"source": "digits"}, "train": {"epochs": 10}}

MakeRun = Callable[..., RunWriter]
MakeMap = Callable[..., LatentMap]


@pytest.fixture
def make_run(tmp_path: Path) -> Iterator[MakeRun]:
    """Make runs in one folder, and close them in the end."""
    writers = []

    def make(name: str | None = None, preset: str = "digits-2d") -> RunWriter:
        writer = RunWriter.create(tmp_path / "runs", preset, PRESET, {"seed": 3}, name)
        writers.append(writer)
        return writer

    yield make
    for writer in writers:
        if writer.path.is_dir():
            writer.close()


@pytest.fixture
def make_map() -> MakeMap:
    """Make maps of a few random points."""

    def make(step: int, points: int = 5, scale: float = 1.0, offset: float = 0.0) -> LatentMap:
        random = np.random.default_rng(step)
        return LatentMap(
            step=step,
            points=(random.normal(size=(points, 2)) * scale + offset).astype(np.float32),
            indices=np.arange(points),
            labels=np.arange(points) % 2,
            class_names=("[red]", "ß 2"),
        )

    return make
