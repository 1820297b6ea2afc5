"""The menu with thousands of runs: first frame, complete table, memory, scrolling by keys.

python -m benchmarks.many_runs                       about 2 minutes; 5,000 runs of 60 MB
python -m benchmarks.many_runs --runs 500 --keys 30  a try

The runs are made in a temporary folder, as the run writer leaves them: a preset, a status, 72
records. The first start reads them all and fills the cache that the measured warm starts read. The
dashboard runs on a pty of 120x40. The key is Down, timed until the output contains the name of a
run.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from benchmarks.record import Row, save
from benchmarks.terminal import Terminal
from tui_latent.runs.manifest import preset_text
from tui_latent.runs.schema import State, Status
from tui_latent.runs.status import write_status

PRESETS = ("digits-contrastive-2d", "digits-vicreg", "mnist-contrastive-2d")
METHODS = ("contrastive", "vicreg", "contrastive")
STATES: tuple[State, ...] = ("finished", "finished", "stopped", "failed", "finished")

_BEFORE = 10
"""keys before the timed ones, to the last line that can be seen, so that each of those scrolls"""


def make_runs(folder: Path, count: int) -> None:
    """Make folders of ended runs, created a minute apart."""
    records = [
        {"step": step, "epoch": step / 10, "time": step / 10, "train/loss": 3 / step}
        for step in range(10, 730, 10)
    ]
    records[-1]["val/knn_20"] = 0.95
    lines = "".join(json.dumps(record) + "\n" for record in records)
    template = Path(__file__).parents[1] / "presets"
    whole = {name: (template / f"{name}.toml").read_text() for name in PRESETS}
    now = time.time()
    for index in range(count):
        preset = PRESETS[index % 3]
        path = folder / f"run-{index:05}"
        path.mkdir(parents=True)
        command = (
            f"tui-latent train {preset} --set train.seed={index} --set train.lr=0.00{index % 9}"
        )
        about = {"preset": preset, "created": now - 60 * index, "command": command, "format": 1}
        method = {"name": METHODS[index % 3], "latent_dim": 2, "widths": [32, 64]}
        table = {
            "title": whole[preset][:60],
            "data": {"source": "digits", "size": 0, "per_class": 0, "val_fraction": 0.0},
            "augment": dict.fromkeys(map("setting_{}".format, range(20)), 0.5),
            "method": method | dict.fromkeys(map("weight_{}".format, range(10)), 1.0),
            "train": {"seed": index} | dict.fromkeys(map("number_{}".format, range(15)), 1.0),
            "provenance": about,
        }
        (path / "preset.toml").write_text(preset_text(table))
        (path / "metrics.jsonl").write_text(lines)
        write_status(
            path,
            Status(
                STATES[index % 5],
                step=720,
                total_steps=720,
                seconds=40.0,
                device="cpu 2 threads",
                best_knn_20=0.96 - index / 1e6,
                knn_20=0.95 - index / 1e6,
                loss=1 / (index + 1),
            ),
        )


class Menu:
    """The dashboard's menu on a pty."""

    def __init__(self, runs: Path) -> None:
        self._began = time.perf_counter()
        self.terminal = Terminal([sys.executable, "-m", "tui_latent", "--runs", str(runs)])

    def until(self, text: bytes, seconds: float = 120.0) -> float:
        """Return the seconds from the start to a text on the screen."""
        while text not in self.terminal.painted:
            if time.perf_counter() - self._began > seconds:
                raise TimeoutError(f"{text!r} was not painted in {seconds:.0f} s")
            self.terminal.read(0.05)
        return time.perf_counter() - self._began

    def memory(self) -> float:
        """Return the process's resident megabytes."""
        return float(psutil.Process(self.terminal.pid).memory_info().rss) / 1e6

    def key_times(self, keys: int) -> list[float]:
        """Return the seconds from each key to the name of a run."""
        times = []
        for _ in range(_BEFORE):
            self.terminal.send(b"\x1b[B")
        self._rest(1.0)
        for _ in range(keys):
            since = len(self.terminal.painted)
            start = time.perf_counter()
            self.terminal.send(b"\x1b[B")
            while b"run-" not in self.terminal.painted[since:]:
                self.terminal.read(0.02)
            times.append(time.perf_counter() - start)
            self._rest(0.05)
        return times

    def flood(self, keys: int, per_second: float, last: bytes) -> float:
        """Hold a key down; return how many seconds after its release `last` is painted, the name
        of the run that it leads to."""
        for _ in range(keys):
            self.terminal.send(b"\x1b[B")
            self._rest(1 / per_second)
        start = time.perf_counter()
        self.until(last, time.perf_counter() - self._began + 10)
        return time.perf_counter() - start

    def _rest(self, seconds: float) -> None:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            self.terminal.read(0.002)


def measure(runs: Path, count: int, keys: int) -> list[Row]:
    """Start the dashboard cold once and warm three times, then scroll."""
    complete = f"Runs · {count:,}".encode()
    cold = Menu(runs)
    cold_s = cold.until(complete)
    cold._rest(3.0)
    cold.terminal.kill()
    frames, tables, menu = [], [], cold
    for _ in range(3):
        menu = Menu(runs)
        frames.append(menu.until(b"Presets"))
        tables.append(menu.until(complete) - frames[-1])
        if len(frames) < 3:
            menu.terminal.kill()
    menu._rest(3.0)
    menu.terminal.send(b"\t")
    menu._rest(2.0)
    times = menu.key_times(keys)
    behind = menu.flood(120, 60.0, f"run-{_BEFORE + keys + 120:05}".encode())
    menu._rest(3.0)
    memory = menu.memory()
    menu.terminal.kill()
    frame, table = float(np.median(frames)), float(np.median(tables))
    p95 = 1000 * float(np.percentile(times, 95))
    return [
        Row("first frame, warm", "≤ 0.7 s", f"{frame:.2f} s", frame <= 0.7, {"seconds": frames}),
        Row(
            f"table of {count:,} runs complete after the first frame, warm",
            "≤ 1 s",
            f"{table:.2f} s (cold start to complete: {cold_s:.1f} s)",
            table <= 1.0,
            {"seconds": tables, "cold_s": cold_s},
        ),
        Row("memory", "≤ 150 MB", f"{memory:.0f} MB", memory <= 150, {"megabytes": memory}),
        Row(
            f"key to repaint while scrolling, p95 of {keys} keys",
            "≤ 17 ms",
            f"{p95:.1f} ms (median {1000 * float(np.median(times)):.1f})",
            p95 <= 17.0,
            {"milliseconds": [round(1000 * seconds, 2) for seconds in times]},
        ),
        Row(
            "lag after 2 s of 60 keys a second",
            "≤ 0.1 s",
            f"{behind:.2f} s",
            behind <= 0.1,
            {"seconds": behind},
        ),
    ]


def main() -> None:
    """Make the runs, measure, record."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many_runs")
    parser.add_argument("--runs", type=int, default=5000)
    parser.add_argument("--keys", type=int, default=100)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        os.environ["TUI_LATENT_CACHE"] = f"{name}/cache"
        os.environ["TUI_LATENT_CONFIG"] = f"{name}/config.toml"
        runs = Path(name) / "runs"
        make_runs(runs, asked.runs)
        rows = measure(runs, asked.runs, asked.keys)
    save("many_runs", "python -m benchmarks.many_runs", rows)


if __name__ == "__main__":
    main()
