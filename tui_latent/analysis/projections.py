"""Projections of wider latents to two or three dimensions, with their trustworthiness."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from numpy.typing import NDArray

from tui_latent.analysis.errors import InspectionError
from tui_latent.runs.latents_file import UNLABELLED

if TYPE_CHECKING:
    from tui_latent.analysis.neighbourhoods import Space

ProjectionName = Literal["map", "PCA", "LDA", "t-SNE", "cloud", "PCA 3-D", "LDA 3-D"]
Tell = Callable[[str], None]

_ITERATION: Final = re.compile(r"Iteration (\d+)")
_ITERATIONS: Final = 1000
_PLANE: Final = 2


class CancelledError(Exception):
    """The user cancelled the projection."""


@dataclass(frozen=True, eq=False)
class Projection:
    """The held-out images in fewer dimensions."""

    name: ProjectionName
    points: NDArray[np.float32]
    """(N, 2) or (N, 3); rows whose latent is not finite are NaN"""
    faithful: str
    """in words, how faithful it is"""


def projection_names(dimensions: int, classes: int) -> tuple[ProjectionName, ...]:
    """Return the projections for latents of this width with this many classes."""
    if dimensions <= _PLANE:
        return ("map",)
    names: list[ProjectionName] = ["map", "PCA"]
    names += ["LDA"] if classes > 2 else []
    names += ["t-SNE"]
    names += ["cloud"] if dimensions == 3 else ["PCA 3-D"]
    names += ["LDA 3-D"] if classes > 3 else []
    return tuple(names)


def project(
    space: Space, name: ProjectionName, on_progress: Tell, cancelled: threading.Event
) -> Projection:
    """Return a projection of a space's points; t-SNE of 10,000 takes about a minute.

    PCA and t-SNE are fitted to the held-out latents themselves, LDA to the bank and its labels.
    CancelledError if `cancelled` is set meanwhile, InspectionError if it cannot be computed.
    """
    latents = space.points.double().numpy()
    finite = np.isfinite(latents).all(axis=1)
    shown = latents[finite]
    if len(shown) < 3 or not np.ptp(shown, axis=0).any():
        raise InspectionError(f"{name} needs at least three different latents")
    on_progress(f"{name} of {len(shown):,} latents")
    words = ""
    if name == "t-SNE":
        points = _tsne(shown, on_progress, cancelled)
    elif name.startswith("LDA"):
        points, words = _lda(space, shown, 3 if name.endswith("3-D") else 2)
    elif name == "cloud":
        points, words = shown - shown.mean(axis=0), "the latents themselves"
    else:
        points, words = _pca(shown, 3 if name.endswith("3-D") else 2)
    if cancelled.is_set():
        raise CancelledError
    on_progress(f"{name}: measuring trustworthiness")
    parts = [part for part in (words, _trust(shown, points)) if part]
    placed = np.full((len(latents), points.shape[1]), np.nan, np.float32)
    placed[finite] = points
    return Projection(name, placed, " · ".join(parts))


def turned(points: NDArray[np.float32], yaw: float, pitch: float) -> NDArray[np.float32]:
    """Return a cloud (N, 3) seen from a direction: (N, 2), rotated about the vertical axis first.

    `yaw` and `pitch` are radians; at 0, 0 the first two coordinates are seen.
    """
    x, y, z = points.T
    across = x * np.cos(yaw) + z * np.sin(yaw)
    return np.stack([across, y * np.cos(pitch) - _depth(points, yaw) * np.sin(pitch)], axis=1)


def nearness(points: NDArray[np.float32], yaw: float, pitch: float) -> NDArray[np.float32]:
    """Return how near the eye (N, 3) points are, (N,), seen as `turned` turns them."""
    return np.asarray(points[:, 1] * np.sin(pitch) + _depth(points, yaw) * np.cos(pitch))


def _depth(points: NDArray[np.float32], yaw: float) -> NDArray[np.float32]:
    """Return the third coordinate of (N, 3) points rotated about the vertical axis."""
    return np.asarray(points[:, 2] * np.cos(yaw) - points[:, 0] * np.sin(yaw))


def _pca(latents: NDArray[np.float64], dimensions: int) -> tuple[NDArray[np.float64], str]:
    from sklearn.decomposition import PCA

    pca = PCA(min(dimensions, *latents.shape), random_state=0)
    points = pca.fit_transform(latents)
    share = float(pca.explained_variance_ratio_.sum())
    return _widened(points, dimensions), f"{100 * share:.0f} % of the variance"


def _lda(
    space: Space, latents: NDArray[np.float64], dimensions: int
) -> tuple[NDArray[np.float64], str]:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    bank, labels = space.bank.double().numpy(), space.bank_labels.numpy()
    finite = np.isfinite(bank).all(axis=1) & (labels != UNLABELLED)
    classes = len(np.unique(labels[finite]))
    if classes < 2:
        raise InspectionError("LDA needs at least two classes")
    lda = LinearDiscriminantAnalysis(n_components=min(dimensions, classes - 1, bank.shape[1]))
    lda.fit(bank[finite], labels[finite])
    share = float(lda.explained_variance_ratio_[:dimensions].sum())
    words = f"{100 * share:.0f} % of the variance between classes"
    return _widened(lda.transform(latents), dimensions), words


def _widened(points: NDArray[np.float64], dimensions: int) -> NDArray[np.float64]:
    """Pad with zero dimensions up to `dimensions`."""
    return np.pad(points, ((0, 0), (0, dimensions - points.shape[1])))


def _trust(latents: NDArray[np.float64], points: NDArray[np.float64]) -> str:
    from tui_latent.metrics.trustworthiness import faithfulness

    try:
        found = faithfulness(latents, points)
    except ValueError:  # too few points for neighbourhoods
        return ""
    return f"trustworthiness {found.trustworthiness:.3f}"


def _tsne(
    latents: NDArray[np.float64], on_progress: Tell, cancelled: threading.Event
) -> NDArray[np.float64]:
    """Run scikit-learn's t-SNE in its own process, which can be killed and reports its progress."""
    with tempfile.TemporaryDirectory() as folder:
        latents_file, points_file = Path(folder, "latents.npy"), Path(folder, "points.npy")
        np.save(latents_file, latents.astype(np.float32))
        command = [sys.executable, "-m", "tui_latent.analysis.tsne_process"]
        process = subprocess.Popen(
            [*command, str(latents_file), str(points_file)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        said = _follow(process, on_progress, cancelled)
        if cancelled.is_set():
            raise CancelledError
        if process.returncode or not points_file.exists():
            raise InspectionError(f"t-SNE failed: {said or 'no error message'}")
        return np.asarray(np.load(points_file), np.float64)


def _follow(process: subprocess.Popen[str], on_progress: Tell, cancelled: threading.Event) -> str:
    """Report progress until the process ends or is cancelled; return its last line."""

    def end() -> None:
        while process.poll() is None:
            if cancelled.wait(0.1):
                process.kill()

    watching = threading.Thread(target=end, name="t-sne", daemon=True)
    watching.start()
    said = ""
    assert process.stdout is not None
    for line in process.stdout:
        said = line.strip() or said
        if match := _ITERATION.search(line):
            on_progress(f"t-SNE, iteration {int(match[1]):,} of {_ITERATIONS:,}")
    process.wait()
    return said
