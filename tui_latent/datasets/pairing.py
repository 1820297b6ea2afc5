"""Batches of single images, views, pairs, triplets or neighbours, as methods require."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from tui_latent.config.settings import AugmentSettings
from tui_latent.datasets.augmentations.features import augmented_features
from tui_latent.datasets.augmentations.pipeline import augment
from tui_latent.datasets.image_set import Dataset, ImageSet, pixels
from tui_latent.sources.errors import DataError


@dataclass(frozen=True, eq=False)
class Batch:
    """Groups of images; row i of every group belongs together."""

    x: Tensor
    """(G*B, C, H, W) normalised float32, or (G*B, D) features; group g is rows g*B..(g+1)*B"""
    groups: int
    """1 alone, 2 views, pairs or neighbours, 3 triplets (anchor, positive, negative)"""
    target: Tensor
    """target of a decoder: the augmented images in 0..1, or the augmented features"""
    same: Tensor | None
    """bool (B,) for pairs: whether both images have the same class"""
    labels: Tensor | None = None
    """int64 (G*B,), training labels, for pairs and triplets only"""


Partners = Callable[[Tensor, torch.Generator], tuple[list[Tensor], Tensor | None]]
"""from rows to the rows of each group, the first being the rows themselves, and `Batch.same`"""


@dataclass(frozen=True, eq=False)
class Pairing:
    """Creates the batches of one split; see `make_pairing`."""

    images: ImageSet
    dataset: Dataset
    augment: AugmentSettings
    partners: Partners
    labelled: bool = False
    """whether batches contain labels, which only pairs and triplets may see"""
    order: Tensor | None = None
    """int64 (N,), order in which to take the images if all are used; None if there is none"""

    def batch(self, rows: Tensor, generator: torch.Generator) -> Batch:
        """Return the groups for some rows, int64 (B,), with random choices by `generator`."""
        groups, same = self.partners(rows, generator)
        taken = torch.cat(groups)
        labels = self.images.targets[taken] if self.labelled else None
        if self.images.features is not None:
            x = augmented_features(self.images.features[taken], self.augment, generator)
            return Batch(x, len(groups), x, same, labels)
        view = augment(pixels(self.images, taken), self.augment, generator)
        return Batch(self.dataset.normalise(view), len(groups), view, same, labels)


def make_pairing(
    kind: str,
    images: ImageSet,
    dataset: Dataset,
    augment: AugmentSettings,
    neighbours: Tensor | None = None,
    order: Tensor | None = None,
) -> Pairing:
    """Return the pairing of a split: `alone`, `views`, `pairs`, `triplets` or `neighbours`.

    `neighbours` is int64 (N, k), the rows of the nearest neighbours of each image, on the device
    of the split. Partners are drawn from the images in `order`, int64 (N,), by default that of
    the split. Augmentation applies to every kind of pairing.
    DataError if the split cannot be paired: a class has one image, there is only one class, or
    the neighbours are those of other images.
    """
    if kind == "alone":
        return Pairing(images, dataset, augment, _alone, order=order)
    if kind == "views":
        return Pairing(images, dataset, augment, _views, order=order)
    if kind == "neighbours":
        return Pairing(images, dataset, augment, _neighbours(images, dataset, neighbours))
    if kind not in ("pairs", "triplets"):
        raise DataError(
            f"there is no pairing '{kind}': a method's is alone, views, pairs, triplets or "
            "neighbours"
        )
    classes = _Classes(images, dataset, order)
    partners = {"pairs": classes.pairs, "triplets": classes.triplets}
    return Pairing(images, dataset, augment, partners[kind], labelled=True, order=order)


def _alone(rows: Tensor, generator: torch.Generator) -> tuple[list[Tensor], None]:
    return [rows], None


def _views(rows: Tensor, generator: torch.Generator) -> tuple[list[Tensor], None]:
    return [rows, rows], None


def _neighbours(images: ImageSet, dataset: Dataset, neighbours: Tensor | None) -> Partners:
    """Pair each row with one of its neighbours, all equally likely."""
    if neighbours is None or len(neighbours) != len(images):
        found = 0 if neighbours is None else len(neighbours)
        raise DataError(
            f"{dataset.name}: there are {len(images):,} images, but neighbours of {found:,}: "
            "they must come from a run on the same images"
        )
    table = neighbours

    def partners(rows: Tensor, generator: torch.Generator) -> tuple[list[Tensor], None]:
        drawn = torch.randint(table.shape[1], rows.shape, generator=generator, device=rows.device)
        return [rows, table[rows, drawn]], None

    return partners


class _Classes:
    """Draws images of the same or another class (by targets), all of them equally likely.

    Rows are sorted by class, so that a class is one range of them and drawing is arithmetic.
    """

    def __init__(self, images: ImageSet, dataset: Dataset, order: Tensor | None) -> None:
        targets = images.targets
        if missing := int((targets < 0).sum()):
            raise _without_classes(dataset, images, missing)
        if order is None:
            order = torch.arange(len(targets), device=targets.device)
        counts = torch.bincount(targets)
        for target, count in enumerate(counts.tolist()):
            if count == 1:
                raise _one_image(dataset, images, target)
        if int((counts > 0).sum()) < 2:
            raise DataError(f"{dataset.name}: pairs need two classes, but there is only one")
        self._order = order[targets[order].argsort(stable=True)]
        """rows sorted by class"""
        starts = counts.cumsum(0) - counts
        self._start, self._count = starts[targets], counts[targets]
        """range of the class of each row in `_order`"""
        self._place = torch.empty_like(self._order)
        """index of each row in `_order`"""
        self._place[self._order] = torch.arange(len(targets), device=targets.device)

    def pairs(self, rows: Tensor, generator: torch.Generator) -> tuple[list[Tensor], Tensor]:
        """Pair each row, with equal probability, with one of its class or of another class."""
        coin = torch.rand(len(rows), generator=generator, device=rows.device)
        same = coin < 0.5
        alike, unlike = self._alike(rows, generator), self._unlike(rows, generator)
        return [rows, torch.where(same, alike, unlike)], same

    def triplets(self, rows: Tensor, generator: torch.Generator) -> tuple[list[Tensor], None]:
        """Return anchors, another image of the same class, and an image of another class."""
        return [rows, self._alike(rows, generator), self._unlike(rows, generator)], None

    def _alike(self, rows: Tensor, generator: torch.Generator) -> Tensor:
        start, count = self._start[rows], self._count[rows]
        step = 1 + _below(count - 1, generator)
        return self._order[start + (self._place[rows] - start + step) % count]

    def _unlike(self, rows: Tensor, generator: torch.Generator) -> Tensor:
        start, count = self._start[rows], self._count[rows]
        drawn = _below(len(self._order) - count, generator)
        return self._order[drawn + (drawn >= start) * count]


def _one_image(dataset: Dataset, images: ImageSet, target: int) -> DataError:
    """Return the error for a class of one image; two of four training images can be held out."""
    held_out = images is not dataset.train
    helps = "add some, or leave the class out with data.classes"
    if held_out and int((dataset.train.targets == target).sum()) >= 4:
        helps = "add some, or hold out training images instead: data.val_fraction=0.2"
    return DataError(
        f"{dataset.name}: class '{images.target_name(target)}' has one "
        f"{'held-out' if held_out else 'training'} image, but pairs need two: {helps}"
    )


def _without_classes(dataset: Dataset, images: ImageSet, missing: int) -> DataError:
    which = "training" if images is dataset.train else "held-out"
    helps = "give each image a class, or use a method that needs none, such as contrastive"
    if missing < len(images):
        names = ",".join(images.class_names)
        helps = f"give them one, or leave them out by naming the classes: data.classes={names}"
    elif images is not dataset.train:
        helps = "give them one, or hold out training images instead: data.val_fraction=0.2"
    return DataError(
        f"{dataset.name}: {missing:,} of {len(images):,} {which} images have no class, and pairs "
        f"and triplets are drawn by class: {helps}"
    )


def _below(bound: Tensor, generator: torch.Generator) -> Tensor:
    """Draw a uniform integer in 0..bound - 1 for each bound: int64, same shape as `bound`."""
    u = torch.rand(bound.shape, dtype=torch.float64, generator=generator, device=bound.device)
    return (u * bound).long().clamp_max(bound - 1)
