"""The images of a run and how they lie in its latent space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tui_latent.analysis.abilities import can_decode
from tui_latent.analysis.images import in_turn, shown, views_of
from tui_latent.analysis.near_latents import nearest_latents
from tui_latent.analysis.run_data import RunData


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The training images nearest to a held-out one in the latent space, nearest first.

    In a run without training latents, they are the nearest other held-out images.
    """

    index: int
    """position of the image in the held-out split"""
    indices: NDArray[np.int64]
    """(k,) positions in the training split"""
    distances: NDArray[np.float64]
    """(k,) Euclidean, in the full-width latent space"""
    labels: tuple[str, ...]
    """names of the k neighbours' classes; empty for one without a label"""
    images: NDArray[np.uint8]
    """(k, H, W, C)"""
    among: str = "training images"
    """what they were chosen from, in words"""


class RunInspector:
    """Images of one run and their neighbours; the first call of each kind may take seconds.

    Thread-safe. Every call may raise InspectionError, which says what is missing.
    """

    def __init__(self, path: Path, source: RunData | None = None) -> None:
        """Read the preset of the run at `path`, nothing else yet; `source` is used if given."""
        self.source = source or RunData(path)

    @property
    def can_decode(self) -> bool:
        """Whether latents can be decoded to images."""
        return can_decode(self.source)

    def has_labels(self) -> bool:
        """Return whether any image has a label."""
        return self.source.has_labels()

    def held_out_size(self) -> int:
        """Return how many images are held out; a run from elsewhere needs no images for it."""
        if self.source.preset is None:
            return len(self.source.latents().queries)
        return len(self.source.dataset().val)

    def image(self, index: int) -> NDArray[np.uint8]:
        """Return a held-out image, (H, W, C), C 1 or 3."""
        split = self.source.pictures("val")
        self.source.require(index, split)
        image: NDArray[np.uint8] = split.images(np.array([index]))[0]
        return image

    def label(self, index: int) -> str:
        """Return the name of a held-out image's class; empty if it has no label."""
        split = self.source.pictures("val")
        self.source.require(index, split)
        return split.label(index)

    def examples(self, count: int) -> list[int]:
        """Return indices of held-out images, one of each class in turn, in their order."""
        split = self.source.pictures("val")
        return in_turn(split.labels[: split.kept].numpy(), count)

    def augmentations(self, indices: Sequence[int], views: int, seed: int) -> NDArray[np.uint8]:
        """Return held-out images and random views of each, as in training.

        (len(indices), 1 + views, H, W, C), the original first; a seed always gives the same views.
        """
        preset = self.source.own_preset()
        split = self.source.dataset().val
        for index in indices:
            self.source.require(index, split)
        drawn = views_of(split, indices, preset.augment, views, seed)
        return shown(drawn, self.source.shown_channels())

    def neighbours(self, index: int, k: int) -> Neighbours:
        """Return the k training images nearest to a held-out one, or all if there are fewer."""
        bank = self.source.pictures("train")
        self.source.require(index, self.source.pictures("val"))
        latents = self.source.matching_latents()
        distances, rows = nearest_latents(latents, np.array([index]), k)
        indices = rows[0].numpy()
        return Neighbours(
            index=index,
            indices=indices,
            distances=distances[0].double().numpy(),
            labels=bank.names(indices),
            images=bank.images(indices),
            among=self.source.nouns.voters(latents.bank_is_queries),
        )
