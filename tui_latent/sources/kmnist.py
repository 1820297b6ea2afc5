"""Kuzushiji-MNIST: 70,000 handwritten Japanese characters."""

from __future__ import annotations

from tui_latent.sources.base import register
from tui_latent.sources.formats import mnist_like

register(
    mnist_like(
        "kmnist",
        "Kuzushiji-MNIST",
        "KMNIST",
        ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        megabytes=21,
    )
)
