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
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tui_latent.datasets.folder_layout import ImageFile
from tui_latent.datasets.image_item import ImageItem
from tui_latent.datasets.paths import prepared_folders
from tui_latent.datasets.progress import ProgressLog
from tui_latent.datasets.read_ahead import in_order
from tui_latent.datasets.shared_files import make_folder, whole_file
from tui_latent.runtime.limits import cpu_cores
from tui_latent.runtime.regular_files import SizeError, open_regular, read_regular
from tui_latent.sources.errors import DataError

BYTES = 16
"""length of a digest"""
Contents = NDArray[np.uint8]
"""(N, BYTES), one digest per file"""
_Note = tuple[tuple[int, ...], int, bytes]
"""state of a file (see `_state`), time at which it was read in ns, digest"""
_RESOLUTION = 2_000_000_000
"""ns; the coarsest resolution of file times, that of FAT. A file read less than this after its last
change may have changed again with the same time"""
_63_BITS = 2**63 - 1
_CHUNK = 64
_AT_ONCE = 1 << 20
"""bytes of a file that is read at once, which takes half as long for small ones"""
_TORN = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)


def read_contents(
    root: Path,
    files: Sequence[ImageFile],
    log: Callable[[str], None],
    poll: Callable[[], None] = lambda: None,
    items: Sequence[ImageItem] | None = None,
) -> Contents:
    """Return the digests of the files below `root`, in the order of `files`.

    `items` are given for images that lie within larger files: then `files` have the name of each
    image with the size and the times of the file that holds it.

    `poll` is called for each file, and ten times a second while files are read; an exception from
    it ends the work. DataError if a file cannot be read. The digest of a missing file is all
    zeros.
    """
    name = hashlib.sha256(os.fsencode(os.path.realpath(root))).hexdigest()[:20]
    trusted = not _share_one_time(files, within_others=items is not None)
    notes = _noted(name) if trusted else {}
    digests: list[bytes] = []
    unknown: list[int] = []
    for row, file in enumerate(files):
        poll()
        note = notes.get(file.name)
        known = note is not None and note[0] == _state(file)
        if note is not None and known and file.changed < note[1] - _RESOLUTION:
            digests.append(note[2])
        else:
            digests.append(b"")
            unknown.append(row)
    if unknown:
        now = time.time_ns()
        for row, digest in zip(
            unknown, _digests(root, files, items, unknown, log, poll), strict=True
        ):
            digests[row] = digest
            notes[files[row].name] = (_state(files[row]), now, digest)
        if trusted:
            _keep(name, notes, files)
    return np.frombuffer(b"".join(digests), np.uint8).reshape(len(files), BYTES)


def digest_of(data: bytes | memoryview) -> bytes:
    """Return the digest of bytes in memory."""
    return hashlib.blake2b(data, digest_size=BYTES).digest()


def _state(file: ImageFile) -> tuple[int, ...]:
    # The sign bit is dropped: inodes use all 64 bits, and times before 1970 are negative.
    return tuple(n & _63_BITS for n in (file.size, file.modified, file.changed, file.inode))


def _share_one_time(files: Sequence[ImageFile], within_others: bool) -> bool:
    """Return whether most files have the same ctime, as on mounts that invent it.

    For images within larger files, the larger files are compared.
    """
    times = [file.changed for file in files]
    if within_others:
        times = list({file.inode: file.changed for file in files}.values())
    (_, count), *_ = Counter(times).most_common(1)
    return len(times) > 1 and count > len(times) / 2


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
    except FileNotFoundError:
        return bytes(BYTES)
    except OSError as error:
        raise DataError(f"{item.place}: {error.strerror or error}: make it readable") from error


def _digest(path: Path) -> bytes:
    try:
        with suppress(SizeError):
            return digest_of(read_regular(path, _AT_ONCE)[0])
        with open_regular(path) as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=BYTES)).digest()
    except FileNotFoundError:
        return bytes(BYTES)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}: make it readable") from error


def _noted(name: str) -> dict[str, _Note]:
    """Return the newest stored digests of a folder by file name; empty if there are none."""
    paths = [folder / "known" / f"{name}.npz" for folder in prepared_folders()]
    times = {}
    for path in paths:
        with suppress(OSError):
            times[path] = path.stat().st_mtime_ns
    for path in sorted(times, key=times.__getitem__, reverse=True):
        with suppress(*_TORN), np.load(path, allow_pickle=False) as arrays:
            names = unpacked_names(arrays["names"])
            states, read_at = arrays["states"].tolist(), arrays["read_at"].tolist()
            digests = arrays["digests"].tobytes()
            if len(digests) != BYTES * len(names):
                continue
            rows = zip(names, states, read_at, strict=True)
            return {
                file: (tuple(state), at, digests[BYTES * row : BYTES * (row + 1)])
                for row, (file, state, at) in enumerate(rows)
            }
    return {}


def _keep(name: str, notes: dict[str, _Note], files: Sequence[ImageFile]) -> None:
    """Store the digests, and keep those of class folders that were not listed this time."""
    listed = {file.name for file in files}
    classes = {file.split("/", 1)[0] for file in listed}
    kept = [n for n in notes if n in listed or n.split("/", 1)[0] not in classes]
    arrays = {
        "names": packed_names(kept),
        "states": np.array([notes[n][0] for n in kept], dtype=np.int64),
        "read_at": np.array([notes[n][1] for n in kept], dtype=np.int64),
        "digests": np.frombuffer(b"".join(notes[n][2] for n in kept), np.uint8),
    }
    for folder in prepared_folders():
        path = folder / "known" / f"{name}.npz"
        # If this fails, all files are read again the next time.
        with suppress(OSError):
            make_folder(path.parent)
            with whole_file(path) as file:
                np.savez(file, allow_pickle=False, **arrays)  # type: ignore[arg-type]
            return


def packed_names(names: Sequence[str]) -> NDArray[np.uint8]:
    """Return file names as one array of bytes."""
    return np.frombuffer(b"".join(os.fsencode(name) + b"\0" for name in names), np.uint8)


def unpacked_names(array: NDArray[np.uint8]) -> list[str]:
    """Return the names that `packed_names` packed."""
    return [os.fsdecode(name) for name in array.astype(np.uint8).tobytes().split(b"\0")[:-1]]
