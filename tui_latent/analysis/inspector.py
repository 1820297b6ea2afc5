"""The images of a run and how they lie in its latent space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tui_latent.analysis.errors import InspectionError
from tui_latent.analysis.images import examples, shown, views_of
from tui_latent.analysis.run_data import RunData


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The training images nearest to a held-out one in the latent space, nearest first."""

    index: int
    """position of the image in the held-out split"""
    indices: NDArray[np.int64]
    """(k,) positions in the training split"""
    distances: NDArray[np.float64]
    """(k,) Euclidean, in the full-width latent space"""
    labels: tuple[str, ...]
    """names of the k neighbours' classes"""
    images: NDArray[np.uint8]
    """(k, H, W, C)"""


class RunInspector:
    """Images of one run and their neighbours; the first call of each kind may take seconds.

    Thread-safe. Every call may raise InspectionError.
    """

    def __init__(self, path: Path, source: RunData | None = None) -> None:
        """Read the preset of the run at `path`, nothing else yet; `source` is used if given."""
        self.source = source or RunData(path)

    def held_out_size(self) -> int:
        """Return how many images are held out."""
        return len(self.source.dataset().val)

    def image(self, index: int) -> NDArray[np.uint8]:
        """Return a held-out image, (H, W, C), C 1 or 3."""
        split = self.source.dataset().val
        self.source.require(index, split)
        return shown(split.images[index])

    def label(self, index: int) -> str:
        """Return the name of a held-out image's class."""
        split = self.source.dataset().val
        self.source.require(index, split)
        return split.class_names[int(split.labels[index])]

    def examples(self, count: int) -> list[int]:
        """Return indices of held-out images, one of each class in turn, in their order."""
        return examples(self.source.dataset().val, count)

    def augmentations(self, indices: Sequence[int], views: int, seed: int) -> NDArray[np.uint8]:
        """Return held-out images and random views of each, as in training.

        (len(indices), 1 + views, H, W, C), the original first; a seed always gives the same views.
        """
        split = self.source.dataset().val
        for index in indices:
            self.source.require(index, split)
        return shown(views_of(split, indices, self.source.preset.augment, views, seed))

    def neighbours(self, index: int, k: int) -> Neighbours:
        """Return the k training images nearest to a held-out one, or all if there are fewer."""
        dataset = self.source.dataset()
        self.source.require(index, dataset.val)
        latents = self.source.matching_latents()
        k = min(k, len(dataset.train))
        try:
            distances, rows = latents.search.nearest(latents.queries[index : index + 1], k)
        except ValueError as error:
            raise InspectionError(f"{latents.path}: {error}") from error
        names = dataset.train.class_names
        return Neighbours(
            index=index,
            indices=rows[0].numpy(),
            distances=distances[0].double().numpy(),
            labels=tuple(names[label] for label in dataset.train.labels[rows[0]].tolist()),
            images=shown(dataset.train.images[rows[0]]),
        )
