"""An encoded image, read when its turn comes: a file, or bytes from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tui_latent.datasets.folder_layout import ImageFile
from tui_latent.runtime.regular_files import SizeError, amount, open_regular, size_of
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
    return [ImageItem(str(root / file.name), partial(_read, root, file)) for file in files]


def _read(root: Path, file: ImageFile) -> bytes:
    path = root / file.name
    with open_regular(path) as opened:
        if size_of(opened) > MOST_BYTES:
            raise SizeError(f"it has {amount(size_of(opened))}")
        content = opened.read()
    if not _unchanged(path, file):
        raise DataError(f"{path}: changed while it was read: start again once it is complete")
    return content


def _unchanged(path: Path, file: ImageFile) -> bool:
    """Return whether a file is still as it was listed, which includes a broken link."""
    try:
        stat = path.stat()
    except OSError:  # a broken or circular link
        return file.changed == 0
    now = stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns
    return now == (file.size, file.modified, file.changed)
