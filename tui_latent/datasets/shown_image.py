"""One image file as a small picture to look at, scaled by the range of its own values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from tui_latent.datasets.encoded_image import not_a_regular_file, read_image
from tui_latent.datasets.fitting import Fit, fitted, fitted_values
from tui_latent.datasets.image_file import NO_IMAGE, NOTES
from tui_latent.datasets.image_item import MOST_BYTES
from tui_latent.datasets.item_decoding import on_ground
from tui_latent.runtime.regular_files import SizeError, read_small
from tui_latent.sources.files.image_values import Values
from tui_latent.sources.files.value_range import chosen_scales

_QUICKLY_READ = 1 << 26
"""bytes of a file that is read to describe a folder"""


def decode(file: Path | bytes, size: int, fit: Fit = "crop") -> Image.Image | None:
    """Return an image as a square with sides of `size` pixels; None if it is corrupt.

    The mode is L or RGB; with another number of channels the first is shown, or the first three.
    OSError if the file cannot be read, for example for lack of permission.
    """
    try:
        content = file if isinstance(file, bytes) else read_small(file, MOST_BYTES)
        image = read_image(content, size)
        return (
            fitted(image, size, fit) if isinstance(image, Image.Image) else _shown(image, size, fit)
        )
    except OSError as error:
        if not_a_regular_file(error):
            return None
        raise
    except (SizeError, *NO_IMAGE):
        return None


def channels_of(path: Path) -> int:
    """Return the number of channels of an image file; 3 for one that cannot be read, or is large.

    OSError as for `decode`.
    """
    try:
        image = read_image(read_small(path, _QUICKLY_READ), 1)
    except (SizeError, *NO_IMAGE):
        return 3
    return image.array.shape[-1] if isinstance(image, Values) else 3


def _shown(image: Values, size: int, fit: Fit) -> Image.Image:
    scales = chosen_scales("dtype", {image.kind: (1, image.range())}, None, plain=True)
    values = scales.scaled(image)
    values = values[..., :3] if values.shape[-1] > 2 else values[..., :1]
    if image.alpha is not None:
        values = on_ground(values, image.alpha)
    square = np.rint(fitted_values(values, size, fit) * 255).clip(0, 255).astype(np.uint8)
    picture = Image.fromarray(square[0] if len(square) == 1 else np.moveaxis(square, 0, -1))
    picture.info[NOTES] = image.notes
    return picture
