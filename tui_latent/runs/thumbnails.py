"""`thumbnails/`: small images of a run whose own images are elsewhere, one file per split."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from tui_latent.runs.schema import RunError
from tui_latent.runtime.array_files import checked_array

Split = Literal["train", "val"]

FOLDER: Final = "thumbnails"


def thumbnails_file(run: Path, split: Split) -> Path:
    """Return the file of a split's thumbnails."""
    return run / FOLDER / f"{split}.npy"


def read_thumbnails(run: Path, split: Split) -> NDArray[np.uint8] | None:
    """Map the thumbnails of a split into memory: uint8 (N, C, H, W), C is 1 or 3; None without.

    Image i belongs to latent i of the split; latents beyond N have none. RunError when the file is
    damaged.
    """
    path = thumbnails_file(run, split)
    try:
        images = checked_array(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: cannot be read: {error}") from error
    if images.ndim != 4 or images.dtype != np.uint8 or images.shape[1] not in (1, 3):
        raise RunError(f"{path}: is not an array of uint8 images (N, C, H, W)")
    return images
