"""What the open dashboard costs: event-loop lag, and steps per second over those without it.

python -m benchmarks.screen       about 8 minutes; MNIST must be there

The map has 60,000 points: MNIST's training images are also its held-out images. That
says nothing about quality, but it is the heaviest map that the dashboard's presets can have.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers import need
from benchmarks.program import PROGRAM
from benchmarks.record import Row, for_device, no_gpu, save
from benchmarks.rounds import device_option, devices, place
from benchmarks.terminal import Terminal
from tui_latent.config.presets import load_preset
from tui_latent.datasets.sources import load_dataset

PAIRS = 3
LENGTHS = {
    "cpu": ("train.epochs=1", "train.eval_every=0.25", "train.checkpoint_every=1.0", "stages=[]"),
    "cuda": ("train.epochs=43", "train.eval_every=10", "train.checkpoint_every=43", "stages=[]"),
}
"""117 steps on a CPU, a new map every 29; on a GPU, which does those in a tenth of a second,
5,031 steps with a new map every 1,170"""
SETTLED = {"cpu": 0, "cuda": 100}
"""steps from which the rate counts: on a GPU the first are trials of ways to run them"""
LAG_P95, LAG_WORST = 15.0, 100.0
"""milliseconds"""
LEAST_RATIOS = {"cpu": 0.95, "cuda": 0.98}
"""of steps per second, by what trains"""


def many_held_out(folder: Path) -> tuple[str, ...]:
    """Write MNIST's training images as both splits; return the settings that train on them."""
    images = load_dataset(load_preset("mnist-contrastive-2d").data, seed=0).train
    pixels, labels = images.images.numpy(), images.labels.numpy()
    path = folder / "many.npz"
    np.savez(path, x_train=pixels, y_train=labels, x_test=pixels, y_test=labels)
    return ("data.source=arrays", f"data.path={path}")


def with_dashboard(preset: str, settings: Sequence[str], folder: Path) -> dict[str, Any]:
    """Train inside the dashboard on a 120x40 pty; return the probe's figures."""
    out = folder / "probe.json"
    out.unlink(missing_ok=True)
    program = [sys.executable, "-m", "benchmarks.screen_probe", str(folder), preset, str(out)]
    terminal = Terminal([*program, *settings])
    while not terminal.ended():
        terminal.read(1.0)
    if not out.exists():
        raise RuntimeError(f"the dashboard ended early:\n{terminal.painted[-2000:]!r}")
    result: dict[str, Any] = json.loads(out.read_text())
    return result | {"bytes": len(terminal.painted)}


def headless(preset: str, settings: Sequence[str], folder: Path) -> str:
    """Train without a screen; return the run's path."""
    words = [part for setting in settings for part in ("--set", setting)]
    command = [*PROGRAM, "train", preset, *words]
    done = subprocess.run(
        [*command, "--runs", str(folder), "--json"], check=True, stdout=subprocess.PIPE, text=True
    )
    return str(json.loads(done.stdout.splitlines()[-1])["path"])


def steps_per_second(path: str, settled: int = 0) -> float:
    """Return a run's rate from its first settled record to its last, evaluations included."""
    lines = (Path(path) / "metrics.jsonl").read_text().splitlines()
    records = [record for record in map(json.loads, lines) if record["step"] >= settled]
    first, last = records[0], records[-1]
    return float((last["step"] - first["step"]) / (last["time"] - first["time"]))


def main() -> None:
    """Measure dashboard and headless in turn, so that a drifting machine affects both."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.screen")
    device_option(parser)
    asked = parser.parse_args()
    device = devices(asked.device)[-1]
    need("textual", "plotext")
    lags: list[float] = []
    ratios, rates, shown = [], [], []
    with tempfile.TemporaryDirectory() as data:
        where = f"train.device={device.type}"
        settings = (*LENGTHS[device.type], where, *many_held_out(Path(data)))
        for _ in range(PAIRS):
            with tempfile.TemporaryDirectory() as folder:
                probed = with_dashboard("mnist-contrastive-2d", settings, Path(folder))
                alone = headless("mnist-contrastive-2d", settings, Path(folder))
                paths = probed["path"], alone
                pair = tuple(steps_per_second(path, SETTLED[device.type]) for path in paths)
            rates.append(pair)
            ratios.append(pair[0] / pair[1])
            lags += probed["lags"]
            shown.append(probed["points"])
    p50, p95, worst = (1000 * np.percentile(lags, [50, 95, 100])).tolist()
    numbers = {"p50_p95_max_ms": [p50, p95, worst], "samples": len(lags)}
    ratio = statistics.median(ratios)
    goal = LEAST_RATIOS[device.type]
    what = f"event-loop lag while training, {shown[0]:,} points shown"
    save(
        for_device("screen", asked.device),
        "python -m benchmarks.screen",
        [
            Row(f"{what}, p95", f"≤ {LAG_P95:.0f} ms", f"{p95:.1f} ms", p95 <= LAG_P95, numbers),
            Row(
                f"{what}, worst",
                f"≤ {LAG_WORST:.0f} ms",
                f"{worst:.0f} ms",
                worst <= LAG_WORST,
                {**numbers},
            ),
            Row(
                f"steps/s with the dashboard open over steps/s without, {place(device)}",
                f"≥ {goal}",
                f"{ratio:.3f}",
                ratio >= goal,
                {"ratios": ratios, "dashboard_and_headless_steps_per_s": rates},
            ),
            *([] if asked.device else no_gpu("≥ 0.98")),
        ],
    )


if __name__ == "__main__":
    main()
