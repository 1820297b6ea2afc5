"""Training throughput against the usual way to write such a loop, on MNIST, on one machine.

python -m benchmarks.pipeline [--rounds 5] [--steps 12]     about 6 minutes

Theirs: a DataLoader with a worker process per core, torchvision's transforms on each PIL image,
two forward passes, eager float32, AdamW as torch makes it. Ours: the training loop's step with its
defaults, which on this machine may mean bfloat16. Where there is a GPU, both sides train there too,
theirs still making its views on the CPU.

Held equal: images, batch, network, loss function and its weights, learning rate, the ranges of
rotation, shear, scale and shift, one elastic deformation a view, and the threads torch may use.
Not equal: torchvision scales both axes alike and its elastic field is noise blurred by a
Gaussian of 4 pixels, ours scales each axis and folds along 6x6 control points; torchvision's
worker processes run beside the trainer, as users have it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from itertools import chain

import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from benchmarks.our_steps import WARM_UP, Ours
from benchmarks.record import Row, for_device, no_gpu, save
from benchmarks.rounds import alternate, device_option, devices, finish, place, use_all_cores
from tui_latent.config.presets import load_preset
from tui_latent.config.settings import Preset
from tui_latent.datasets.image_set import Dataset as Images
from tui_latent.datasets.pairing import Batch
from tui_latent.methods import METHODS
from tui_latent.methods.method import Method
from tui_latent.training.loop import weighted_sum

OURS_PER_THEIRS = {"cpu": 5, "cuda": 100}
"""steps of ours for each of theirs, so that both sides run for seconds"""
GOALS = {("cpu", True): 8.0, ("cpu", False): 2.0, ("cuda", True): 30.0, ("cuda", False): 30.0}
"""times, by device and whether views are elastic"""


def preset(elastic: bool, device: torch.device) -> Preset:
    """Return the MNIST preset with the views that torchvision can make too, in one stage."""
    changes: dict[str, object] = {"augment.thickness": 0.0, "train.device": device.type}
    if not elastic:
        changes["augment.elastic"] = 0.0
    loaded = load_preset("mnist-contrastive-2d", changes)
    return loaded.model_copy(update={"stages": ()})


class TwoViews(Dataset[tuple[Tensor, Tensor]]):
    """Two random views of each training image, made one image at a time."""

    def __init__(self, dataset: Images, transform: transforms.Compose) -> None:
        self._pictures = [Image.fromarray(image[0]) for image in dataset.train.images.cpu().numpy()]
        self._transform = transform

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        picture = self._pictures[index]
        return self._transform(picture), self._transform(picture)


def torchvision_views(settings: Preset, dataset: Images) -> transforms.Compose:
    """Return torchvision's transforms for the same ranges."""
    a = settings.augment
    affine = transforms.RandomAffine(
        a.rotate, (a.translate, a.translate), (1 - a.scale, 1 + a.scale), a.shear
    )
    elastic = [transforms.ElasticTransform(alpha=34.0, sigma=4.0)] if a.elastic else []
    mean, std = dataset.mean.flatten().tolist(), dataset.std.flatten().tolist()
    last = [transforms.ToTensor(), transforms.Normalize(mean, std)]
    return transforms.Compose([affine, *elastic, *last])


class Theirs:
    """The usual loop; each round starts its own loader, so that none runs during our rounds."""

    def __init__(self, settings: Preset, dataset: Images, steps: int, workers: int) -> None:
        torch.manual_seed(0)
        self._device = torch.device(settings.train.device)
        method = METHODS[settings.method.name](settings.method, dataset.input_shape)
        self._method = method.train().to(self._device)
        self._optimizer = torch.optim.AdamW(self._method.parameters(), settings.train.lr)
        self._steps, self._batch = steps, settings.train.batch_size
        self._loader = DataLoader(
            TwoViews(dataset, torchvision_views(settings, dataset)),
            self._batch,
            shuffle=True,
            drop_last=True,
            num_workers=workers,
        )

    def __call__(self) -> float:
        """Return images per second, two views each."""
        batches: Iterator[list[Tensor]] = iter(self._loader)
        for _ in range(WARM_UP):
            self._step(*next(batches))
        finish(self._device)
        start = time.perf_counter()
        for _ in range(self._steps):
            self._step(*next(batches))
        finish(self._device)
        return self._steps * self._batch / (time.perf_counter() - start)

    def _step(self, *views: Tensor) -> None:
        x_a, x_b = (view.to(self._device) for view in views)
        terms = two_pass_losses(self._method, x_a, x_b)
        loss = weighted_sum(terms, self._method.weights())
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        loss.item()


class _TwoPasses(nn.Module):
    """A network that sees the two views one after the other."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """Return what the network says of each half of (2B, ...), one half at a time."""
        return torch.cat([self.network(view) for view in x.chunk(2)])


def two_pass_losses(method: Method, x_a: Tensor, x_b: Tensor) -> dict[str, Tensor]:
    """Return the method's terms of two views that went through the network in two passes."""
    encoder = method.encoder
    assert isinstance(encoder, nn.Module)
    body = encoder.body
    if not isinstance(body, _TwoPasses):
        assert isinstance(body, nn.Module)
        encoder.body = _TwoPasses(body)
    x = torch.cat([x_a, x_b])
    return method.losses(Batch(x, 2, x, None))


def measure(elastic: bool, device: torch.device, rounds: int, steps: int, cores: int) -> Row:
    """Compare with one set of augmentations, both sides training on one device."""
    settings = preset(elastic, device)
    ours = Ours(settings, steps * OURS_PER_THEIRS[device.type])
    theirs = Theirs(settings, ours.dataset, steps, cores)
    compared = alternate(ours, theirs, rounds)
    goal = GOALS[device.type, elastic]
    views = "affine and elastic views" if elastic else "affine views"
    aim = ", aim 12 x" if (device.type, elastic) == ("cpu", True) else ""
    return Row(
        f"a training step with {views}, batch {settings.train.batch_size}, {place(device)}",
        f"≥ {goal:.0f} x{aim}",
        compared.words("images"),
        compared.ratio >= goal,
        compared.numbers() | ours.choices,
    )


def main() -> None:
    """Measure both sets of augmentations."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipeline")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=12, help="of theirs in a round")
    device_option(parser)
    asked = parser.parse_args()
    cores = use_all_cores()
    rows = (
        measure(elastic, device, asked.rounds, asked.steps, cores)
        for device in devices(asked.device)
        for elastic in (True, False)
    )
    missing = [] if asked.device else no_gpu("≥ 30 x")
    name = for_device("pipeline", asked.device)
    save(name, "python -m benchmarks.pipeline", chain(rows, missing))


if __name__ == "__main__":
    main()
