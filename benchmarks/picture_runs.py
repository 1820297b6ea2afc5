"""Runs of every kind and state that a screen can show, made once, for `benchmarks.pictures`."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from benchmarks.screenshot import trained_pair
from tui_latent.runs.status import readable_status

PAIR: Final = ("as-in-the-preset", "faster")
_PROGRAM: Final = (sys.executable, "-m", "tui_latent")
WATCHED: Final = "digits-torch"
_LOOP: Final = Path(__file__).absolute().parents[1] / "examples" / "watch_torch.py"
_FILES: Final = "files"
"""folder beside the runs: images, a table of them, and vectors"""
_PAUSED_BY: Final = 120.0
"""seconds within which a run must have paused"""


def made(runs: Path) -> Path:
    """Make the runs that are not in the folder yet (three minutes on two idle cores); return it."""
    if not all((runs / name).exists() for name in PAIR):
        trained_pair(runs)
    files = _files(runs.parent / _FILES)
    for name, arguments in _commands(files).items():
        if not (runs / name).exists():
            _run(runs, *arguments, "--name", name)
    if not (runs / WATCHED).exists():
        surroundings = os.environ | {"TUI_LATENT_RUNS": str(runs)}
        subprocess.run([sys.executable, str(_LOOP)], check=True, env=surroundings)
    return runs


def paused(runs: Path) -> Callable[[], None]:
    """Train a run until it has paused; return what ends it."""
    path = runs / "paused"
    if not path.exists():
        _run(runs, "train", "digits-vicreg", "--background", "--name", path.name)
    elif readable_status(path).state != "paused":
        _run(runs, "resume", path.name, "--background", "--epochs", "100000")
    _run(runs, "control", path.name, "pause")
    until = time.monotonic() + _PAUSED_BY
    while readable_status(path).state != "paused" and time.monotonic() < until:
        time.sleep(0.2)
    return lambda: _run(runs, "control", path.name, "stop")


def _commands(files: Path) -> Mapping[str, tuple[str, ...]]:
    short, stages = ("--set", "train.epochs=40"), ("--set", "stages.*.epochs=8")
    return {
        "failed": ("train", "digits-contrastive-2d", "--set", "stages.*.lr=1e6"),
        "collapsed": ("train", "digits-vicreg", *short, "--set", "method.variance_weight=0"),
        "gaussian": ("train", "digits-siamese-vae-2d", *short),
        "three": ("train", "digits-triplet-2d", *short, "--set", "method.latent_dim=3"),
        "photos": ("train", "folder-contrastive-2d", *stages, *_path(files / "photos")),
        "table": ("train", "manifest-contrastive-2d", *stages, *_path(files / "table.csv")),
        "vectors": ("open", f"{files}/vectors.npy", "--labels", f"{files}/labels.npy", "--json"),
        "a-sweep": (
            *("sweep", "digits-vicreg", "--set", "train.epochs=6", "--seeds", "2"),
            *("--grid", "train.lr=1e-3,3e-3,1e-2", "--grid", "method.latent_dim=8,32"),
        ),
    }


def _path(path: Path) -> tuple[str, str]:
    return "--set", f"data.path={path}"


def _run(runs: Path, *arguments: str) -> None:
    """Call the command line; a run that fails is one of those to be shown."""
    words = [*_PROGRAM, "--runs", str(runs), *arguments]
    subprocess.run(words, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _files(folder: Path) -> Path:
    """Return the folder of photos without classes, a table of them, and vectors with classes."""
    if folder.exists():
        return folder
    digits, rows = load_digits(), ["path,label,writer,slant"]
    slants = np.random.default_rng(0).normal(size=600)
    (folder / "photos").mkdir(parents=True)
    for at, slant in enumerate(slants):
        name, pixels = f"photos/{at:04}.png", (digits.images[at] * 255 / 16).astype(np.uint8)
        Image.fromarray(pixels).resize((16, 16)).save(folder / name)
        rows.append(f"{name},{digits.target[at]},{('Anna', 'Ben', 'Carla')[at % 3]},{slant:.2f}")
    (folder / "table.csv").write_text("\n".join(rows) + "\n")
    np.save(folder / "vectors.npy", digits.data[:800].astype(np.float32))
    np.save(folder / "labels.npy", digits.target[:800])
    return folder
