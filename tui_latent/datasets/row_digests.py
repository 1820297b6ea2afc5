"""Digests of images that are not files of their own; those of a mapped file are kept."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from tui_latent.datasets.content_digests import BYTES, Contents, digest_of
from tui_latent.datasets.paths import prepared_folders
from tui_latent.datasets.row_file import RowFile
from tui_latent.datasets.shared_files import make_folder, whole_file
from tui_latent.runtime.array_files import read_array

_ROWS = 256
"""images of a file in memory at a time"""


def digests_of(images: NDArray[np.generic], rows: Sequence[int] | NDArray[np.int64]) -> Contents:
    """Return the digests of some images, (N, ...), that are in memory: (n, BYTES)."""
    digests = [digest_of(np.ascontiguousarray(images[row]).data.cast("B")) for row in rows]
    return np.frombuffer(b"".join(digests), np.uint8).reshape(len(rows), BYTES)


def kept_digests(file: RowFile) -> Contents:
    """Return the digest of every row of a file: (N, BYTES), read again only if it has changed."""
    places = [folder / "known" / f"rows-{file.key('digests')}.npy" for folder in prepared_folders()]
    for place in places:
        with suppress(OSError, ValueError, EOFError):
            known: Contents = read_array(place)
            if known.shape == (len(file), BYTES) and known.dtype == np.uint8:
                return known
    parts = []
    for first in range(0, len(file), _ROWS):
        rows = np.arange(first, min(first + _ROWS, len(file)))
        parts.append(digests_of(file.read(rows), range(len(rows))))
    found = np.concatenate(parts)
    for place in places:
        with suppress(OSError):  # they are read again the next time
            make_folder(place.parent)
            with whole_file(place) as kept:
                np.save(kept, found)
            break
    return found
