"""Augmenting a batch, against torchvision v2 and kornia on the same tensors with the same changes.

.peers/bin/python -m benchmarks.augmentation [--rounds 5] [--images 1024]     about 2 minutes

All three take float32 images in memory and return as many, without gradients, on all cores, and
then on a GPU if there is one. Each image gets its own random draw. torchvision v2 makes one draw
per call, so it is called image by image, as its users must; its rate with one draw for the whole
batch, which is a different augmentation, is given for information only.

Equal on both sides: tensors, threads, ranges and probabilities. Different: the elastic field of
both peers is noise blurred by a Gaussian of 4 pixels, ours folds along 6x6 control points; they
apply affine and elastic changes one after the other, ours samples once.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from itertools import chain
from typing import Any

import torch
from torch import Tensor

from benchmarks.peers import there
from benchmarks.record import Row, for_device, no_gpu, save
from benchmarks.rounds import Comparison, device_option, devices, finish, place, use_all_cores
from tui_latent.config.settings import AugmentSettings
from tui_latent.datasets.augmentations.pipeline import augment

GOAL = 1.5
SECONDS = 1.0
"""of one round of one side"""
ONE_BY_ONE = 64
"""images that torchvision is given in a round, one after the other"""
GREY = AugmentSettings(rotate=20, shear=11, scale=0.15, translate=0.07)
ELASTIC = GREY.model_copy(update={"elastic": 0.09})
COLOUR = AugmentSettings(
    crop=0.2,
    flip=0.5,
    jitter=0.8,
    brightness=0.4,
    contrast=0.4,
    saturation=0.4,
    hue=0.1,
    grayscale=0.2,
)
Change = Callable[[Tensor], Tensor]


def torchvision_change(settings: AugmentSettings, side: int) -> Change:
    """Return torchvision v2's transforms for the settings."""
    from torchvision.transforms import v2

    a, parts = settings, []
    if a.rotate:
        scales = (1 - a.scale, 1 + a.scale)
        parts.append(
            v2.RandomAffine(
                a.rotate,
                (a.translate, a.translate),
                scales,
                a.shear,
                interpolation=v2.InterpolationMode.BILINEAR,
            )
        )
    if a.elastic:
        parts.append(v2.ElasticTransform(alpha=34.0, sigma=4.0))
    if a.crop:
        parts.append(v2.RandomResizedCrop(side, (a.crop, 1.0), antialias=False))
        parts.append(v2.RandomHorizontalFlip(a.flip))
        jitter = v2.ColorJitter(a.brightness, a.contrast, a.saturation, a.hue)
        parts.append(v2.RandomApply([jitter], a.jitter))
        parts.append(v2.RandomGrayscale(a.grayscale))
    change: Change = v2.Compose(parts)
    return change


def kornia_change(settings: AugmentSettings, side: int) -> Change:
    """Return kornia's transforms for the settings, a draw for each image."""
    import kornia.augmentation as kornia

    a, parts = settings, []
    if a.rotate:
        scales, shift = (1 - a.scale, 1 + a.scale), (a.translate, a.translate)
        parts.append(kornia.RandomAffine(a.rotate, shift, scales, a.shear, p=1.0))
    if a.elastic:
        size, sigma = (33, 33), (4.0, 4.0)
        strength = (34.0 / side, 34.0 / side)
        parts.append(kornia.RandomElasticTransform(size, sigma, strength, p=1.0))
    if a.crop:
        parts.append(kornia.RandomResizedCrop((side, side), (a.crop, 1.0), p=1.0))
        parts.append(kornia.RandomHorizontalFlip(p=a.flip))
        jitter = (a.brightness, a.contrast, a.saturation, a.hue)
        parts.append(kornia.ColorJiggle(*jitter, p=a.jitter))
        parts.append(kornia.RandomGrayscale(p=a.grayscale))
    change: Change = kornia.AugmentationSequential(*parts)
    return change


def rate(change: Change, x: Tensor) -> float:
    """Return images per second, after one call to warm up."""
    with torch.no_grad():
        change(x)
        finish(x.device)
        start, calls = time.perf_counter(), 0
        while time.perf_counter() - start < SECONDS:
            change(x)
            finish(x.device)
            calls += 1
        return calls * len(x) / (time.perf_counter() - start)


def one_by_one(change: Change) -> Change:
    """Return a change that treats each image alone, as drawing for each takes."""
    return lambda x: torch.cat([change(image) for image in x[:, None]])


def measure(what: str, settings: AugmentSettings, x: Tensor, rounds: int) -> Row:
    """Compare one set of augmentations with both peers."""
    generator = torch.Generator(x.device).manual_seed(0)
    side = x.shape[-1]
    vision = torchvision_change(settings, side)
    sides: dict[str, tuple[Change, Tensor]] = {
        "ours": (lambda x: augment(x, settings, generator), x),
        "torchvision": (one_by_one(vision), x[:ONE_BY_ONE]),
        "one draw": (vision, x),
    }
    if there("kornia"):
        sides["kornia"] = kornia_change(settings, side), x
    rates: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, (change, images) in sides.items():
            rates[name].append(rate(change, images))
    medians = {name: statistics.median(values) for name, values in rates.items()}
    peers = [name for name in ("torchvision", "kornia") if name in medians]
    better = max(peers, key=lambda name: medians[name])
    both = len(peers) == 2
    which = f"the faster of two, {better}" if both else f"{better} (kornia is not installed)"
    compared = Comparison(rates["ours"], rates[better])
    beside = f"torchvision with one draw for the batch {medians['one draw']:,.0f}"
    numbers: dict[str, Any] = compared.numbers() | {"per_s": rates, "medians": medians}
    return Row(
        f"augmentation alone, {what}, {len(x):,} images, {place(x.device)}: against {which}",
        f"≥ {GOAL} x",
        f"{compared.words('images')}; {beside}",
        compared.ratio >= GOAL,
        numbers,
    )


def main() -> None:
    """Measure grey images, grey images with folds, and colour images."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.augmentation")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=1024)
    device_option(parser)
    asked = parser.parse_args()
    use_all_cores()
    generator = torch.Generator().manual_seed(1)
    grey = torch.rand(asked.images, 1, 28, 28, generator=generator)
    colour = torch.rand(asked.images, 3, 32, 32, generator=generator)
    kinds = (
        ("28x28 affine", GREY, grey),
        ("28x28 affine and elastic", ELASTIC, grey),
        ("32x32 crop, flip, jitter, grey", COLOUR, colour),
    )
    rows = (
        measure(what, settings, images.to(device), asked.rounds)
        for device in devices(asked.device)
        for what, settings, images in kinds
    )
    missing = [] if asked.device else no_gpu(f"≥ {GOAL} x")
    command = ".peers/bin/python -m benchmarks.augmentation"
    save(for_device("augmentation", asked.device), command, chain(rows, missing))


if __name__ == "__main__":
    main()
