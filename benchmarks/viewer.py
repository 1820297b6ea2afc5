"""How fast the image viewer's sliders respond: from key to decoded image on the screen.

python -m benchmarks.viewer [--moves N] [--preset NAME]      2 minutes; MNIST must be there
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.program import PROGRAM
from benchmarks.record import Row, save
from benchmarks.terminal import Terminal
from tui_latent.analysis import RunData
from tui_latent.analysis.decoding import RunDecoder
from tui_latent.analysis.map_projection import NewestMap
from tui_latent.config.presets import load_preset
from tui_latent.launch.start import create_run, train_run

PRESET = "mnist-conv-autoencoder-7d"
DIMENSIONS = (7, 128)
MOVES = 100
GOAL = 80
"""ms"""
SIZE = (120, 40)
KEYS = (b"\x1b[C", b"\x1b[C", b"+", b"\x1b[B", b"\x1b[D", b"4")
"""right, right, a big step, the next slider, left, a class mean"""


def made_run(preset: str, dimensions: int, runs: Path) -> Path:
    """Train briefly: what a network has learned does not change how fast it decodes."""
    overrides: dict[str, object] = {
        "method.latent_dim": dimensions,
        "data.per_class": 100,
        "train.epochs": 1,
        "train.eval_every": 1,
        "train.checkpoint_every": 1,
    }
    path = create_run(preset, load_preset(preset, overrides), runs, f"{dimensions}-d")
    train_run(path)
    return path


def decodes(path: Path, moves: int) -> list[float]:
    """Return the seconds of decoding one latent and placing it on the map, without a screen."""
    source = RunData(path)
    decoder, newest_map = RunDecoder(source), NewestMap(source)
    latents = source.latents().bank.numpy()
    seconds = []
    for move in range(-5, moves):  # the first ones load
        latent = latents[move % len(latents)][None]
        began = time.perf_counter()
        decoder.decode(latent)
        newest_map.place(latent)
        if move >= 0:
            seconds.append(time.perf_counter() - began)
    return seconds


def slider_moves(path: Path, moves: int) -> list[float]:
    """Return the seconds from each key to the last byte that it paints, on a pty."""
    terminal = Terminal([*PROGRAM, "attach", str(path)], *SIZE)
    try:
        terminal.wait_for(b"Latent map", 60)
        terminal.send(b"v")
        terminal.wait_for(b"20th neighbour", 90)
        terminal.send(b"l")
        terminal.wait_for(b"Dimension 1 of", 120)
        terminal.wait_for("◆".encode(), 120)
        return [_painted_after(terminal, KEYS[move % len(KEYS)]) for move in range(moves)]
    finally:
        terminal.kill()


def _painted_after(terminal: Terminal, key: bytes) -> float:
    while terminal.read(0.25):
        pass
    began = last = time.perf_counter()
    terminal.send(key)
    while terminal.read(0.25):
        last = time.perf_counter()
    return last - began


def row(what: str, seconds: list[float]) -> Row:
    """Return the 95th percentile beside the goal."""
    p50, p95, most = (1000 * np.percentile(seconds, [50, 95, 100])).tolist()
    numbers = {"p50_p95_max_ms": [p50, p95, most], "samples": len(seconds)}
    return Row(f"{what}, p95", f"≤ {GOAL} ms", f"{p95:.1f} ms", p95 <= GOAL, numbers)


def main() -> None:
    """Measure at few and at many dimensions."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--moves", type=int, default=MOVES)
    parser.add_argument("--preset", default=PRESET)
    asked = parser.parse_args()
    rows = []
    for dimensions in DIMENSIONS:
        with tempfile.TemporaryDirectory() as folder:
            path = made_run(asked.preset, dimensions, Path(folder))
            words = f"{asked.preset}, {dimensions}-D"
            rows.append(row(f"decode of a slider move, {words}", decodes(path, asked.moves)))
            moved = slider_moves(path, asked.moves)
            rows.append(row(f"slider key to complete repaint, {words}", moved))
    save("viewer", "python -m benchmarks.viewer", rows)


if __name__ == "__main__":
    main()
