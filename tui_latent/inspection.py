"""The images of a run and how they lie in its latent space: without torch until it is asked."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.data.errors import DataError
from tui_latent.preset_files import PresetError
from tui_latent.presets import load_run_preset
from tui_latent.records.files import Signature, signature
from tui_latent.settings import AugmentSettings, DataSettings, Preset

if TYPE_CHECKING:
    from torch import Tensor

    from tui_latent.data.image_set import Dataset, ImageSet
    from tui_latent.evaluation.knn import NeighbourSearch

LATENTS_FILE: Final = "latents/last.safetensors"


class InspectionError(Exception):
    """What was asked for cannot be shown: what is missing, and where it was looked for."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The training images nearest to a held-out one in the latent space, nearest first."""

    index: int
    """position of the image asked about in the held-out split"""
    indices: NDArray[np.int64]
    """(k,) positions in the training split"""
    distances: NDArray[np.float64]
    """(k,) Euclidean, in the full-width latent space"""
    labels: tuple[str, ...]
    """names of the k neighbours' classes"""
    images: NDArray[np.uint8]
    """(k, H, W, C)"""


@dataclass(frozen=True, eq=False)
class _Latents:
    """`last.safetensors`, ready to be searched."""

    signature: Signature
    search: NeighbourSearch
    queries: Tensor


class RunInspector:
    """Answers questions about one run's images; the first of each kind may take seconds.

    Images and latents stay in memory. Latents that a running training has written meanwhile
    are taken up. Safe to ask from several threads. Every call may raise InspectionError.
    """

    def __init__(self, path: Path) -> None:
        """Read the preset of the run at `path`, nothing else yet."""
        try:
            self._preset = load_run_preset(path)
        except PresetError as error:
            raise InspectionError(str(error)) from error
        self.path = path
        self._mutex = threading.Lock()
        self._loaded: Dataset | None = None
        self._latents: _Latents | None = None

    def held_out_size(self) -> int:
        """Return how many images are held out."""
        return len(self._dataset().val)

    def image(self, index: int) -> NDArray[np.uint8]:
        """Return a held-out image, (H, W, C), C 1 or 3."""
        split = self._dataset().val
        self._require(index, split)
        return _shown(split.images[index])

    def label(self, index: int) -> str:
        """Return the name of a held-out image's class."""
        split = self._dataset().val
        self._require(index, split)
        return split.class_names[int(split.labels[index])]

    def examples(self, count: int) -> list[int]:
        """Return held-out images, one of each class in turn, each class's first ones first."""
        return _examples(self._dataset().val, count)

    def augmentations(self, indices: Sequence[int], views: int, seed: int) -> NDArray[np.uint8]:
        """Return held-out images and random views of each as training makes them.

        (len(indices), 1 + views, H, W, C), the original first; the same seed, the same views.
        """
        split = self._dataset().val
        for index in indices:
            self._require(index, split)
        return _views(split, indices, self._preset.augment, views, seed)

    def neighbours(self, index: int, k: int) -> Neighbours:
        """Return the k training images nearest to a held-out one, or all when there are fewer."""
        dataset = self._dataset()
        self._require(index, dataset.val)
        latents = self._newest_latents(dataset)
        k = min(k, len(dataset.train))
        try:
            distances, rows = latents.search.nearest(latents.queries[index : index + 1], k)
        except ValueError as error:
            raise InspectionError(f"{self.path / LATENTS_FILE}: {error}") from error
        names = dataset.train.class_names
        return Neighbours(
            index=index,
            indices=rows[0].numpy(),
            distances=distances[0].double().numpy(),
            labels=tuple(names[label] for label in dataset.train.labels[rows[0]].tolist()),
            images=_shown(dataset.train.images[rows[0]]),
        )

    def _dataset(self) -> Dataset:
        with self._mutex:
            if self._loaded is None:
                self._loaded = _load(self._preset.data, self._preset.train.seed)
            return self._loaded

    def _newest_latents(self, dataset: Dataset) -> _Latents:
        path = self.path / LATENTS_FILE
        with self._mutex:
            now = signature(path)
            if now is None:
                raise InspectionError(
                    f"{self.path.name} has no latents yet: they come with the first evaluation"
                )
            if self._latents is None or self._latents.signature != now:
                self._latents = _read_latents(path, now, dataset)
            return self._latents

    def _require(self, index: int, split: ImageSet) -> None:
        if not 0 <= index < len(split):
            raise InspectionError(
                f"{self.path.name} has no held-out image {index:,}: "
                f"they go from 0 to {len(split) - 1:,}"
            )


def preset_augmentations(preset: Preset, images: int, views: int, seed: int) -> NDArray[np.uint8]:
    """Return held-out images of a preset's data, one of each class in turn, and views of each.

    (images, 1 + views, H, W, C), the original first; fewer images where there are fewer.
    InspectionError when the data cannot be read.
    """
    split = _load(preset.data, preset.train.seed).val
    return _views(split, _examples(split, images), preset.augment, views, seed)


def _load(settings: DataSettings, seed: int) -> Dataset:
    """Load the images alone: features computed from them are no matter of looking."""
    from tui_latent.data.sources import load_dataset

    try:
        return load_dataset(settings.model_copy(update={"inputs": "raw"}), seed)
    except DataError as error:
        raise InspectionError(str(error)) from error


def _read_latents(path: Path, now: Signature, dataset: Dataset) -> _Latents:
    from safetensors import SafetensorError
    from safetensors.torch import load

    from tui_latent.evaluation.knn import NeighbourSearch

    try:
        tensors = load(path.read_bytes())
        bank, queries = tensors["bank_latents"], tensors["query_latents"]
        labels = tensors["bank_labels"], tensors["query_labels"]
    except (OSError, SafetensorError, KeyError) as error:
        raise InspectionError(f"{path}: no latents can be read: {error}") from error
    if not (labels[0].equal(dataset.train.labels) and labels[1].equal(dataset.val.labels)):
        raise InspectionError(
            f"{path}: latents of other images than {dataset.name} has now: "
            "the data has changed since the training"
        )
    try:
        return _Latents(now, NeighbourSearch(bank), queries)
    except ValueError as error:
        raise InspectionError(f"{path}: {error}") from error


def _examples(split: ImageSet, count: int) -> list[int]:
    labels = split.labels.numpy()
    by_class = np.argsort(labels, kind="stable")
    first = np.searchsorted(labels[by_class], labels[by_class])
    turns = np.empty(len(labels), dtype=np.int64)
    turns[by_class] = np.arange(len(labels)) - first
    return [int(index) for index in np.lexsort((labels, turns))[:count]]


def _views(
    split: ImageSet, indices: Sequence[int], settings: AugmentSettings, views: int, seed: int
) -> NDArray[np.uint8]:
    import torch

    from tui_latent.data.augment import augment
    from tui_latent.data.image_set import pixels

    originals = pixels(split, torch.tensor(indices, dtype=torch.int64))
    generator = torch.Generator().manual_seed(seed)
    drawn = augment(originals.repeat_interleave(views, dim=0), settings, generator)
    drawn = drawn.reshape(len(indices), views, *originals.shape[1:])
    sheet = torch.cat([originals[:, None], drawn], dim=1).mul(255).round().clamp(0, 255)
    return _shown(sheet.to(torch.uint8))


def _shown(images: Tensor) -> NDArray[np.uint8]:
    """Return uint8 (…, C, H, W) as screens and papers take it, (…, H, W, C)."""
    shown: NDArray[np.uint8] = images.movedim(-3, -1).contiguous().numpy()
    return shown
