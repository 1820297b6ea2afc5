"""What the open dashboard costs: event-loop lag, and steps per second over those without it.

python -m benchmarks.screen       about 6 minutes; MNIST must be there for the 10,000 points
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.record import Row, save
from benchmarks.terminal import Terminal

PAIRS = 3
MNIST = ("train.epochs=1", "train.eval_every=0.2", "train.checkpoint_every=1.0", "stages=[]")
"""117 steps; a new map of 10,000 points every 23"""


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
    command = [str(Path(sys.executable).with_name("tui-latent")), "train", preset, *words]
    done = subprocess.run(
        [*command, "--runs", str(folder), "--json"], check=True, stdout=subprocess.PIPE, text=True
    )
    return str(json.loads(done.stdout.splitlines()[-1])["path"])


def steps_per_second(path: str) -> float:
    """Return a run's rate from its first record to its last, evaluations included."""
    lines = (Path(path) / "metrics.jsonl").read_text().splitlines()
    first, last = json.loads(lines[0]), json.loads(lines[-1])
    return float((last["step"] - first["step"]) / (last["time"] - first["time"]))


def main() -> None:
    """Measure dashboard and headless in turn, so that a drifting machine meets both."""
    lags: list[float] = []
    ratios, rates, shown = [], [], []
    for _ in range(PAIRS):
        with tempfile.TemporaryDirectory() as folder:
            probed = with_dashboard("mnist-contrastive-2d", MNIST, Path(folder))
            alone = headless("mnist-contrastive-2d", MNIST, Path(folder))
            pair = steps_per_second(probed["path"]), steps_per_second(alone)
        rates.append(pair)
        ratios.append(pair[0] / pair[1])
        lags += probed["lags"]
        shown.append(probed["points"])
    milliseconds = 1000 * np.percentile(lags, [50, 95, 100])
    ratio = statistics.median(ratios)
    save(
        "screen",
        "python -m benchmarks.screen",
        [
            Row(
                f"event-loop lag while training, {shown[0]:,} points shown, p95",
                "≤ 30 ms",
                f"{milliseconds[1]:.1f} ms",
                bool(milliseconds[1] <= 30),
                {"p50_p95_max_ms": milliseconds.tolist(), "samples": len(lags)},
            ),
            Row(
                "steps/s with the dashboard open over steps/s without",
                "≥ 0.93",
                f"{ratio:.3f}",
                ratio >= 0.93,
                {"ratios": ratios, "dashboard_and_headless_steps_per_s": rates},
            ),
        ],
    )


if __name__ == "__main__":
    main()
