"""STL-10: 13,000 photos of ten classes, 96x96 pixels; its unlabelled images are not used."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tui_latent.sources.base import PublicDataset, Split, register
from tui_latent.sources.formats import WrongFileError, content

_CLASSES = "airplane bird car cat deer dog horse monkey ship truck"


def _read(paths: Sequence[Path]) -> Split:
    """Read images, which are stored column by column, and labels, which start at 1."""
    import numpy as np

    images, labels = content(paths[0]), content(paths[1])
    if len(images) % (3 * 96 * 96):
        why = f"{len(images):,} bytes are not a whole number of images"
        raise WrongFileError(paths[0], why)
    return np.ascontiguousarray(images.reshape(-1, 3, 96, 96).swapaxes(2, 3)), labels - 1


register(
    PublicDataset(
        name="stl10",
        heading="STL-10",
        title="STL-10",
        shape=(3, 96, 96),
        class_names=tuple(_CLASSES.split()),
        train=5_000,
        held_out=8_000,
        read=_read,
        training_files=("stl10_binary/train_X.bin", "stl10_binary/train_y.bin"),
        test_files=("stl10_binary/test_X.bin", "stl10_binary/test_y.bin"),
        torchvision="STL10",
        megabytes=2640,
    )
)
