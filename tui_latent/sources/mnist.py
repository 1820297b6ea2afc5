"""MNIST: 70,000 handwritten digits."""

from __future__ import annotations

from tui_latent.sources.base import register
from tui_latent.sources.formats import mnist_like

register(mnist_like("mnist", "MNIST", "MNIST", tuple("0123456789"), megabytes=12))
