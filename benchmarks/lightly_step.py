"""Training throughput against lightly: its losses, its transforms and a loader as in its tutorials.

.peers/bin/python -m benchmarks.lightly_step [--rounds 5] [--steps 20]    about 3 minutes

32x32 colour images, SimCLR's NT-Xent and VICReg, each with the recipe of its preset here, except
for the small convolutional network: a ResNet-18 on a CPU would measure only its own convolutions.
Theirs: LightlyDataset, its SimCLR or VICReg transform, a DataLoader with a worker process per
core, a forward pass a view, its loss, eager float32. Ours: our step with its defaults.
Where there is a GPU, both sides train there too, theirs still making its views on the CPU.

Held equal: images, batch, network and projector, temperature and weights, optimiser and rate,
crops, flips, jitter, greys and solarising with equal chances and ranges; no blur on either side,
as in lightly's CIFAR recipe. The images are made of random numbers: their content does not change
the work, and no decoding is counted for either.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from benchmarks.our_steps import WARM_UP, Ours
from benchmarks.peers import need
from benchmarks.record import Row, for_device, no_gpu, save
from benchmarks.rounds import alternate, device_option, devices, finish, place, use_all_cores
from tui_latent.config.presets import load_preset
from tui_latent.config.settings import Preset
from tui_latent.methods import METHODS
from tui_latent.methods.contrastive import Contrastive
from tui_latent.methods.vicreg import Vicreg
from tui_latent.training.optimizers import make_optimizer

IMAGES = 8192
GOALS = {"cpu": 8.0, "cuda": 20.0}
OURS_PER_THEIRS = {"cpu": 5, "cuda": 50}
"""steps of ours for each of theirs, so that both sides run for seconds"""
VIEWS: dict[str, object] = {
    "augment.crop": 0.2,
    "augment.flip": 0.5,
    "augment.jitter": 0.8,
    "augment.brightness": 0.4,
    "augment.contrast": 0.4,
    "augment.saturation": 0.2,
    "augment.hue": 0.1,
    "augment.grayscale": 0.2,
}
SMALL: dict[str, object] = {
    "method.network": "small-conv",
    "method.width": 16,
    "method.hidden_dim": 256,
    "method.latent_dim": 128,
    "train.batch_size": 256,
    "train.optimizer": "adamw",
    "train.lr": 1e-3,
}
Views = tuple[Tensor, Tensor]


def made_images(folder: Path) -> Path:
    """Write images of random numbers in ten classes; return the file."""
    generator = np.random.default_rng(0)
    path = folder / "made.npz"
    images = generator.integers(0, 256, (IMAGES, 32, 32, 3), dtype=np.uint8)
    np.savez(path, x_train=images, y_train=np.arange(IMAGES) % 10)
    return path


def nt_xent_preset(images: Path, device: str = "cpu") -> Preset:
    """Return SimCLR's recipe: NT-Xent at a temperature of 0.5 in 128 dimensions."""
    changes = _common(images, device)
    changes |= {"method.loss": "nt_xent", "method.norm_weight": 0.0}
    return load_preset("cifar10-tsimcne-2d", changes | {"stages": []})


def vicreg_preset(images: Path, device: str = "cpu") -> Preset:
    """Return VICReg's recipe, with solarised views."""
    changes = _common(images, device)
    return load_preset("cifar10-vicreg", changes)


def _common(images: Path, device: str) -> dict[str, object]:
    made = {"data.source": "arrays", "data.path": str(images), "train.device": device}
    return {**VIEWS, **SMALL, **made}


class _Pictures(Dataset[tuple[Any, int]]):
    """Images as torchvision's datasets give them, through the transform that lightly sets."""

    transform: Any = None

    def __init__(self, images: Tensor) -> None:
        self._pictures = [
            Image.fromarray(image) for image in images.permute(0, 2, 3, 1).cpu().numpy()
        ]

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return self.transform(self._pictures[index]), 0


class Theirs:
    """A loop as in lightly's tutorials, around our network and their loss."""

    def __init__(
        self,
        network: nn.Module,
        criterion: Callable[[Tensor, Tensor], Tensor],
        loader: DataLoader[Any],
        optimizer: torch.optim.Optimizer,
        steps: int,
        device: torch.device,
    ) -> None:
        self._network, self._criterion = network, criterion
        self._device = device
        self._loader, self._optimizer = loader, optimizer
        self._steps = steps

    def __call__(self) -> float:
        """Return images per second, two views each."""
        batches: Iterator[Any] = iter(self._loader)
        for _ in range(WARM_UP):
            self._step(next(batches)[0])
        finish(self._device)
        start, images = time.perf_counter(), 0
        for _ in range(self._steps):
            views = next(batches)[0]
            self._step(views)
            images += len(views[0])
        finish(self._device)
        return images / (time.perf_counter() - start)

    def _step(self, views: Views) -> None:
        z_a, z_b = (self._network(view.to(self._device)) for view in views)
        loss = self._criterion(z_a, z_b)
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        self._optimizer.zero_grad()
        loss.item()


def theirs(settings: Preset, images: Tensor, steps: int, workers: int) -> Theirs:
    """Set up lightly to do what the preset does."""
    from lightly.data import LightlyDataset
    from lightly.loss import NTXentLoss, VICRegLoss
    from lightly.transforms import SimCLRTransform, VICRegTransform

    a = settings.augment
    ranges = {
        "input_size": 32,
        "cj_prob": a.jitter,
        "cj_strength": 1.0,
        "cj_bright": a.brightness,
        "cj_contrast": a.contrast,
        "cj_sat": a.saturation,
        "cj_hue": a.hue,
        "min_scale": a.crop,
        "random_gray_scale": a.grayscale,
        "gaussian_blur": 0.0,
        "hf_prob": a.flip,
    }
    method = METHODS[settings.method.name](settings.method, tuple(images.shape[1:]))
    transform: Any
    criterion: Any
    if isinstance(method, Contrastive):
        transform = SimCLRTransform(**ranges)
        criterion = NTXentLoss(temperature=0.5)
        network: nn.Module = method.encoder
    else:
        assert isinstance(method, Vicreg)
        transform = VICRegTransform(**ranges, solarize_prob=a.solarize)
        criterion = VICRegLoss()
        network = nn.Sequential(method.encoder, method.projector)
    dataset = LightlyDataset.from_torch_dataset(_Pictures(images), transform=transform)
    loader: DataLoader[Any] = DataLoader(
        dataset, settings.train.batch_size, shuffle=True, drop_last=True, num_workers=workers
    )
    device = torch.device(settings.train.device)
    network = network.train().to(device)
    optimizer = make_optimizer(network.parameters(), settings.train)
    return Theirs(network, criterion, loader, optimizer, steps, device)


def measure(name: str, settings: Preset, rounds: int, steps: int, cores: int) -> Row:
    """Compare one loss."""
    device = torch.device(settings.train.device)
    ours = Ours(settings, steps * OURS_PER_THEIRS[device.type])
    images = ours.dataset.train.images
    compared = alternate(ours, theirs(settings, images, steps, cores), rounds)
    return Row(
        f"{name} step, 32x32 colour, small network, batch {settings.train.batch_size}, "
        f"{place(device)}: against lightly",
        f"≥ {GOALS[device.type]:.0f} x",
        compared.words("images"),
        compared.ratio >= GOALS[device.type],
        compared.numbers() | ours.choices,
    )


def main() -> None:
    """Measure both losses."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lightly_step")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20, help="of theirs in a round, 21 at most")
    device_option(parser)
    asked = parser.parse_args()
    need("lightly")
    cores = use_all_cores()
    missing = [] if asked.device else no_gpu("≥ 20 x")
    command = ".peers/bin/python -m benchmarks.lightly_step"
    with tempfile.TemporaryDirectory() as folder:
        images = made_images(Path(folder))
        rows = (
            measure(name, preset(images, device.type), asked.rounds, asked.steps, cores)
            for device in devices(asked.device)
            for name, preset in (("NT-Xent", nt_xent_preset), ("VICReg", vicreg_preset))
        )
        save(for_device("lightly_step", asked.device), command, chain(rows, missing))


if __name__ == "__main__":
    main()
