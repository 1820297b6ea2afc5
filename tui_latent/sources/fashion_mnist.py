"""Fashion-MNIST: 70,000 pictures of clothes."""

from __future__ import annotations

from tui_latent.sources.base import PublicDataset, register
from tui_latent.sources.formats import idx_aliases, idx_files, read_idx

register(
    PublicDataset(
        name="fashion-mnist",
        heading="Fashion-MNIST",
        title="Fashion-MNIST",
        shape=(1, 28, 28),
        class_names=(
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
        ),
        train=60_000,
        held_out=10_000,
        read=read_idx,
        training_files=idx_files("FashionMNIST", "train"),
        test_files=idx_files("FashionMNIST", "t10k"),
        torchvision="FashionMNIST",
        aliases=idx_aliases,
        megabytes=31,
    )
)
