"""How fast the explorer answers: cursor to repaint, a redrawn map, neighbours of a point.

python -m benchmarks.explorer
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from benchmarks.program import PROGRAM
from benchmarks.record import Row, save
from benchmarks.terminal import Terminal
from tui_latent.analysis.neighbourhoods import Space
from tui_latent.map_frame import settle_frame
from tui_latent.runs.schema import LatentMap
from tui_latent.runs.writer import RunWriter
from tui_latent.tui.charts.scatter import map_scene
from tui_latent.tui.charts.scatter_drawing import paint_scene
from tui_latent.tui.charts.window import Window

POINTS = 60_000
MANY = 1_000_000
MOVES = 200
SIZE = (120, 40)
CLASSES = tuple("0123456789")
CURSOR = "┼".encode()


def made_map(count: int) -> LatentMap:
    """Return clusters of ten classes, without seven in a thousand that lie far out."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 10, count)
    angle = 2 * np.pi * labels / 10
    points = 5 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    points = (points + generator.normal(size=(count, 2))).astype(np.float32)
    return LatentMap(100, points, np.arange(count), labels, CLASSES)


def made_run(runs: Path, latent_map: LatentMap) -> Path:
    """Write a finished run with this map and as many training latents."""
    preset = {"data": {"source": "digits"}, "method": {"name": "contrastive", "latent_dim": 2}}
    writer = RunWriter.create(runs, "made", preset, {"preset": "made", "seed": 0}, "made")
    writer.lock()
    writer.latent_map(latent_map, None)
    points = torch.from_numpy(latent_map.points)
    labels = torch.from_numpy(latent_map.labels)
    names = ("bank_latents", "bank_labels", "query_latents", "query_labels")
    tensors = dict(zip(names, (points + 0.01, labels.clone(), points, labels), strict=True))
    save_file(tensors, writer.path / "latents" / "last.safetensors")
    writer.status(state="finished", step=100, total_steps=100)
    writer.close()
    return writer.path


def cursor_moves(path: Path) -> list[float]:
    """Return the seconds from each key to the first paint of the cursor's new place, on a pty."""
    terminal = Terminal([*PROGRAM, "attach", str(path)], *SIZE)
    try:
        terminal.wait_for(b"step 100")
        terminal.send(b"l")
        terminal.wait_for(b"kNN: ")
        keys = [b"\x1b[C"] * 20 + [b"\x1b[B"] * 8 + [b"\x1b[D"] * 20 + [b"\x1b[A"] * 8
        return [key_to_paint(terminal, keys[i % len(keys)]) for i in range(MOVES)]
    finally:
        terminal.kill()


def key_to_paint(terminal: Terminal, key: bytes) -> float:
    """Press a key when the screen is quiet; return the seconds until the cursor is painted."""
    while terminal.read(0.15):
        pass
    painted = b""
    began = time.perf_counter()
    terminal.send(key)
    while CURSOR not in painted:
        painted += terminal.read(5.0)
        if time.perf_counter() - began > 5.0:
            raise TimeoutError("the cursor was not painted within 5 s")
    return time.perf_counter() - began


def seconds_of(count: int) -> list[float]:
    """Return the seconds to draw a map of many points into finished lines."""
    made = made_map(count)
    scene = map_scene(made)
    frame = settle_frame(made.points, None)
    assert frame is not None
    window = Window.around(frame, 72, 34)
    taken = []
    for step in range(20):
        began = time.perf_counter()
        paint_scene(scene, window.panned(step % 3, 0), colored=True)
        taken.append(time.perf_counter() - began)
    return taken


def neighbour_seconds(latent_map: LatentMap) -> list[float]:
    """Return the seconds to look up a point; the first look-up excludes the vote of all points."""
    points = torch.from_numpy(latent_map.points)
    space = Space(latent_map, points, points + 0.01, torch.from_numpy(latent_map.labels))
    space.facts(0, 8)
    taken = []
    for index in range(0, 60_000, 1500):
        began = time.perf_counter()
        space.facts(index, 8)
        taken.append(time.perf_counter() - began)
    return taken


def row(what: str, goal: float, seconds: list[float]) -> Row:
    """Return the 95th percentile beside its goal, both in seconds."""
    p95 = statistics.quantiles(seconds, n=20)[-1]
    median = statistics.median(seconds)
    measured = f"{1000 * p95:.1f} ms (median {1000 * median:.1f})"
    numbers = {"p95_s": p95, "median_s": median, "worst_s": max(seconds), "tries": len(seconds)}
    return Row(what, f"≤ {1000 * goal:.0f} ms", measured, p95 <= goal, dict(numbers))


def main() -> None:
    """Measure and save."""
    latent_map = made_map(POINTS)
    with tempfile.TemporaryDirectory() as runs:
        moves = cursor_moves(made_run(Path(runs), latent_map))
    rows = [
        row("cursor move to repainted screen, 60,000 points, p95", 0.050, moves),
        row("redrawing a map of 1,000,000 points, p95", 0.060, seconds_of(MANY)),
        row("neighbours of a point in 60,000, p95", 0.030, neighbour_seconds(latent_map)),
    ]
    save("explorer", "python -m benchmarks.explorer", rows)


if __name__ == "__main__":
    main()
