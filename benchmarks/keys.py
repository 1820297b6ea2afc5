"""What a terminal sees: key to repaint, idle and while training, and bytes of output.

python -m benchmarks.keys                                about 3 minutes; MNIST must be there
python -m benchmarks.keys --preset digits-contrastive-2d --every 20 --keys 20 --seconds 5   a try

On a pty of 120x40. A key is tab, which moves the focus from panel to panel; the clock runs from
the key to the output that holds the title of the panel that now has the focus.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.record import Row, save
from benchmarks.screen import headless
from benchmarks.terminal import Terminal

TITLES = (b"Loss", b"kNN acc", b"Space", b"Log", b"Latent map")
"""of the panels, in tab order from the map"""
IN_TRAINING = (*TITLES[:-1], b"Machine", TITLES[-1])
BETWEEN = (0.1, 0.3)
"""seconds from one key to the next"""
LONG = ("stages=[]", "train.epochs=5000")
"""more epochs than are watched"""


def idle_dashboard(run: str, runs: Path) -> Terminal:
    """Open a finished run."""
    return Terminal([sys.executable, "-m", "tui_latent", "attach", run, "--runs", str(runs)])


def training_dashboard(preset: str, runs: Path, every: float) -> Terminal:
    """Open a dashboard that trains, with a new map every few epochs."""
    program = [sys.executable, "-m", "benchmarks.screen_probe", str(runs), preset]
    pace = (f"train.eval_every={every}", f"train.checkpoint_every={every}")
    return Terminal([*program, str(runs / "probe.json"), *LONG, *pace])


def settle(terminal: Terminal, until: bytes, seconds: float) -> int:
    """Wait for a text, then return the bytes of the following seconds."""
    terminal.wait_for(until, 120.0)
    before, end = len(terminal.painted), time.perf_counter() + seconds
    while time.perf_counter() < end:
        terminal.read(0.05)
    return len(terminal.painted) - before


def key_times(terminal: Terminal, keys: int, titles: Sequence[bytes]) -> list[float]:
    """Return the seconds from each Tab to the repaint of the panel that it reaches."""
    chance, times = random.Random(0), []
    for title in itertools.islice(itertools.cycle(titles), keys):
        pause = time.perf_counter() + chance.uniform(*BETWEEN)
        while time.perf_counter() < pause:
            terminal.read(0.005)
        since = len(terminal.painted)
        start = time.perf_counter()
        terminal.send(b"\t")
        while title not in terminal.painted[since:]:
            if time.perf_counter() - start > 5.0:
                raise TimeoutError(f"{title!r} was not painted in 5 s")
            terminal.read(0.05)
        times.append(time.perf_counter() - start)
    return times


def key_row(what: str, times: list[float], goal: float) -> Row:
    """Compare the 95th percentile with its goal, in milliseconds."""
    p50, p95, most = (1000 * np.percentile(times, [50, 95, 100])).tolist()
    return Row(
        f"key to repaint {what}, p95 of {len(times)} keys",
        f"≤ {goal:.0f} ms",
        f"{p95:.1f} ms (median {p50:.1f}, worst {most:.0f})",
        p95 <= goal,
        {"milliseconds": [round(1000 * seconds, 2) for seconds in times]},
    )


def main() -> None:
    """Measure a finished run, then one in training."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.keys")
    parser.add_argument("--preset", default="mnist-contrastive-2d")
    parser.add_argument("--every", type=float, default=0.5, help="epochs from map to map")
    parser.add_argument("--keys", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=30.0, help="of steady training")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        runs = Path(name)
        run = Path(headless(asked.preset, ("stages=[]", "train.epochs=1"), runs)).name
        idle = idle_dashboard(run, runs)
        try:
            settle(idle, b"Latent map", 3.0)
            at_rest = key_times(idle, asked.keys, TITLES)
        finally:
            idle.kill()
        busy = training_dashboard(asked.preset, runs / "training", asked.every)
        try:
            painted = settle(busy, b"held-out images", asked.seconds)
            in_training = key_times(busy, asked.keys, IN_TRAINING)
        finally:
            busy.kill()
    rate = painted / asked.seconds / 1000
    save(
        "keys",
        "python -m benchmarks.keys",
        [
            key_row("of an idle dashboard", at_rest, 17.0),
            key_row("while training", in_training, 40.0),
            Row(
                f"output in {asked.seconds:.0f} s of steady training, map and curves live",
                "≤ 15 kB/s",
                f"{rate:.1f} kB/s",
                rate <= 15.0,
                {"bytes": painted},
            ),
        ],
    )


if __name__ == "__main__":
    main()
