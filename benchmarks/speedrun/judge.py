"""Runs an entry under the clock and judges its latents with scikit-learn."""

from __future__ import annotations

import hashlib
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier

from benchmarks.speedrun.divisions import DIVISIONS, NEIGHBOURS
from benchmarks.speedrun.images import read_labels


class EntryError(Exception):
    """An entry failed, or its latents cannot be judged."""


def run_seed(name: str, entry: Path, seed: int, device: str) -> dict[str, Any]:
    """Train an entry with one seed in a process of its own; return what the proof says of it.

    The clock starts before the process does and stops when it has ended: imports, reading images,
    compilation, training and the latents of both splits are included, the vote is not.
    EntryError says what went wrong.
    """
    with tempfile.TemporaryDirectory() as folder:
        words = (name, str(entry), str(seed), device, folder)
        before = _cpu_seconds()
        start = time.perf_counter()
        done = subprocess.run([sys.executable, "-m", "benchmarks.speedrun.worker", *words])
        seconds = time.perf_counter() - start
        if done.returncode:
            raise EntryError(f"{entry.name} ended with exit code {done.returncode}, seed {seed}")
        cpu = _cpu_seconds() - before
        files = {split: Path(folder) / f"{split}.npy" for split in ("train", "test")}
        if not all(file.exists() for file in files.values()):
            raise EntryError(f"{entry.name} ended before it returned an encoder, seed {seed}")
        latents = {split: np.load(file) for split, file in files.items()}
    return {
        "seed": seed,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu, 2),
        "dimension": int(latents["train"].shape[1]),
        "knn": judged(name, latents),
        "latents_sha256": _digest(latents),
    }


def judged(name: str, latents: dict[str, NDArray[np.float32]]) -> float:
    """Return the share of test images whose class the 20 nearest training images vote for.

    Euclidean distance, one vote each, as `KNeighborsClassifier` counts them. EntryError if the
    latents have another number of rows, too many columns, or values that are not finite.
    """
    division = DIVISIONS[name]
    labels = {split: read_labels(division, split) for split in ("train", "test")}
    for split, found in latents.items():
        wanted = len(labels[split])
        if found.ndim != 2 or len(found) != wanted or found.shape[1] > division.widest:
            raise EntryError(
                f"the {split} latents have the shape {found.shape}: "
                f"{wanted} rows of at most {division.widest} numbers are needed"
            )
        if not np.isfinite(found).all():
            raise EntryError(f"the {split} latents are not all finite")
    model = KNeighborsClassifier(NEIGHBOURS).fit(latents["train"], labels["train"])
    return float((model.predict(latents["test"]) == labels["test"]).mean())


def _digest(latents: dict[str, NDArray[np.float32]]) -> str:
    found = hashlib.sha256()
    for split in ("train", "test"):
        found.update(latents[split].tobytes())
    return found.hexdigest()


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
