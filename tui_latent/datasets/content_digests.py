"""Digests of the contents of image files; a file is read again only if it may have changed.

Each digest is stored with the file's size, times and inode, as in git's index, and is used again
only if all of these are unchanged. The decisive time is that of the last change of the inode
(ctime): unlike the modification time, it cannot be set by `touch` or by an archive.
"""

from __future__ import annotations

import hashlib
import os
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tui_latent.datasets.folder_layout import ImageFile
from tui_latent.datasets.image_item import ImageItem
from tui_latent.datasets.paths import prepared_folders
from tui_latent.datasets.progress import ProgressLog
from tui_latent.datasets.read_ahead import in_order
from tui_latent.datasets.shared_files import make_folder, whole_file
from tui_latent.runtime.limits import cpu_cores
from tui_latent.runtime.regular_files import SizeError, leads_nowhere, open_regular, read_regular
from tui_latent.sources.errors import DataError

BYTES = 16
"""length of a digest"""
Contents = NDArray[np.uint8]
"""(N, BYTES), one digest per file"""
_RESOLUTION = 2_000_000_000
"""ns; the coarsest resolution of file times, that of FAT. A file read less than this after its last
change may have changed again with the same time"""
_63_BITS = 2**63 - 1
_CHUNK = 64
_AT_ONCE = 1 << 20
"""bytes of a file that is read at once, which takes half as long for small ones"""
_TORN = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)
_Numbers = NDArray[np.int64]


class _Noted(NamedTuple):
    """Stored digests, as arrays: a tuple per file would cost more than the rest of the look-up."""

    names: list[str]
    states: _Numbers
    """(N, 4) states of the files (see `_states`)"""
    read_at: _Numbers
    """(N,) times at which they were read in ns"""
    digests: Contents


_NOTHING = _Noted(
    [], np.zeros((0, 4), np.int64), np.zeros(0, np.int64), np.zeros((0, BYTES), np.uint8)
)


def read_contents(
    root: Path,
    files: Sequence[ImageFile],
    log: Callable[[str], None],
    poll: Callable[[], None] = lambda: None,
    items: Sequence[ImageItem] | None = None,
) -> Contents:
    """Return the digests of the files below `root`, in the order of `files`.

    `items` are given for images within larger files: then `files` have the name of each
    image with the size and the times of the file that holds it.

    `poll` is called for each file, and ten times a second while files are read; an exception from
    it ends the work. DataError if a file cannot be read. The digest of a missing file is all
    zeros, as is that of a link that leads nowhere.
    """
    name = hashlib.sha256(os.fsencode(os.path.realpath(root))).hexdigest()[:20]
    states = _states(files)
    trusted = not _share_one_time(states, within_others=items is not None)
    noted = _noted(name) if trusted else _NOTHING
    at, rows = {known: row for row, known in enumerate(noted.names)}, np.empty(len(files), np.int64)
    for row, file in enumerate(files):
        poll()
        rows[row] = at.get(file.name, -1)
    contents, read_at = np.zeros((len(files), BYTES), np.uint8), np.zeros(len(files), np.int64)
    there = np.flatnonzero(rows >= 0)
    then = rows[there]
    same = (noted.states[then] == states[there]).all(1)
    same &= states[there, 2] < noted.read_at[then] - _RESOLUTION
    there, then = there[same], then[same]
    contents[there], read_at[there] = noted.digests[then], noted.read_at[then]
    unknown = np.flatnonzero(read_at == 0).tolist()
    if unknown:
        read_at[unknown] = time.time_ns()
        read = b"".join(_digests(root, files, items, unknown, log, poll))
        contents[unknown] = np.frombuffer(read, np.uint8).reshape(-1, BYTES)
        if trusted:
            _keep(name, noted, _Noted([file.name for file in files], states, read_at, contents))
    return contents


def digest_of(data: bytes | memoryview) -> bytes:
    """Return the digest of bytes in memory."""
    return hashlib.blake2b(data, digest_size=BYTES).digest()


def _states(files: Sequence[ImageFile]) -> _Numbers:
    """Return (N, 4) sizes, times of the last modification and of the last change, and inodes."""
    # The sign bit is dropped: inodes use all 64 bits, and times before 1970 are negative.
    numbers = (
        number & _63_BITS
        for file in files
        for number in (file.size, file.modified, file.changed, file.inode)
    )
    return np.fromiter(numbers, np.int64, 4 * len(files)).reshape(-1, 4)


def _share_one_time(states: _Numbers, within_others: bool) -> bool:
    """Return whether most files have the same ctime, as on mounts that invent it.

    For images within larger files, the larger files are compared.
    """
    times = states[
        np.unique(states[:, 3], return_index=True)[1] if within_others else slice(None), 2
    ]
    return len(times) > 1 and bool(np.unique(times, return_counts=True)[1].max() > len(times) / 2)


def _digests(
    root: Path,
    files: Sequence[ImageFile],
    items: Sequence[ImageItem] | None,
    rows: Sequence[int],
    log: Callable[[str], None],
    poll: Callable[[], None],
) -> Iterator[bytes]:
    """Yield the digests of some files in order, computed in threads: hashing releases the GIL."""
    progress, done = ProgressLog(log), 0
    threads = cpu_cores()
    asked = [root / files[row].name if items is None else items[row] for row in rows]
    chunks = (asked[first : first + _CHUNK] for first in range(0, len(asked), _CHUNK))
    for digests in in_order(_chunk_digests, chunks, threads, 2 * threads, poll):
        yield from digests
        done += len(digests)
        progress(f"reading the image files: {done:,} of {len(rows):,}")


def _chunk_digests(asked: Sequence[Path | ImageItem]) -> list[bytes]:
    return [_digest(one) if isinstance(one, Path) else _item_digest(one) for one in asked]


def _item_digest(item: ImageItem) -> bytes:
    try:
        return digest_of(item.read())
    except OSError as error:
        if leads_nowhere(error):
            return bytes(BYTES)
        raise DataError(f"{item.place}: {error.strerror or error}: make it readable") from error


def _digest(path: Path) -> bytes:
    try:
        with suppress(SizeError):
            return digest_of(read_regular(path, _AT_ONCE)[0])
        with open_regular(path) as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=BYTES)).digest()
    except OSError as error:
        if leads_nowhere(error):
            return bytes(BYTES)
        raise DataError(f"{path}: {error.strerror or error}: make it readable") from error


def _noted(name: str) -> _Noted:
    """Return the newest stored digests of a folder; none if nothing is stored."""
    paths = [folder / "known" / f"{name}.npz" for folder in prepared_folders()]
    times = {}
    for path in paths:
        with suppress(OSError):
            times[path] = path.stat().st_mtime_ns
    for path in sorted(times, key=times.__getitem__, reverse=True):
        with suppress(*_TORN), np.load(path, allow_pickle=False) as arrays:
            names = unpacked_names(arrays["names"])
            states, read_at = (arrays[of].astype(np.int64) for of in ("states", "read_at"))
            digests = arrays["digests"].astype(np.uint8).reshape(len(names), BYTES)
            if states.shape == (len(names), 4) and read_at.shape == (len(names),):
                return _Noted(names, states, read_at, digests)
    return _NOTHING


def _keep(name: str, before: _Noted, now: _Noted) -> None:
    """Store the digests, and keep those of class folders that were not listed this time."""
    classes = {file.split("/", 1)[0] for file in now.names}
    others = [row for row, n in enumerate(before.names) if n.split("/", 1)[0] not in classes]
    arrays = {
        "names": packed_names([*now.names, *(before.names[row] for row in others)]),
        "states": np.concatenate([now.states, before.states[others]]),
        "read_at": np.concatenate([now.read_at, before.read_at[others]]),
        "digests": np.concatenate([now.digests, before.digests[others]]).ravel(),
    }
    for folder in prepared_folders():
        path = folder / "known" / f"{name}.npz"
        # If this fails, all files are read again the next time.
        with suppress(OSError):
            make_folder(path.parent)
            with whole_file(path) as file:
                np.savez(file, allow_pickle=False, **arrays)
            return


def packed_names(names: Sequence[str]) -> NDArray[np.uint8]:
    """Return file names as one array of bytes."""
    return np.frombuffer(b"".join(os.fsencode(name) + b"\0" for name in names), np.uint8)


def unpacked_names(array: NDArray[np.uint8]) -> list[str]:
    """Return the names that `packed_names` packed."""
    return [os.fsdecode(name) for name in array.astype(np.uint8).tobytes().split(b"\0")[:-1]]
