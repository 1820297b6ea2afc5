"""Load a dataset into memory as the settings in `[data]` describe it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from tui_latent.config.feature_models import published_model
from tui_latent.config.settings import DEFAULT_VAL_FRACTION, DataSettings
from tui_latent.datasets.array_keeping import keep_large
from tui_latent.datasets.array_store import stored_array, stored_images
from tui_latent.datasets.features import with_features
from tui_latent.datasets.fitting import Fit, place
from tui_latent.datasets.folder import load_folder
from tui_latent.datasets.identity import DataIdentity, identity_of
from tui_latent.datasets.image_set import Dataset, ImageSet, in_chunks, white
from tui_latent.datasets.manifest.load import load_manifest
from tui_latent.datasets.own import load_own
from tui_latent.datasets.paths import data_folder
from tui_latent.datasets.pretrained_weights import fetched_weights
from tui_latent.datasets.public import load_public
from tui_latent.datasets.row_file import row_file
from tui_latent.datasets.selection import (
    capped,
    chosen_classes,
    keep_classes,
    merged_classes,
    stratified_split,
)
from tui_latent.nouns import counted
from tui_latent.runtime.array_files import MAPPED_FROM
from tui_latent.sources import SOURCES, OwnSource, PublicDataset
from tui_latent.sources.errors import DataError
from tui_latent.sources.files.array_file import load_arrays
from tui_latent.sources.files.raw import UNLABELLED, RawImages, RawSplit, in_file

__all__ = ["DataError", "load_dataset"]

_CHUNK = 256
"""images converted to float at a time, few enough for the cache of a processor"""


def load_dataset(
    settings: DataSettings,
    seed: int,
    log: Callable[[str], None] = lambda _: None,
    device: torch.device | str = "cpu",
    found: Callable[[DataIdentity], None] = lambda _: None,
    poll: Callable[[], None] = lambda: None,
) -> Dataset:
    """Read the images that `settings` describe into memory, on the CPU.

    `seed` selects the images that `per_class` keeps; the held-out images never depend on it.
    `log` receives the progress of long work, and one line on what is used and what is not.
    `found` is called with the identity of the images before they are decoded and before features
    are computed; `poll` is called while files are listed, read and decoded. An exception from
    either ends the loading. `device` computes features, if these are the inputs. DataError says
    where the problem is, what it is and what to do.
    """
    weights = None
    if published_model(settings.inputs) is not None:
        weights = fetched_weights(settings, log)  # fails before minutes of decoding
    raw = _read(settings, log, found, poll)
    train, val, held_out = _splits(raw, settings)
    names, pool = raw.class_names, raw.train
    if settings.classes:
        kept = chosen_classes(names, settings.classes)
        names = tuple(names[i] for i in kept)
        train, val, pool = (_of_classes(split, kept) for split in (train, val, pool))
    target_of, target_names = merged_classes(names, settings.merge)
    if settings.per_class:
        alike, groups = _drawn_by(train.labels, settings), 1
        if settings.draw == "random":
            groups = max(len(names), 1)
        train = train.take(capped(alike, settings.per_class * groups, seed))
    _refuse_empty(pool, val, names, raw)
    _refuse_channels(settings, raw.train.images.shape[1])

    def image_set(split: RawSplit) -> ImageSet:
        split = _sized(split, settings, log, poll)
        images = torch.from_numpy(split.images)
        # One more at the end: UNLABELLED is -1.
        targets = np.append(target_of, UNLABELLED)[split.labels]
        return ImageSet(
            images,
            torch.from_numpy(split.labels),
            names,
            None,
            torch.from_numpy(targets),
            target_names,
            split.in_order(),
            None if split.rows is None else torch.from_numpy(split.rows),
            row_file(split.images),
            split.columns,
        )

    train_set = image_set(train)
    mean, std = channel_statistics(in_chunks(train_set, _CHUNK))
    own_test = raw.test is not None and not settings.val_fraction
    dataset = Dataset(
        raw.name, train_set, image_set(val), mean, std, held_out, own_test, raw.value_range
    )
    log(_summary(dataset, settings, raw.notes))
    if settings.inputs == "raw":
        return dataset
    return with_features(dataset, settings, weights, log, torch.device(device), poll)


def _summary(dataset: Dataset, settings: DataSettings, notes: Sequence[str]) -> str:
    """Describe the images used, the source of the held-out images, and what was done to them."""
    train, val = dataset.train, dataset.val
    channels, height, width = train.shape
    kind = {1: "grey", 3: "colour"}.get(channels, f"with {channels} channels")
    if train.images.dtype != torch.uint8:
        kind += " of 16 bits"
    cap = f" (at most {settings.per_class:,} per class)" if settings.per_class else ""
    classes = len(train.class_names)
    of_classes = f"of {counted(classes, 'class')}"
    missing = sum(int((split.labels == UNLABELLED).sum()) for split in (train, val))
    if missing:
        have = "has" if missing == 1 else "have"
        notes = (f"{missing:,} of {len(train) + len(val):,} images {have} no class", *notes)
    if not classes:
        of_classes = "without classes"
        notes = ("kNN is not measured, because no image has a class", *notes[1:])
    return "; ".join(
        (
            f"{dataset.name}: {counted(len(train), 'training image')}{cap} {of_classes}, "
            f"{height}x{width} {kind}",
            f"held out: {counted(len(val), 'image')}, {dataset.held_out}",
            *notes,
        )
    )


def _read(
    settings: DataSettings,
    log: Callable[[str], None],
    found: Callable[[DataIdentity], None],
    poll: Callable[[], None],
) -> RawImages:
    if settings.source == "folder":
        return load_folder(settings, log, found, poll)
    if settings.source == "manifest":
        return load_manifest(settings, log, found, poll)
    source = SOURCES[settings.source]
    labelled = settings.labels != "none"
    if isinstance(source, PublicDataset):
        raw = load_public(source, log)
        raw = raw if labelled else raw.unlabelled()
        where = source.bundled_with or os.path.realpath(data_folder())
    elif isinstance(source, OwnSource):
        raw = load_own(source, settings.path)
        raw = raw if labelled else raw.unlabelled()
        where = os.path.realpath(settings.path) if settings.path else f"source {source.name}"
    else:
        path = Path(settings.path).expanduser()
        raw = load_arrays(
            path,
            not settings.val_fraction,
            labelled,
            settings.range,
            settings.depth == "8-bit",
            keep_large(log, poll),
            poll,
        )
        where = os.path.realpath(path)
    kept = chosen_classes(raw.class_names, settings.classes) if settings.classes else None
    found(identity_of(raw, where, kept))
    return raw


def _drawn_by(labels: NDArray[np.int64], settings: DataSettings) -> NDArray[np.int64]:
    """Return the labels (N,) by which images are drawn: all equal where labels may not be used."""
    return np.zeros_like(labels) if settings.draw == "random" else labels


def _splits(raw: RawImages, settings: DataSettings) -> tuple[RawSplit, RawSplit, str]:
    """Return the training split, the held-out split, and a description of the latter."""
    fraction = settings.val_fraction
    if raw.test is not None and not fraction:
        return raw.train, raw.test, raw.held_out
    fraction = fraction or DEFAULT_VAL_FRACTION
    groups = _drawn_by(raw.train.labels, settings)
    rows, held_out = stratified_split(groups, fraction)
    description = f"{100 * fraction:.3g} % of the training images"
    _, counts = np.unique(groups, return_counts=True)
    if len(counts) > 1 and len(held_out) > sum(round(fraction * n) for n in counts.tolist()):
        description += ", more of small classes"
    return raw.train.take(rows), raw.train.take(held_out), description


def _sized(
    split: RawSplit,
    settings: DataSettings,
    log: Callable[[str], None],
    poll: Callable[[], None],
) -> RawSplit:
    """Return the images in their size for training: in a file if they must be or are many."""
    on_disk = settings.resident == "disk"
    large = len(split.labels) * split.images[:1].nbytes >= MAPPED_FROM
    file = row_file(split.images) if in_file(split.images) and (large or on_disk) else None
    if file is None:
        split = split.in_memory()
        sized = resized(torch.from_numpy(split.images), settings.size, settings.fit)
        split = replace(split, images=sized.numpy())
        return replace(split, images=stored_images(split.images, log, poll)) if on_disk else split
    channels, height, width = split.images.shape[1:]
    if settings.size == 0 or height == width == settings.size:
        return split

    def chunks() -> Iterator[NDArray[np.generic]]:
        for first in range(0, len(file), _CHUNK):
            rows = np.arange(first, min(first + _CHUNK, len(file)))
            yield resized(torch.from_numpy(file.read(rows)), settings.size, settings.fit).numpy()

    shape = (len(file), channels, settings.size, settings.size)
    key = file.key(f"{settings.fit} to {settings.size}")
    return replace(split, images=stored_array(key, shape, file.dtype, chunks(), log, poll))


def _of_classes(split: RawSplit, kept: list[int]) -> RawSplit:
    rows, labels = keep_classes(split.labels, kept)
    return replace(split.take(rows), labels=labels)


def _refuse_empty(pool: RawSplit, val: RawSplit, names: tuple[str, ...], raw: RawImages) -> None:
    """Refuse classes without images in `pool`, from which both are drawn, and empty splits."""
    counts = np.bincount(pool.labels[pool.labels != UNLABELLED], minlength=len(names))
    empty = [name for name, count in zip(names, counts, strict=True) if count == 0]
    if empty:
        raise DataError(
            f"{raw.name}: class '{empty[0]}' has no training image: "
            "add some, or omit the class with data.classes"
        )
    if len(val.labels):
        return
    why = f"{raw.name}: no image is held out, so nothing can be measured"
    if not names and raw.test is None:
        raise DataError(f"{why}: there is only one image, which is used for training: add more")
    if counts.max(initial=0) < 2:
        raise DataError(
            f"{why}: every class has a single image, which is used for training: add a second "
            "image to a class, put the images of several classes into one, or learn without "
            "classes: data.labels=none"
        )
    raise DataError(  # the held-out images of the source are of other classes
        f"{why}: none of the {raw.held_out} belong to these classes: add some, or set "
        "data.val_fraction=0.2 to hold out training images"
    )


def _refuse_channels(settings: DataSettings, channels: int) -> None:
    """Raise DataError for channels to show that the images do not have, and for odd inputs."""
    absent = [channel for channel in settings.show if channel >= channels]
    if absent:
        last = f"channels 0 to {channels - 1}" if channels > 1 else "channel 0 alone"
        raise DataError(f"data.show: there is no channel {absent[0]}: the images have {last}")
    if settings.inputs not in ("raw", "hog") and channels not in (1, 3):
        raise DataError(
            f"data.inputs: {settings.inputs} takes grey or colour images, but these have "
            f"{channels} channels: set data.inputs=raw or data.inputs=hog"
        )


def resized(images: Tensor, size: int, fit: Fit = "crop") -> Tensor:
    """Bring uint8 or uint16 (N, C, H, W) to squares with sides of `size` pixels; 0 does nothing."""
    height, width = images.shape[2:]
    if size == 0 or height == width == size:
        return images
    (_, _, *_), (across, down), (left, top) = place(width, height, size, fit)
    if fit == "crop":
        side = min(height, width)
        low, first = (height - side) // 2, (width - side) // 2
        images = images[:, :, low : low + side, first : first + side]
    most = white(images.dtype)
    square = torch.zeros(*images.shape[:2], size, size, dtype=images.dtype)
    for start in range(0, len(images), _CHUNK):
        chunk = images[start : start + _CHUNK].float()
        small = F.interpolate(chunk, (down, across), mode="bilinear", antialias=True)
        small = small.round_().clamp_(0, most).to(images.dtype)
        square[start : start + _CHUNK, :, top : top + down, left : left + across] = small
    return square


def channel_statistics(chunks: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of each channel, (C, 1, 1), of stored images as 0..1.

    `chunks` are uint8 or uint16 (n, C, H, W), at least one. The deviation is at least one step of
    their values, so that images of a single colour can be normalised.
    """
    total = squares = torch.zeros(())
    count, most = 0, 1
    for chunk in chunks:
        # The squares of 16 bits do not fit into the 24 of a float32.
        wide = torch.float64 if chunk.dtype == torch.uint16 else torch.float32
        values = chunk.to(wide).flatten(2)
        total = total + values.sum(2).double().sum(0)
        squares = squares + values.square_().sum(2).double().sum(0)
        count += len(chunk) * values.shape[2]
        most = white(chunk.dtype)
    mean = total / count
    std = (squares / count - mean.square()).clamp_min(0).sqrt().clamp_min(1)
    return mean.float()[:, None, None] / most, std.float()[:, None, None] / most
