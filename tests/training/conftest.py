"""Runs on the bundled digits, small enough for tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tui_latent.config.presets import load_preset
from tui_latent.launch.start import create_run

SMALL: dict[str, object] = {
    "data.per_class": 20,
    "train.batch_size": 50,
    "train.epochs": 3,
    "train.log_every": 1,
    "train.eval_every": 1,
    "train.checkpoint_every": 1,
    "train.device": "cpu",
    "method.width": 4,
    "method.hidden_dim": 16,
    "method.head_dim": 16,
}
"""200 training images in 4 steps an epoch"""

MakeRun = Callable[..., Path]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Create a run of a preset with `SMALL` and further overrides; it is not trained yet."""

    def make(preset: str = "digits-contrastive-2d", **changes: object) -> Path:
        overrides = SMALL | {key.replace("__", "."): value for key, value in changes.items()}
        loaded = load_preset(preset, overrides | {"stages": []})
        return create_run(preset, loaded, tmp_path / "runs")

    return make
