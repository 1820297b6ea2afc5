"""Fashion-MNIST: 70,000 pictures of clothes."""

from __future__ import annotations

from tui_latent.sources.base import register
from tui_latent.sources.formats import mnist_like

_CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

register(mnist_like("fashion-mnist", "Fashion-MNIST", "FashionMNIST", _CLASSES, megabytes=31))
