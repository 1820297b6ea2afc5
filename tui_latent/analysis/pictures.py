"""The images of one split beside its latents: those of the dataset, or a run's thumbnails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.analysis.errors import InspectionError
from tui_latent.analysis.images import shown
from tui_latent.runs.origin import Origin
from tui_latent.runs.schema import RunError
from tui_latent.runs.thumbnails import Split, read_thumbnails

if TYPE_CHECKING:
    from torch import Tensor

    from tui_latent.datasets.image_set import ImageSet

_HOW_TO_KEEP_IMAGES: Final[dict[Origin, str]] = {
    "trained": "",
    "watched": "its loop gave none; tui_latent.watch(…, thumbnails=IMAGES) keeps small ones",
    "opened": "none were given; tui-latent open FILE --images FOLDER keeps small ones",
}
_HOW_TO_KEEP_TRAINING_IMAGES: Final[dict[Origin, str]] = {
    "trained": "",
    "watched": "; tui_latent.watch(…, bank_thumbnails=IMAGES) keeps small ones",
    "opened": "",
}
_PAPER: Final = 236
_CROSS: Final = 160
"""grey levels of the picture that stands for an image that was not kept"""


@dataclass(frozen=True, eq=False)
class Pictures:
    """What a person can see of a split: labels of all its images, and most or all of the images."""

    labels: Tensor
    """int64 (N,), UNLABELLED where an image has no class"""
    class_names: tuple[str, ...]
    kept: int
    """images there are; those of the rows beyond were not kept"""
    _read: Callable[[NDArray[np.int64]], NDArray[np.uint8]]
    """rows below `kept` -> (n, H, W, C)"""
    why_none: str = ""
    """why none of the images was kept, although the run has others; empty if some were"""

    def __len__(self) -> int:
        return len(self.labels)

    def has(self, row: int) -> bool:
        """Return whether the image of a row was kept."""
        return 0 <= row < self.kept

    def label(self, row: int) -> str:
        """Return the name of the class of a row; empty if it has no label."""
        return class_of(self.class_names, int(self.labels[row]))

    def names(self, rows: NDArray[np.int64]) -> tuple[str, ...]:
        """Return the names of the classes of some rows, each empty without a label."""
        found = self.labels.numpy()[rows].tolist()
        return tuple(class_of(self.class_names, label) for label in found)

    def images(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return images (n, H, W, C), C 1 or 3; a crossed-out square for each image that was not
        kept."""
        rows = np.asarray(rows, dtype=np.int64)
        there = rows < self.kept
        if there.all():
            return self._read(rows)
        found = self._read(rows[there] if there.any() else np.zeros(1, np.int64))
        images = np.broadcast_to(_crossed_out(found.shape[1:]), (len(rows), *found.shape[1:]))
        images = images.copy()
        if there.any():
            images[there] = found
        return images


def class_of(names: tuple[str, ...], label: int) -> str:
    """Return the name of a class: its number if it has none, empty for an image without a label."""
    if label < 0:
        return ""
    return names[label] if label < len(names) else str(label)


def of_split(
    split: ImageSet,
    labels: Tensor | None = None,
    names: tuple[str, ...] | None = None,
    channels: Sequence[int] = (),
) -> Pictures:
    """Return the pictures of a dataset's split; `labels` and `names` replace its own.

    `channels` are those of `data.show`.
    """
    import torch

    from tui_latent.datasets.image_set import stored

    def read(rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        try:
            return shown(stored(split, torch.from_numpy(rows)), channels)
        except OSError as error:  # a file that is read where it lies
            why = f"{error.filename}: {error.strerror}: open the run again"
            raise InspectionError(why) from error

    return Pictures(
        split.labels if labels is None else labels,
        split.class_names if names is None else names,
        len(split),
        read,
    )


def of_thumbnails(
    run: Path, origin: Origin, split: Split, labels: Tensor, names: tuple[str, ...]
) -> Pictures:
    """Return the thumbnails of a run from elsewhere; only the rows asked for are read.

    Where only held-out images were kept, training images are crossed-out squares of their size.
    InspectionError if there are none.
    """
    why_none = ""
    try:
        thumbnails = read_thumbnails(run, split)
        if split == "train" and (thumbnails is None or not len(thumbnails)):
            thumbnails = read_thumbnails(run, "val")
            of = "images of the other vectors" if origin == "opened" else "training images"
            why_none = f"no {of} were kept{_HOW_TO_KEEP_TRAINING_IMAGES[origin]}"
    except RunError as error:
        raise InspectionError(str(error)) from error
    if thumbnails is None or not len(thumbnails):
        raise InspectionError(_no_images(run, origin))

    def read(rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        return np.ascontiguousarray(np.moveaxis(thumbnails[rows], 1, -1))

    kept = 0 if why_none else min(len(thumbnails), len(labels))
    return Pictures(labels, names, kept, read, why_none)


def why_no_thumbnails(run: Path, origin: Origin) -> str:
    """Return why a run from elsewhere has no images; empty if it has some."""
    try:
        found = [read_thumbnails(run, "val"), read_thumbnails(run, "train")]
    except RunError as error:
        return str(error)
    there = any(images is not None and len(images) for images in found)
    return "" if there else _no_images(run, origin)


def _no_images(run: Path, origin: Origin) -> str:
    return f"{run.name} has no images: {_HOW_TO_KEEP_IMAGES[origin]}"


def _crossed_out(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return a pale square (H, W, C) with its two diagonals: no image looks like it."""
    height, width, _ = shape
    square = np.full(shape, _PAPER, np.uint8)
    longest = max(height, width)
    down = np.linspace(0, height - 1, longest).round().astype(int)
    across = np.linspace(0, width - 1, longest).round().astype(int)
    square[down, across] = square[down, across[::-1]] = _CROSS
    return square
