"""Batches of single images, views, pairs, triplets or neighbours, as methods require."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from tui_latent.config.settings import AugmentSettings
from tui_latent.datasets.augmentations.features import augmented_features
from tui_latent.datasets.augmentations.pipeline import augment
from tui_latent.datasets.image_set import Dataset, ImageSet, as_pixels, pixels
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


@dataclass(frozen=True, eq=False)
class Drawn:
    """Which images make up a batch; all tensors on one device."""

    rows: Tensor
    """int64 (R,), the rows of each group after each other; once for groups of the same rows"""
    groups: int
    times: int
    """how often `rows` are repeated: 2 for views, else 1"""
    same: Tensor | None = None
    """as in `Batch`"""
    images: Tensor | None = None
    """uint8 or uint16 (R, C, H, W) of the rows, where the split's images are not on the device"""

    def clone(self) -> Drawn:
        """Return a copy of all tensors."""
        return self._with({name: tensor.clone() for name, tensor in self._tensors()})

    def copy_(self, other: Drawn) -> None:
        """Overwrite all tensors with those of another draw of as many rows."""
        for (_, mine), (_, new) in zip(self._tensors(), other._tensors(), strict=True):
            mine.copy_(new)

    def to(self, device: torch.device) -> Drawn:
        """Return the draw on a device; to a GPU through pinned memory, so that nothing waits."""
        if device.type != "cuda":
            return self
        there = {
            name: tensor.pin_memory().to(device, non_blocking=True)
            for name, tensor in self._tensors()
            if tensor.device != device
        }
        return self._with(there)

    def _with(self, tensors: Mapping[str, Tensor]) -> Drawn:
        rows = tensors.get("rows", self.rows)
        same, images = tensors.get("same", self.same), tensors.get("images", self.images)
        return replace(self, rows=rows, same=same, images=images)

    def _tensors(self) -> list[tuple[str, Tensor]]:
        found = ((name, getattr(self, name)) for name in ("rows", "same", "images"))
        return [(name, tensor) for name, tensor in found if tensor is not None]


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

    @property
    def draws(self) -> bool:
        """Whether partners are drawn at random."""
        return self.partners not in (_alone, _views)

    def batch(self, rows: Tensor, generator: torch.Generator) -> Batch:
        """Return the groups for some rows, int64 (B,), with random choices by `generator`."""
        return self.made(self.drawn(rows, generator), generator)

    def drawn(self, rows: Tensor, generator: torch.Generator) -> Drawn:
        """Return the rows of the groups for some rows, int64 (B,), with partners by `generator`."""
        groups, same = self.partners(rows, generator)
        if not self.draws:
            return Drawn(rows, len(groups), len(groups))
        return Drawn(torch.cat(groups), len(groups), 1, same)

    def made(self, drawn: Drawn, generator: torch.Generator) -> Batch:
        """Return the groups of images that were drawn, with augmentations by `generator`."""
        taken = drawn.rows.repeat(drawn.times)
        labels = self.images.targets[taken] if self.labelled else None
        if self.images.features is not None:
            x = augmented_features(self.images.features[taken], self.augment, generator)
            return Batch(x, drawn.groups, x, drawn.same, labels)
        if drawn.images is None:
            seen = pixels(self.images, taken)
        else:
            seen = as_pixels(drawn.images).repeat(drawn.times, 1, 1, 1)
        view = augment(seen, self.augment, generator)
        return Batch(self.dataset.normalise(view), drawn.groups, view, drawn.same, labels)


def make_pairing(
    kind: str,
    images: ImageSet,
    dataset: Dataset,
    augment: AugmentSettings,
    neighbours: Tensor | None = None,
    order: Tensor | None = None,
    draws_on: torch.device | None = None,
) -> Pairing:
    """Return the pairing of a split: `alone`, `views`, `pairs`, `triplets` or `neighbours`.

    `neighbours` is int64 (N, k), the rows of the nearest neighbours of each image. Partners are
    drawn from the images in `order`, int64 (N,), by default that of the split, on the device
    `draws_on`, by default the split's. Augmentation applies to every kind of pairing.
    DataError if the split cannot be paired: a class has one image, there is only one class, or
    the neighbours are those of other images.
    """
    if kind == "alone":
        return Pairing(images, dataset, augment, _alone, order=order)
    if kind == "views":
        return Pairing(images, dataset, augment, _views, order=order)
    if kind == "neighbours":
        partners = _neighbours(images, dataset, neighbours, draws_on or images.device)
        return Pairing(images, dataset, augment, partners)
    if kind not in ("pairs", "triplets"):
        raise DataError(
            f"unknown pairing '{kind}': a method uses alone, views, pairs, triplets or neighbours"
        )
    classes = _Classes(images, dataset, order, draws_on or images.device)
    partners = classes.pairs if kind == "pairs" else classes.triplets
    return Pairing(images, dataset, augment, partners, labelled=True, order=order)


def _alone(rows: Tensor, generator: torch.Generator) -> tuple[list[Tensor], None]:
    return [rows], None


def _views(rows: Tensor, generator: torch.Generator) -> tuple[list[Tensor], None]:
    return [rows, rows], None


def _neighbours(
    images: ImageSet, dataset: Dataset, neighbours: Tensor | None, device: torch.device
) -> Partners:
    """Pair each row with one of its neighbours, all equally likely."""
    if neighbours is None or len(neighbours) != len(images):
        found = 0 if neighbours is None else len(neighbours)
        raise DataError(
            f"{dataset.name}: there are {len(images):,} images, but neighbours of {found:,}: "
            "they must come from a run on the same images"
        )
    table = neighbours.to(device)

    def partners(rows: Tensor, generator: torch.Generator) -> tuple[list[Tensor], None]:
        drawn = torch.randint(table.shape[1], rows.shape, generator=generator, device=rows.device)
        return [rows, table[rows, drawn]], None

    return partners


class _Classes:
    """Draws images of the same or another class (by targets), all of them equally likely.

    Rows are sorted by class, so that a class is one range of them and drawing is arithmetic.
    """

    def __init__(
        self, images: ImageSet, dataset: Dataset, order: Tensor | None, device: torch.device
    ) -> None:
        targets = images.targets.to(device)
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
    have = "has" if missing == 1 else "have"
    helps = "give each image a class, or use a method that needs none, such as contrastive"
    if missing < len(images):
        names = ",".join(images.class_names)
        helps = f"give them one, or leave them out by naming the classes: data.classes={names}"
    elif images is not dataset.train:
        helps = "give them one, or hold out training images instead: data.val_fraction=0.2"
    return DataError(
        f"{dataset.name}: {missing:,} of {len(images):,} {which} images {have} no class, and pairs "
        f"and triplets are drawn by class: {helps}"
    )


def _below(bound: Tensor, generator: torch.Generator) -> Tensor:
    """Draw a uniform integer in 0..bound - 1 for each bound: int64, same shape as `bound`."""
    u = torch.rand(bound.shape, dtype=torch.float64, generator=generator, device=bound.device)
    return (u * bound).long().clamp_max(bound - 1)
