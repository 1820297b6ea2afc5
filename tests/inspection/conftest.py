"""Runs that were really trained, for a moment, on a few of the bundled digits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
import torch
from safetensors.torch import load_file, save_file

from tui_latent.data.errors import DataError
from tui_latent.launch import create_run, train_run
from tui_latent.presets import parse_preset

_TRAIN: Final = {
    "precision": "float32",
    "epochs": 1,
    "batch_size": 128,
    "eval_every": 1,
    "checkpoint_every": 1,
}
_DIGITS: Final = {"source": "digits", "per_class": 40}
PRESETS: Final[dict[str, dict[str, Any]]] = {
    "autoencoder": {
        "data": _DIGITS,
        "method": {"name": "autoencoder", "latent_dim": 7, "width": 8, "activation": "tanh"},
        "train": _TRAIN | {"epochs": 6},
    },
    "contrastive": {
        "data": _DIGITS,
        "augment": {"rotate": 20, "translate": 0.1, "noise": 0.05},
        "method": {"name": "contrastive", "latent_dim": 2, "width": 8},
        "train": _TRAIN | {"epochs": 2},
    },
    "vicreg": {
        "data": _DIGITS,
        "augment": {"rotate": 20},
        "method": {"name": "vicreg", "latent_dim": 16, "width": 8},
        "train": _TRAIN | {"epochs": 2},
    },
    "features": {
        "data": _DIGITS | {"inputs": "hog"},
        "method": {"name": "siamese", "latent_dim": 3},
        "train": _TRAIN,
    },
    "two images": {
        "data": {"source": "digits", "classes": ["3"], "per_class": 2},
        "method": {"name": "autoencoder", "latent_dim": 2, "width": 8},
        "train": _TRAIN,
    },
}


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return what trains the run of a name in PRESETS, once."""
    runs = tmp_path_factory.mktemp("trained")
    known: dict[str, Path] = {}

    def train(name: str) -> Path:
        if name not in known:
            preset = parse_preset(PRESETS[name], {}, where="test")
            path = create_run(name, preset, runs, name.replace(" ", "-"))
            assert train_run(path).state == "finished"
            known[name] = path
        return known[name]

    return train


@pytest.fixture
def no_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the images away."""

    def gone(*_: object) -> None:
        raise DataError("digits are not in /data: mount it")

    monkeypatch.setattr("tui_latent.data.sources.load_dataset", gone)


def stored(run: Path) -> dict[str, torch.Tensor]:
    """Return the latents that training wrote, and their labels."""
    tensors: dict[str, torch.Tensor] = load_file(run / "latents" / "last.safetensors")
    return tensors


def store(run: Path, **changes: torch.Tensor) -> None:
    """Put other latents or labels in their place."""
    file = run / "latents" / "last.safetensors"
    save_file(stored(run) | changes, file)
