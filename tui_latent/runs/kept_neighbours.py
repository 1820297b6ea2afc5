"""`latents/neighbours-….npy`: the neighbours of an opened file's vectors, at full width.

Of earlier steps only maps are kept, and neighbours on a map are not those of the vectors.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tui_latent.runs.schema import RunError
from tui_latent.runtime.array_files import read_array


def neighbours_file(run: Path, step: int) -> Path:
    """Return the file of the neighbours at a step."""
    return run / "latents" / f"neighbours-{step:09}.npy"


def write_neighbours(run: Path, step: int, rows: NDArray[np.int64]) -> None:
    """Keep the nearest vectors of each vector on a map, (M, k), itself among them."""
    np.save(neighbours_file(run, step), rows.astype(np.int32))


def read_neighbours(run: Path, step: int, images: int) -> NDArray[np.int64] | None:
    """Return the nearest of each of a map's images, int64 (images, k); None if not kept.

    RunError when the file is damaged or of another map.
    """
    path = neighbours_file(run, step)
    try:
        rows = read_array(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: cannot be read: {error}") from error
    sound = rows.ndim == 2 and rows.dtype == np.int32 and len(rows) == images and rows.size
    if not sound or rows.min() < 0 or rows.max() >= images:
        raise RunError(f"{path}: does not have the neighbours of {images:,} images")
    return rows.astype(np.int64)
