"""Images of sources that are not image files, kept in one mapped file that all runs share."""

from __future__ import annotations

import hashlib
import math
import shutil
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui_latent.datasets.prepared_store import prepared
from tui_latent.datasets.progress import ProgressLog
from tui_latent.datasets.shared_files import remove_parts, whole_file
from tui_latent.nouns import counted
from tui_latent.runtime.array_files import checked_array
from tui_latent.sources.errors import DataError

_FORMAT = 1
"""incremented when the same key would name other bytes"""
_CHUNK = 1 << 26
"""bytes written at a time"""


def stored_images(
    images: NDArray[Any], log: Callable[[str], None], poll: Callable[[], None] = lambda: None
) -> NDArray[Any]:
    """Return the same images, (N, C, H, W), mapped from a file named by what they hold."""
    size = max(_CHUNK // images[:1].nbytes, 1)
    starts = range(0, len(images), size)
    digest = hashlib.blake2b(repr((images.shape, images.dtype.str)).encode(), digest_size=16)
    for first in starts:
        poll()
        digest.update(np.ascontiguousarray(images[first : first + size]).data)
    chunks = (images[first : first + size] for first in starts)
    return stored_array(digest.hexdigest(), images.shape, images.dtype, chunks, log, poll)


def stored_array(
    key: str,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    chunks: Iterable[NDArray[Any]],
    log: Callable[[str], None],
    poll: Callable[[], None] = lambda: None,
) -> NDArray[Any]:
    """Return an array mapped from the file of `key`; it is written from `chunks` if it is missing.

    `key` must name what the chunks hold, which are parts of the rows in order. One process writes
    while others wait; a file that is not complete is never seen. `poll` is called between chunks,
    and an exception from it, or from the chunks, ends the work. DataError if the disk is too
    small or not writable.
    """

    def made(place: Path, only: bool) -> NDArray[Any]:
        if only:
            remove_parts(place)
        _write(place, shape, dtype, chunks, log, poll)
        found = _opened(place, shape, dtype)
        if found is None:
            raise DataError(f"{place}: it was just written, but cannot be read: check the disk")
        return found

    return prepared(
        f"array-{_FORMAT}-{key}.npy",
        partial(_opened, shape=shape, dtype=dtype),
        made,
        "to store images",
        "the images",
        log,
    )


def _opened(place: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any] | None:
    """Return the array of a file; None if it is missing, damaged or another user's."""
    try:
        found = checked_array(place, "c")
    except (OSError, ValueError, EOFError):
        return None
    return found if (found.shape, found.dtype) == (shape, dtype) else None


def _write(
    place: Path,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    chunks: Iterable[NDArray[Any]],
    log: Callable[[str], None],
    poll: Callable[[], None],
) -> None:
    needed = math.prod(shape) * dtype.itemsize
    free = shutil.disk_usage(place.parent).free
    if needed > free:
        raise DataError(
            f"{place.parent}: the images need {needed / 1e9:.1f} GB, but only {free / 1e9:.1f} GB "
            "is available: free some space, lower data.size, or set TUI_LATENT_DATA to another disk"
        )
    progress, done = ProgressLog(log), 0
    log(f"storing {counted(shape[0], 'image')} once, in {place}")
    with whole_file(place) as file:
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False}
        np.lib.format.write_array_header_2_0(file, header | {"shape": shape})
        for chunk in chunks:
            poll()
            file.write(np.ascontiguousarray(chunk, dtype).data)
            done += len(chunk)
            progress(f"stored {done:,} of {shape[0]:,} images")
        if done != shape[0]:
            raise DataError(f"{place}: expected {shape[0]:,} images to store, but got {done:,}")
