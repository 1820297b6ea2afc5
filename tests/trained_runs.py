"""Runs that are really trained, for a moment, on a few of the bundled digits."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import load_file, save_file

from tui_latent.config.presets import parse_preset
from tui_latent.launch.start import create_run, train_run

_TRAIN: Final = {
    "precision": "float32",
    "epochs": 1,
    "batch_size": 128,
    "eval_every": 1,
    "checkpoint_every": 1,
}
_DIGITS: Final = {"source": "digits", "per_class": 40, "draw": "by-class"}
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
    "two-images": {
        "data": {"source": "digits", "classes": ["3"], "per_class": 2},
        "method": {"name": "autoencoder", "latent_dim": 2, "width": 8},
        "train": _TRAIN,
    },
}


def train_named(name: str, runs: Path) -> Path:
    """Train the run of a name in PRESETS."""
    path = create_run(name, parse_preset(PRESETS[name], {}, where="test"), runs, name)
    assert train_run(path).state == "finished"
    return path


def stored(run: Path) -> dict[str, torch.Tensor]:
    """Return the latents that training wrote, and their labels."""
    tensors: dict[str, torch.Tensor] = load_file(run / "latents" / "last.safetensors")
    return tensors


def store(run: Path, **changes: torch.Tensor) -> None:
    """Put other latents or labels in their place."""
    file = run / "latents" / "last.safetensors"
    save_file(stored(run) | changes, file)
