"""Kuzushiji-MNIST: 70,000 handwritten Japanese characters."""

from __future__ import annotations

from tui_latent.sources.base import PublicDataset, register
from tui_latent.sources.formats import idx_aliases, idx_files, read_idx

register(
    PublicDataset(
        name="kmnist",
        heading="Kuzushiji-MNIST",
        title="Kuzushiji-MNIST",
        shape=(1, 28, 28),
        class_names=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        train=60_000,
        held_out=10_000,
        read=read_idx,
        training_files=idx_files("KMNIST", "train"),
        test_files=idx_files("KMNIST", "t10k"),
        torchvision="KMNIST",
        aliases=idx_aliases,
        megabytes=21,
    )
)
