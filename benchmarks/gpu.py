"""How much of a GPU a training step uses: a ResNet-18's arithmetic, a small network's launches.

python -m benchmarks.gpu             a few minutes on a GPU; without one, the CPU's share only

The first row counts the multiplications and additions of one update by torch's FlopCounterMode
(convolutions and matrix products, forward and backward), and sets our step's rate beside the
best rate of a square bfloat16 matrix product on the same device in the same run. The last has the
MNIST preset's steps launched one operation at a time and as one captured CUDA graph, both in a
worker thread, as the dashboard trains. Images are made of random numbers.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.lightly_step import made_images
from benchmarks.our_steps import Ours, training_loop
from benchmarks.record import Row, for_device, no_gpu, save
from benchmarks.rounds import alternate, device_option, devices, finish, place, use_all_cores
from tui_latent.config.presets import load_preset
from tui_latent.config.settings import Preset

ROUNDS = 5
SIDES = {"cpu": 2048, "cuda": 8192}
"""side of the square matrices whose product gives the matrix rate"""
BATCHES = {"cpu": 32, "cuda": 256}
STEPS = {"cpu": 3, "cuda": 100}
EPOCH = 50_000
"""images"""
LEAST_SHARE, LONGEST_EPOCH = 0.25, 1.7
"""of a GPU's matrix rate; seconds on an H200"""
LEAST_GAIN = 4.0
"""how many times faster a graph's steps should be than launched ones"""


def matmul_rate(device: torch.device) -> float:
    """Return the best floating-point operations per second of a bfloat16 matrix product."""
    side = SIDES[device.type]
    a, b = (torch.randn(side, side, device=device).bfloat16() for _ in range(2))
    rates = []
    for _ in range(4 * ROUNDS):
        start = time.perf_counter()
        a @ b
        finish(device)
        rates.append(2 * side**3 / (time.perf_counter() - start))
    return max(rates)


def resnet_preset(images: Path, device: torch.device) -> Preset:
    """Return VICReg's CIFAR-10 preset on made images."""
    changes: dict[str, object] = {"data.source": "arrays", "data.path": str(images)}
    changes |= {"train.device": device.type, "train.batch_size": BATCHES[device.type]}
    return load_preset("cifar10-vicreg", changes)


def operations(settings: Preset) -> float:
    """Return the floating-point operations of one update, for each image of the batch."""
    plain = settings.train.model_copy(update={"acceleration": "off"})
    loop = training_loop(settings.model_copy(update={"train": plain}))
    with FlopCounterMode(display=False) as counter:
        loop.step()
    return float(counter.get_total_flops()) / settings.train.batch_size


def resnet_rows(device: torch.device) -> list[Row]:
    """Measure the share of the matrix rate, and on a GPU the seconds of an epoch."""
    with tempfile.TemporaryDirectory() as folder:
        settings = resnet_preset(made_images(Path(folder)), device)
        each = operations(settings)
        ours = Ours(settings, STEPS[device.type])
        rates = sorted(ours() for _ in range(ROUNDS))
    rate, peak = rates[ROUNDS // 2], matmul_rate(device)
    share = rate * each / peak
    numbers: dict[str, object] = {
        "images_per_s": rates,
        "flop_per_image": each,
        "matmul_flop_per_s": peak,
        **ours.choices,
    }
    what = f"ResNet-18, two views, VICReg, batch {settings.train.batch_size}, {place(device)}"
    gpu = device.type == "cuda"
    rows = [
        Row(
            f"{what}: share of the device's bfloat16 matrix rate",
            f"≥ {LEAST_SHARE:.0%}" if gpu else "–",
            f"{share:.0%}: {rate * each / 1e12:.3g} of {peak / 1e12:.3g} TFLOP/s",
            share >= LEAST_SHARE if gpu else None,
            numbers,
        )
    ]
    if gpu:
        h200 = "H200" in place(device)
        rows.append(
            Row(
                f"{what}: an epoch of {EPOCH:,} images, {EPOCH * each / 1e12:.0f} TFLOP",
                f"≤ {LONGEST_EPOCH} s on an H200",
                f"{EPOCH / rate:.2f} s",
                EPOCH / rate <= LONGEST_EPOCH if h200 else None,
                {},
            )
        )
    return rows


def small_preset(images: Path, acceleration: str) -> Preset:
    """Return MNIST's preset in one stage, on made images."""
    changes: dict[str, object] = {"data.source": "arrays", "data.path": str(images)}
    changes |= {"train.device": "cuda", "train.acceleration": acceleration}
    return load_preset("mnist-contrastive-2d", changes).model_copy(update={"stages": ()})


def graph_row(steps: int = 500) -> Row:
    """Compare one captured graph per step with launched operations, both in a worker thread."""
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(1) as worker:
        images = Path(name) / "made.npz"
        generator = np.random.default_rng(0)
        made = generator.integers(0, 256, (8192, 28, 28), dtype=np.uint8)
        np.savez(images, x_train=made, y_train=np.arange(8192) % 10)

        def side(acceleration: str) -> Ours:
            return Ours(small_preset(images, acceleration), steps)

        plain, graph = (worker.submit(side, way).result() for way in ("off", "graph"))
        compared = alternate(
            lambda: worker.submit(graph).result(), lambda: worker.submit(plain).result(), ROUNDS
        )
    return Row(
        f"small MNIST network, {place(torch.device('cuda'))}: one captured graph per step "
        "against launched operations, in a worker thread",
        f"≥ {LEAST_GAIN:.0f} x",
        compared.words("images"),
        compared.ratio >= LEAST_GAIN,
        compared.numbers() | graph.choices,
    )


def main() -> None:
    """Measure the rows that the available devices allow."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu")
    device_option(parser)
    asked = parser.parse_args()
    use_all_cores()
    chosen = devices(asked.device)
    save(for_device("gpu", asked.device), "python -m benchmarks.gpu", _rows(chosen, asked.device))


def _rows(chosen: list[torch.device], only: str | None) -> Iterator[Row]:
    for device in chosen:
        yield from resnet_rows(device)
        if device.type == "cuda":
            yield graph_row()
    if not only:
        yield from no_gpu(
            f"≥ {LEAST_SHARE:.0%}; ≤ {LONGEST_EPOCH} s on an H200",
            "the same on a GPU: share of the matrix rate; an epoch of 50,000 images",
        )
        yield from no_gpu(f"≥ {LEAST_GAIN:.0f} x", "small MNIST network: a captured graph per step")


if __name__ == "__main__":
    main()
