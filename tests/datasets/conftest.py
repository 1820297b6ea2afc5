"""A data folder of its own, without a network, and small files in the datasets' real formats."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder in use, without downloads and without what the home folder keeps."""
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("TUI_LATENT_DATA", str(folder))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TUI_LATENT_OFFLINE", "1")
    return folder


def write_idx(path: Path, array: np.ndarray, magic: int) -> None:
    """Write an array of bytes as MNIST does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = struct.pack(f">{1 + array.ndim}i", magic, *array.shape)
    path.write_bytes(header + array.astype(np.uint8).tobytes())


def write_mnist(root: Path, name: str = "MNIST", train: int = 30, test: int = 20) -> None:
    """Random images in MNIST's format."""
    random = np.random.default_rng(0)
    for split, count in (("train", train), ("t10k", test)):
        images = random.integers(0, 256, (count, 28, 28))
        write_idx(root / name / "raw" / f"{split}-images-idx3-ubyte", images, 2051)
        write_idx(root / name / "raw" / f"{split}-labels-idx1-ubyte", np.arange(count) % 10, 2049)
