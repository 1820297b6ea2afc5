"""MNIST: 70,000 handwritten digits."""

from __future__ import annotations

from tui_latent.sources.base import PublicDataset, register
from tui_latent.sources.formats import idx_aliases, idx_files, read_idx

register(
    PublicDataset(
        name="mnist",
        heading="MNIST",
        title="MNIST",
        shape=(1, 28, 28),
        class_names=tuple("0123456789"),
        train=60_000,
        held_out=10_000,
        read=read_idx,
        training_files=idx_files("MNIST", "train"),
        test_files=idx_files("MNIST", "t10k"),
        torchvision="MNIST",
        aliases=idx_aliases,
        megabytes=12,
    )
)
