"""Snapshots of runs with known faults, made without a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui_latent.runs.curves import CurveBins
from tui_latent.runs.schema import Curve, LatentMap, RunSnapshot, Status
from tui_latent.verdict.finding import Finding, Verdict

NAMES = tuple(str(digit) for digit in range(10))
FINISHED = Status(state="finished", step=1000, total_steps=1000, total_epochs=10)


def curve(values: Any, every: int = 10, higher: bool = False) -> Curve:
    """Return a curve of one value each `every` steps, reduced as the reader reduces it."""
    bins = CurveBins(higher)
    steps = every * np.arange(1, len(values) + 1)
    bins.extend([(int(s), s / 10, float(v)) for s, v in zip(steps, values, strict=True)])
    return bins.curve()


def matrix(each: int = 200, **wrong: int) -> NDArray[np.int64]:
    """Return a confusion matrix of ten classes; `_8_1=22` takes 22 eights for ones."""
    found = np.diag(np.full(10, each)).astype(np.int64)
    for name, count in wrong.items():
        truth, called = (int(part) for part in name.strip("_").split("_"))
        found[truth, truth] -= count
        found[truth, called] += count
    return found


def a_map(images: int = 2000, projection: str = "native", step: int = 1000) -> LatentMap:
    """Return a map of ten round clusters on a circle."""
    random = np.random.default_rng(0)
    labels = np.arange(images) % 10
    angle = 2 * np.pi * labels / 10
    centres = 10 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    points = (centres + 0.5 * random.normal(size=(images, 2))).astype(np.float32)
    return LatentMap(step, points, np.arange(images), labels, NAMES, projection)


def run(
    accuracy: float | None = 0.97,
    promised: float | None = 0.967,
    images: int = 2000,
    curves: dict[str, Curve] | None = None,
    **changes: Any,
) -> RunSnapshot:
    """Return a finished run whose newest kNN@20 is `accuracy`."""
    expect = {} if promised is None else {"expect": {"val/knn_20": promised}}
    found = dict(curves or {})
    if accuracy is not None:
        found["val/knn_20"] = curve([accuracy / 2, accuracy], 500, higher=True)
    preset = {"method": {"name": "contrastive", "latent_dim": 2}} | expect
    parts: dict[str, Any] = {
        "path": Path("runs/made"),
        "preset": preset,
        "status": FINISHED,
        "curves": found,
        "map": a_map(images),
        "confusion": matrix(images // 10),
        "class_names": NAMES,
    }
    return RunSnapshot(**(parts | changes))


def only(verdict: Verdict, kind: str) -> Finding:
    """Return the one finding of a kind."""
    (found,) = [finding for finding in verdict.findings if finding.kind == kind]
    return found


def kinds(verdict: Verdict) -> set[str]:
    """Return the kinds of all findings."""
    return {finding.kind for finding in verdict.findings}
