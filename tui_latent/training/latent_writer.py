"""The latents of an evaluation, on disk: a map for the screens, and all their numbers."""

from __future__ import annotations

import numpy as np

from tui_latent.datasets.image_set import Dataset
from tui_latent.metrics.projection import to_plane
from tui_latent.procrustes import align
from tui_latent.runs.latents_file import LATENTS_FILE, write_latents
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import LatentMap
from tui_latent.runs.writer import RunWriter
from tui_latent.training.evaluator import Evaluation


class LatentWriter:
    """Writes `latents/`; each map is aligned to the one before it, even across a restart."""

    def __init__(self, writer: RunWriter, dataset: Dataset) -> None:
        self._writer = writer
        self._dataset = dataset
        self._previous = RunReader(writer.path).refresh().map

    def write(self, step: int, evaluation: Evaluation) -> None:
        """Write the held-out images' map of `step` and the newest full-width latents."""
        latents = evaluation.queries.cpu().numpy()
        points = to_plane(latents)
        if self._previous is not None and len(self._previous.points) == len(points):
            points = align(points, self._previous.points)
        split = self._dataset.val
        latent_map = LatentMap(
            step=step,
            points=points.astype(np.float32),
            indices=np.arange(len(points)),
            labels=split.labels.cpu().numpy(),
            class_names=split.class_names,
            projection="native" if latents.shape[1] <= 2 else "pca",
        )
        confusion = evaluation.confusion
        counts = None if confusion is None else confusion.cpu().numpy()
        self._writer.latent_map(latent_map, counts, evaluation.missing)
        self._write_all(step, evaluation)
        self._previous = latent_map  # not before: a write that failed is repeated

    def _write_all(self, step: int, evaluation: Evaluation) -> None:
        train, val = self._dataset.train, self._dataset.val
        write_latents(
            self._writer.path / LATENTS_FILE,
            step,
            evaluation.queries.cpu().numpy(),
            val.labels.cpu().numpy(),
            evaluation.bank.cpu().numpy(),
            train.labels.cpu().numpy(),
        )
