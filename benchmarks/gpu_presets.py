"""Every preset on a GPU: waits, milliseconds of a step plain and captured, losses, memory.

python -m benchmarks.gpu_presets              those that the goals name
python -m benchmarks.gpu_presets --others     all others

On images of random numbers in the preset's size. For each: one step in which a wait for the device
is an error; plain steps and steps of a captured graph; the losses of the first steps both ways
from one seed, in float32, whose draws must have left equal states of the generator; the peak of
memory. On a CPU there are only plain steps: that is for trying this file.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.our_steps import training_loop
from benchmarks.record import Row, save
from benchmarks.rounds import device_option, devices, finish
from tui_latent.config.preset_files import preset_names
from tui_latent.config.presets import load_preset
from tui_latent.config.settings import Preset
from tui_latent.methods import METHODS
from tui_latent.training.loop import TrainingLoop

FIRST = (
    "mnist-contrastive-2d",
    "cifar10-vicreg",
    "cifar10-tsimcne-2d",
    "mnist-conv-autoencoder-7d",
)
TINY = ("digits-contrastive-2d", "no-such-preset", "digits-vicreg")
SHAPES = {
    "mnist": (28, 28),
    "fashion-mnist": (28, 28),
    "kmnist": (28, 28),
    "cifar10": (32, 32, 3),
    "cifar100": (32, 32, 3),
    "stl10": (96, 96, 3),
    "folder": (64, 64, 3),
}
BATCHES = 3
"""of images; steps are measured away from the start of an epoch, which draws a new order"""
COMPARED = 12
"""steps whose losses are compared; a graph is captured before the fourth"""
CLOSE = 1e-3
"""relative difference of losses"""


def preset(name: str, device: torch.device, folder: Path, tiny: bool, **train: str) -> Preset:
    """Return a preset on made images; its own data where those are bundled."""
    loaded = load_preset(name)
    changes: dict[str, object] = {"train.device": device.type}
    changes |= {f"train.{key}": value for key, value in train.items()}
    if tiny:
        changes["train.batch_size"] = 32
    batch = 32 if tiny else loaded.train.batch_size
    if loaded.data.source != "digits":
        shape = SHAPES[loaded.data.source]
        side = loaded.data.size or shape[0]
        path = folder / f"{name}.npz"
        if not path.exists():
            images = (BATCHES * batch, side, side, *shape[2:])
            made = np.random.default_rng(0).integers(0, 256, images, dtype=np.uint8)
            np.savez(path, x_train=made, y_train=np.arange(len(made)) % 10)
        changes |= {"data.source": "arrays", "data.path": str(path), "data.size": 0}
        changes["data.per_class"] = 0
    return load_preset(name, changes)


def milliseconds(loop: TrainingLoop, steps: int) -> float:
    """Return the milliseconds of a step, once the way to run it is chosen."""
    while loop.accelerated.trying:
        loop.step()
    for _ in range(5 if steps > 5 else 1):
        loop.step()
    finish(loop.device)
    start = time.perf_counter()
    for _ in range(steps):
        loop.step()
    finish(loop.device)
    return 1000 * (time.perf_counter() - start) / steps


def waits(loop: TrainingLoop) -> str:
    """Return the warnings of one step that waits for the device; empty if it does not."""
    while loop.done % loop.sampler.steps_per_epoch != 1 and loop.sampler.steps_per_epoch > 1:
        loop.step()
    finish(loop.device)
    torch.cuda.set_sync_debug_mode("error")
    try:
        loop.step()
    except RuntimeError as error:
        return str(error).partition("\n")[0]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return ""


def measure(name: str, device: torch.device, tiny: bool) -> Row:
    """Measure one preset; an error goes into its row."""
    numbers: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        try:
            if reason := _not_here(load_preset(name)):
                return Row(name, "–", f"not run: {reason}", None, {})
            settings = preset(name, device, folder, tiny, acceleration="off")
            reached = _measured(name, device, folder, tiny, numbers)
        except Exception as error:  # whatever happened here, the next preset must be measured
            first = str(error).partition("\n")[0]
            return Row(name, "no error", f"{type(error).__name__}: {first}", False, numbers)
    words = [
        f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}"
        for key, value in numbers.items()
    ]
    goal = "no wait, equal losses and draws" if device.type == "cuda" else "–"
    batch = settings.train.batch_size
    return Row(f"{name}, batch {batch}", goal, "; ".join(words), reached, numbers)


def _not_here(settings: Preset) -> str:
    if METHODS[settings.method.name].pairing == "none":
        return "it is fitted without steps"
    if getattr(settings.method, "views", "") == "neighbours":
        return "it needs an earlier run"
    if settings.data.inputs not in ("raw", "hog"):
        return "it needs downloaded weights"
    return ""


def _measured(
    name: str, device: torch.device, folder: Path, tiny: bool, numbers: dict[str, Any]
) -> bool | None:
    """Fill in the numbers one by one, so that an error keeps those before it."""
    gpu, steps = device.type == "cuda", 2 if tiny else 50
    plain = training_loop(preset(name, device, folder, tiny, acceleration="off"))
    for _ in range(4 if gpu else 1):
        plain.step()
    if gpu:
        numbers["waits"] = waits(plain) or "none"
        torch.cuda.reset_peak_memory_stats()
    numbers["plain ms"] = milliseconds(plain, steps)
    if not gpu:
        return None
    numbers["peak GiB"] = torch.cuda.max_memory_allocated() / 2**30
    del plain  # its memory
    graph = training_loop(preset(name, device, folder, tiny, acceleration="graph"))
    numbers["graph ms"] = milliseconds(graph, steps)
    numbers["times"] = numbers["plain ms"] / numbers["graph ms"]
    numbers["reserved GiB"] = torch.cuda.memory_reserved() / 2**30
    del graph
    one, two = (
        training_loop(preset(name, device, folder, tiny, acceleration=way, precision="float32"))
        for way in ("off", "graph")
    )
    first, second = ([float(t.step()["loss"]) for _ in range(COMPARED)] for t in (one, two))
    numbers["way"] = two.accelerated.way.name
    numbers["largest difference"] = max(
        abs(a - b) / max(abs(a), 1e-6) for a, b in zip(first, second, strict=True)
    )
    numbers["losses"] = [first, second]
    numbers["equal draws"] = torch.equal(one.generator.get_state(), two.generator.get_state())
    return bool(
        numbers["waits"] == "none"
        and numbers["way"] == "graph"
        and numbers["equal draws"]
        and numbers["largest difference"] <= CLOSE
    )


def rows(names: list[str], device: torch.device, tiny: bool) -> Iterator[Row]:
    """Measure presets one after the other."""
    for name in names:
        yield measure(name, device, tiny)


def main() -> None:
    """Measure the presets of the goals, or all others."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu_presets")
    parser.add_argument("--others", action="store_true")
    parser.add_argument("--tiny", action="store_true", help="few images and steps, to try it")
    device_option(parser)
    asked = parser.parse_args()
    device = devices(asked.device)[-1]
    others = [name for name in preset_names() if name not in FIRST]
    names = others if asked.others else list(FIRST)
    if asked.tiny:
        names = list(TINY[2:] if asked.others else TINY[:2])
    name = "other-presets" if asked.others else "presets"
    command = "python -m benchmarks.gpu_presets" + (" --others" if asked.others else "")
    save(name, command, rows(names, device, asked.tiny))


if __name__ == "__main__":
    main()
