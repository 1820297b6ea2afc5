"""CIFAR-10: 60,000 small photos of ten classes."""

from __future__ import annotations

from tui_latent.sources.base import PublicDataset, register
from tui_latent.sources.formats import read_cifar

_CLASSES = "airplane automobile bird cat deer dog frog horse ship truck"

register(
    PublicDataset(
        name="cifar10",
        heading="CIFAR-10",
        title="CIFAR-10",
        shape=(3, 32, 32),
        class_names=tuple(_CLASSES.split()),
        train=50_000,
        held_out=10_000,
        read=read_cifar,
        training_files=tuple(f"cifar-10-batches-py/data_batch_{part}" for part in range(1, 6)),
        test_files=("cifar-10-batches-py/test_batch",),
        torchvision="CIFAR10",
        megabytes=170,
    )
)
