"""The figures behind choices that docs/ARCHITECTURE.md explains, measured again.

python -m benchmarks.choices                    about four minutes on an idle core
python -m benchmarks.choices --rounds 1 --steps 2    a try

Seconds are CPU seconds of one thread, so that other work on the machine matters less. Each row
compares the same step with and without one choice, in turn: freed memory kept (in processes of
their own, because glibc cannot undo it), channels_last, and float32 in place of bfloat16, which a
CPU without AVX512-bf16 or AMX only imitates. Images are made of random numbers.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final
from unittest.mock import patch

import numpy as np
import plotext
import torch

from benchmarks.explorer import made_map
from benchmarks.our_steps import training_loop
from benchmarks.record import Row, save
from benchmarks.scaling import MAP_CELLS
from tui_latent.config.presets import load_preset
from tui_latent.map_frame import settle_frame
from tui_latent.runtime.malloc import keep_freed_memory
from tui_latent.training import loop as training
from tui_latent.training.loop import TrainingLoop
from tui_latent.tui.charts.scatter_drawing import draw_map
from tui_latent.tui.screens.dashboard.views import live_scene

_IMAGES: Final = 8192
_MNIST: Final = "mnist-contrastive-2d"
_POINTS: Final = 60_000
_PAIRS: Final = (4096, 1024)
_IMPORT: Final = (
    "import time; start = time.process_time(); import pydantic; print(time.process_time() - start)"
)


def made_images(folder: Path, side: int) -> Path:
    """Write grey images of random numbers; return the file."""
    path = folder / f"made-{side}.npz"
    made = np.random.default_rng(0).integers(0, 256, (_IMAGES, side, side), dtype=np.uint8)
    np.savez(path, x_train=made, y_train=np.arange(_IMAGES) % 10)
    return path


def made_loop(
    preset_name: str, images: Path, batch: int, precision: str = "float32"
) -> TrainingLoop:
    """Return the loop of a contrastive preset in one stage, on made images."""
    changes: dict[str, object] = {"data.source": "arrays", "data.path": str(images)}
    changes |= {"train.device": "cpu", "train.batch_size": batch, "train.precision": precision}
    preset = load_preset(preset_name, changes).model_copy(update={"stages": ()})
    return training_loop(preset)


def step_seconds(loop: TrainingLoop, steps: int) -> float:
    """Return the CPU seconds of a step, after one to warm up."""
    loop.step()
    start = time.process_time()
    for _ in range(steps):
        loop.step()
    return (time.process_time() - start) / steps


def in_process(images: Path, pairs: int, kept: bool, steps: int) -> float:
    """Return the CPU seconds of a step in a process that keeps freed memory, or does not."""
    words = ["--step", str(images), str(pairs), str(int(kept)), "--steps", str(steps)]
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks.choices", *words],
        check=True,
        capture_output=True,
        text=True,
    )
    return float(told.stdout.split()[-1])


def import_row(rounds: int) -> Row:
    """Measure the import of pydantic, which the menu's first frame does without."""
    seconds = [
        float(subprocess.run([sys.executable, "-c", _IMPORT], capture_output=True).stdout)
        for _ in range(rounds + 1)
    ][1:]
    words = f"{statistics.median(seconds):.2f} s"
    return Row("importing pydantic", "–", words, None, {"seconds": seconds})


def compared(
    what: str, with_it: Callable[[], float], without: Callable[[], float], rounds: int
) -> Row:
    """Return how many times as long a step takes without a choice, by turns."""
    pairs = [(with_it(), without()) for _ in range(rounds)]
    ratio = statistics.median(b / a for a, b in pairs)
    a, b = (1000 * statistics.median(side) for side in zip(*pairs, strict=True))
    words = f"{ratio:.2f} x: {b:.0f} against {a:.0f} ms"
    return Row(what, "–", words, None, {"seconds": pairs})


def layout_row(images: Path, rounds: int, steps: int) -> Row:
    """Compare the layout of images in the networks."""
    last = made_loop(_MNIST, images, 512)
    with patch.object(training, "choose_layout", lambda _: torch.contiguous_format):
        contiguous = made_loop(_MNIST, images, 512)
    return compared(
        "a step of the small convolutional network without channels_last",
        lambda: step_seconds(last, steps),
        lambda: step_seconds(contiguous, steps),
        rounds,
    )


def precision_row(images: Path, rounds: int, steps: int) -> Row:
    """Compare bfloat16 with float32."""
    full = made_loop(_MNIST, images, 512)
    half = made_loop(_MNIST, images, 512, "bfloat16")
    return compared(
        "a step of the small convolutional network in bfloat16",
        lambda: step_seconds(full, steps),
        lambda: step_seconds(half, steps),
        rounds,
    )


def build_row(rounds: int) -> Row:
    """Measure plotext's own part of drawing a map, during which other threads wait."""
    latent_map = made_map(_POINTS)
    scene = live_scene(latent_map)
    assert scene is not None
    seconds: list[float] = []
    build = plotext.build

    def timed() -> str:
        start = time.thread_time()
        text: str = build()
        seconds.append(time.thread_time() - start)
        return text

    plotext.build = timed
    try:
        for _ in range(rounds + 1):
            draw_map(scene, settle_frame(latent_map.points), *MAP_CELLS, True)
    finally:
        plotext.build = build
    words = f"{1000 * statistics.median(seconds[1:]):.0f} ms"
    what = f"plotext's build() of a map of {_POINTS:,} points at 120x40"
    return Row(what, "–", words, None, {"seconds": seconds[1:]})


def rows(rounds: int, steps: int) -> Iterator[Row]:
    """Measure one choice after the other."""
    yield import_row(rounds)
    yield build_row(rounds)
    with tempfile.TemporaryDirectory() as name:
        images, small = made_images(Path(name), 28), made_images(Path(name), 8)
        for pairs in _PAIRS:
            yield compared(
                f"a step of digits-contrastive-2d, {pairs:,} pairs, without keeping freed memory",
                partial(in_process, small, pairs, True, steps),
                partial(in_process, small, pairs, False, steps),
                rounds,
            )
        keep_freed_memory()
        yield layout_row(images, rounds, steps)
        yield precision_row(images, rounds, steps)


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.choices")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--step", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if asked.step is None:
        save("choices", "python -m benchmarks.choices", rows(asked.rounds, asked.steps))
        return
    images, pairs, kept = asked.step
    if kept == "1":
        keep_freed_memory()
    print(step_seconds(made_loop("digits-contrastive-2d", Path(images), int(pairs)), asked.steps))


if __name__ == "__main__":
    main()
