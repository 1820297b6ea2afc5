"""Long runs: a million records by one writer, and four readers at the same time."""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np
import psutil

from benchmarks.record import Row
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import LatentMap, RunSnapshot
from tui_latent.runs.writer import RunWriter

_READERS = 4
_POINTS = 500
_FLAT = 1.15
"""growth of memory after the first tenth that counts as none"""


def measure_steps(tries: int) -> Row:
    """Log `tries` steps, as in 24 hours, while a reader follows; watch memory and open files."""
    process = psutil.Process()
    memory: list[int] = []
    files: list[int] = []
    with tempfile.TemporaryDirectory() as folder:
        writer = _new_run(Path(folder))
        reader = RunReader(writer.path)
        for step in range(1, tries + 1):
            values = {"train/loss": 1 / step, "train/info_nce": 1 / step, "train/lr": 1e-3}
            writer.metrics(step, step / 100, step / 10, values)
            writer.status(step=step)
            if step % max(tries // 100, 1) == 0:
                writer.latent_map(_map(step))
                writer.log(f"step {step}")
                reader.refresh()
                memory.append(process.memory_info().rss)
                files.append(process.num_fds())
        snapshot = reader.refresh()
        exact = snapshot.curves["train/loss"].last == 1 / tries
        writer.close()
    tenth = max(len(memory) // 10, 1)
    growth = max(memory[tenth:]) / max(memory[:tenth])
    return Row(
        what=f"{tries:,} logged steps, written and read in one process",
        goal="memory and open files flat after the first tenth",
        measured=f"memory × {growth:.2f}, open files {min(files)} to {max(files)}",
        reached=exact and growth < _FLAT and max(files[tenth:]) <= max(files[:tenth]),
        numbers={"steps": tries, "rss": memory, "open_files": files},
    )


def measure_readers(tries: int) -> Row:
    """Run a writer and four readers for `tries` seconds; check every snapshot."""
    context = multiprocessing.get_context("fork")
    stop = context.Event()
    found = context.Queue()
    with tempfile.TemporaryDirectory() as folder:
        created = _new_run(Path(folder))
        created.close()
        path = created.path
        readers = [context.Process(target=_read, args=(path, stop, found)) for _ in range(_READERS)]
        for reader in readers:
            reader.start()
        steps = _write(path, time.monotonic() + tries)
        stop.set()
        results = [found.get(timeout=60) for _ in readers]
        for reader in readers:
            reader.join()
    snapshots = sum(count for count, _ in results)
    problems = [problem for _, problems in results for problem in problems]
    return Row(
        what=f"{_READERS} readers beside a writer of {steps:,} steps for {tries} s",
        goal="no torn snapshot",
        measured=f"{len(problems)} of {snapshots:,} torn",
        reached=not problems and snapshots > 0,
        numbers={"seconds": tries, "steps": steps, "snapshots": snapshots, "problems": problems},
    )


def _new_run(folder: Path) -> RunWriter:
    writer = RunWriter.create(folder, "digits", {"data": {"source": "digits"}}, {}, "run")
    writer.lock()
    writer.status(state="running", total_steps=10**9)
    return writer


def _map(step: int) -> LatentMap:
    points = np.full((_POINTS, 2), step % 1000, dtype=np.float32)
    rows = np.arange(_POINTS)
    return LatentMap(step, points, rows, rows % 3, ("a", "b", "c"))


def _write(path: Path, until: float) -> int:
    """Write records that can be cross-checked, as fast as possible; return the steps."""
    writer = RunWriter.reopen(path)
    writer.lock()
    writer.status(state="running")
    step = 0
    while time.monotonic() < until:
        step += 1
        writer.metrics(step, float(step), float(step), {"train/loss": step, "train/lr": -step})
        writer.status(state="running", step=step, epoch=float(step), checkpoint_step=step)
        if step % 50 == 0:
            writer.latent_map(_map(step), np.full((3, 3), step))
            writer.log(f"step {step}")
        time.sleep(0.001)
    writer.status(state="stopped")
    writer.close()
    return step


def _read(path: Path, stop: Event, found: multiprocessing.Queue[tuple[int, list[str]]]) -> None:
    reader = RunReader(path)
    count, problems, before = 0, list[str](), reader.refresh()
    while not stop.is_set():
        snapshot = reader.refresh()
        if snapshot is not before:
            count += 1
            problems += _torn(before, snapshot)
            before = snapshot
        time.sleep(0.02)
    found.put((count, problems))


def _torn(before: RunSnapshot, now: RunSnapshot) -> list[str]:
    """Return what is inconsistent in a snapshot, or older than in the one before."""
    problems = list(now.problems)
    status = now.status
    if not status.step == status.epoch == (status.checkpoint_step or 0):
        problems.append(f"a status of two steps: {status}")
    gone_back = status.step < before.status.step
    if gone_back or (before.status.step and status.state not in ("running", "stopped")):
        problems.append(f"a status that goes back: {status}")
    for name, sign in (("train/loss", 1), ("train/lr", -1)):
        curve = now.curves.get(name)
        if curve is not None and not curve.last == sign * curve.steps[-1] == sign * curve.times[-1]:
            problems.append(f"a curve of two records: {name}")
    if now.map is not None and not (now.map.points == now.map.step % 1000).all():
        problems.append(f"a map of two steps: {now.map.step}")
    if now.confusion is not None and now.map is not None and (now.confusion != now.map.step).any():
        problems.append("a confusion matrix of another map")
    return problems
