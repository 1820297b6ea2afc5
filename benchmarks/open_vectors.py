"""A million vectors: seconds and memory until the first map, and the neighbours of a point.

python -m benchmarks.open_vectors [--vectors 1000000] [--folder DIR]   minutes, and 8 GB of disk

A file of float32 vectors in fifty clusters, 768 numbers each, is opened by `tui-latent open` in a
process of its own; beside it, `cp` copies the same file, so that a slow disk is seen. Then the
neighbours of points are asked for in a run of vectors of 128 numbers, as the screens ask for them,
in turn with numpy's plain search of the same vectors. Seconds are this machine's, at this load.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.record import Row, save
from tui_latent.analysis import RunData
from tui_latent.runtime.malloc import keep_freed_memory

WIDE, NARROW = 768, 128
QUESTIONS = 100
K = 20
SECONDS, GIGABYTES, MILLISECONDS = 20.0, 1.5, 100.0


def write(path: Path, vectors: int, dimensions: int) -> None:
    """Write float32 vectors around fifty centres."""
    random = np.random.default_rng(0)
    centres = 2 * random.standard_normal((50, dimensions), np.float32)
    header = {"descr": "<f4", "fortran_order": False, "shape": (vectors, dimensions)}
    # Mapped, the file would count as memory of this process, and so of those that it starts.
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, vectors, 10_000):
            count = min(10_000, vectors - start)
            some = random.standard_normal((count, dimensions), np.float32)
            file.write((some + centres[random.integers(50, size=count)]).tobytes())


def opened(path: Path, runs: Path) -> tuple[float, float, float]:
    """Open a file in a process of its own; return its seconds, those of the CPU, and its gigabytes
    at the peak."""
    command = ["open", str(path), "--runs", str(runs), "--name", path.stem, "--json"]
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "tui_latent", *command], stdout=subprocess.DEVNULL
    )
    _, code, used = os.wait4(process.pid, 0)
    if code:
        raise SystemExit(f"{path}: could not be opened")
    seconds = time.perf_counter() - start
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e9


def copied(path: Path) -> float:
    """Return the seconds in which `cp` copies a file."""
    other = path.with_suffix(".copy")
    start = time.perf_counter()
    subprocess.run(["cp", path, other], check=True)
    seconds = time.perf_counter() - start
    other.unlink()
    return seconds


def first_map(folder: Path, vectors: int) -> Row:
    """Measure a file's opening."""
    path = folder / f"wide-{vectors}.npy"
    write(path, vectors, WIDE)
    copying = copied(path)
    seconds, cpu, peak = opened(path, folder / "runs")
    path.unlink()
    return Row(
        f"{vectors:,} x {WIDE} float32 .npy: `open` to the first map (of a sample)",
        f"≤ {SECONDS:.0f} s, ≤ {GIGABYTES} GB",
        f"{seconds:.1f} s ({cpu:.0f} s of CPU), {peak:.2f} GB; `cp` takes {copying:.1f} s",
        seconds <= SECONDS and peak <= GIGABYTES,
        {
            "seconds": seconds,
            "cpu_seconds": cpu,
            "peak_gb": peak,
            "cp_seconds": copying,
            "load_average": os.getloadavg(),
        },
    )


def neighbours(folder: Path, vectors: int) -> Row:
    """Measure questions for the neighbours of a point."""
    path = folder / f"narrow-{vectors}.npy"
    write(path, vectors, NARROW)
    opened(path, folder / "runs")
    path.unlink()
    latents = RunData(folder / "runs" / path.stem).latents()
    start = time.perf_counter()
    search = latents.search
    before = time.perf_counter() - start
    bank, queries = latents.bank.numpy(), latents.queries.numpy()
    ours, plain, equal = [], [], 0
    for row in range(QUESTIONS):
        start = time.perf_counter()
        found = search.nearest(latents.queries[row : row + 1], K)[1][0].numpy()
        ours.append(1000 * (time.perf_counter() - start))
        if row % 10 == 0:
            start = time.perf_counter()
            squares = np.square(bank - queries[row]).sum(axis=1)
            expected = np.argpartition(squares, K)[:K]
            plain.append(1000 * (time.perf_counter() - start))
            equal += set(expected.tolist()) == set(found.tolist())
    p95 = float(np.quantile(ours, 0.95))
    ratio = float(np.median(plain) / np.median(ours))
    return Row(
        f"the {K} nearest of a point among {len(bank):,} x {NARROW}",
        f"≤ {MILLISECONDS:.0f} ms p95",
        f"{np.median(ours):.0f} ms, p95 {p95:.0f} ms; {ratio:.1f} x numpy's rate",
        p95 <= MILLISECONDS,
        {
            "milliseconds": ours,
            "numpy_milliseconds": plain,
            "ratio": ratio,
            "equal_answers": f"{equal} of {len(plain)}",
            "seconds_before_the_first": before,
            "load_average": os.getloadavg(),
        },
    )


def measured(folder: Path, vectors: int) -> Iterator[Row]:
    """Measure one after the other, and leave nothing."""
    for measure in (first_map, neighbours):
        yield measure(folder, vectors)
        shutil.rmtree(folder / "runs")


def main() -> None:
    """Measure both rows of the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.open_vectors")
    parser.add_argument("--vectors", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where the files go (default: a temporary one)")
    asked = parser.parse_args()
    keep_freed_memory()
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        rows = measured(Path(folder), asked.vectors)
        save("open_vectors", "python -m benchmarks.open_vectors", rows)


if __name__ == "__main__":
    main()
