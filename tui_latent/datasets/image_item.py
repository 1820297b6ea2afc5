"""An encoded image, read when its turn comes: a file, or bytes from elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tui_latent.datasets.folder_layout import ImageFile
from tui_latent.runtime.regular_files import read_regular
from tui_latent.sources.errors import DataError

MOST_BYTES = 1 << 31
"""maximum size of an encoded image; a larger one counts as corrupt"""


class ImageItem(NamedTuple):
    """An encoded image; a tuple because a dataset may have millions."""

    place: str
    """where it is, for messages: the path of a file, or an archive and its member"""
    read: Callable[[], bytes]
    """Returns its bytes; called in a thread, and perhaps twice. FileNotFoundError, an OSError for
    what is not a regular file, and SizeError make it a corrupt image; any other OSError, and
    DataError, end the work."""


def file_items(root: Path, files: Sequence[ImageFile]) -> list[ImageItem]:
    """Return listed files as items; to read one that has changed since is a DataError."""
    folder = str(root)
    places = [os.path.join(folder, file.name) for file in files]  # noqa: PTH118 - a Path is slower
    return [ImageItem(at, partial(_read, at, file)) for at, file in zip(places, files, strict=True)]


def _read(path: str, file: ImageFile) -> bytes:
    content, now = read_regular(path, MOST_BYTES)
    listed = file.size, file.modified, file.changed
    if (now.st_size, now.st_mtime_ns, now.st_ctime_ns) != listed:
        raise DataError(f"{path}: changed while it was read: start again once it is complete")
    return content
