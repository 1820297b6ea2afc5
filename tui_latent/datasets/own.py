"""Read the images of a plugin's source, and check what it returns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from tui_latent.nouns import counted
from tui_latent.plugins.loading import plugin_trouble
from tui_latent.plugins.registry import plugin_of
from tui_latent.sources.base import OwnSource
from tui_latent.sources.errors import DataError
from tui_latent.sources.files.image_values import MOST_CHANNELS
from tui_latent.sources.files.raw import RawImages, RawSplit


def load_own(source: OwnSource, path: str) -> RawImages:
    """Read a plugin's source; DataError says what its code raised, or what it returned wrongly."""
    try:
        raw = source.read(path)
    except DataError:
        raise
    except Exception as error:  # whatever the plugin's code raises
        file = file_of(source)
        said = plugin_trouble(error, Path(file) if file else None)
        raise DataError(f"source '{source.name}': {said}") from error
    if not isinstance(raw, RawImages):
        raise _wrong(source, f"read returned {type(raw).__name__}, not RawImages")
    train = _checked(source, "train", raw.train, raw)
    test = None if raw.test is None else _checked(source, "test", raw.test, raw)
    if test is not None and test.images.shape[1:] != train.images.shape[1:]:
        shapes = f"{train.images.shape[1:]} and {test.images.shape[1:]}"
        raise _wrong(source, f"training and test images have shapes {shapes}: they must be equal")
    if test is not None and test.images.dtype != train.images.dtype:
        types = f"{train.images.dtype} and {test.images.dtype}"
        raise _wrong(source, f"training and test images have types {types}: they must be equal")
    return replace(raw, train=train, test=test)


def file_of(source: OwnSource) -> str:
    """Return the file of the plugin that has added a source; empty if a package has."""
    plugin = plugin_of("source", source.name)
    return plugin.file if plugin else ""


def _checked(source: OwnSource, split: str, found: RawSplit, raw: RawImages) -> RawSplit:
    """Return a split with its labels as int64; DataError for what training could not use."""
    images, labels = found.images, found.labels
    whole = isinstance(images, np.ndarray) and images.dtype in (np.uint8, np.uint16)
    if not whole or images.ndim != 4:
        what = f"{getattr(images, 'dtype', type(images).__name__)} {np.shape(images)}"
        raise _wrong(source, f"the images of {split} are {what}, not uint8 or uint16 (N, C, H, W)")
    count, channels = images.shape[:2]
    if channels > MOST_CHANNELS or 0 in images.shape:
        raise _wrong(
            source,
            f"the images of {split} have shape {images.shape}; C must be 1 to {MOST_CHANNELS}, "
            "the other dimensions above 0",
        )
    if not isinstance(labels, np.ndarray) or labels.dtype.kind not in "iu":
        raise _wrong(source, f"the labels of {split} are not an array of integers")
    if labels.shape != (count,):
        raise _wrong(
            source, f"{split} has {counted(count, 'image')}, but labels of shape {labels.shape}"
        )
    if labels.min() < -1 or labels.max() >= len(raw.class_names):
        odd = labels[(labels < -1) | (labels >= len(raw.class_names))][0]
        names = counted(len(raw.class_names), "class name")
        wanted = "a label is the position of a name, or -1 for none"
        raise _wrong(source, f"{split} has label {odd}, but {names}: {wanted}")
    return replace(found, labels=labels.astype(np.int64))


def _wrong(source: OwnSource, problem: str) -> DataError:
    where = file_of(source)
    return DataError(f"{f'{where}: ' if where else ''}source '{source.name}': {problem}")
