"""What is in image files, known by digest; read again only where a file may be another one.

Digests are noted with each file's size, times and inode, as git notes them in its index. A file
is taken for the one that was read only where all of these are the same. The time that counts is
that of the last change of the inode (ctime): unlike the time of the last modification, neither
`touch` nor an archive sets it.
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
from tui_latent.datasets.paths import prepared_folders
from tui_latent.datasets.read_ahead import in_order
from tui_latent.datasets.shared_files import make_folder, whole_file
from tui_latent.runtime.limits import cpu_cores
from tui_latent.sources.errors import DataError

BYTES = 16
"""of a digest"""
Contents = NDArray[np.uint8]
"""(N, BYTES), a digest of each file"""
_Note = tuple[tuple[int, ...], int, bytes]
"""what a file was, when it was read (ns), the digest"""
_RESOLUTION = 2_000_000_000
"""ns between two changes that a file system may not tell apart, FAT's; a change so soon before
the reading may have come after it"""
_63_BITS = 2**63 - 1
_CHUNK = 64
_SECONDS_BETWEEN_LINES = 2.0
_TORN = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)


def read_contents(
    root: Path,
    files: Sequence[ImageFile],
    log: Callable[[str], None],
    look: Callable[[], None] = lambda: None,
) -> Contents:
    """Return the digests of the files below `root`, in their order.

    `look` is called for each file, and ten times a second while one is read; what it raises ends
    the work. DataError when a file cannot be read; one that is not there has a digest of its own.
    """
    name = hashlib.sha256(os.fsencode(os.path.realpath(root))).hexdigest()[:20]
    notes = _noted(name)
    trusted = not _one_time(files)
    digests: list[bytes] = []
    unknown: list[int] = []
    for row, file in enumerate(files):
        look()
        note = notes.get(file.name)
        known = note is not None and trusted and note[0] == _state(file)
        if note is not None and known and file.changed < note[1] - _RESOLUTION:
            digests.append(note[2])
        else:
            digests.append(b"")
            unknown.append(row)
    if unknown:
        now = time.time_ns()
        for row, digest in zip(unknown, _digests(root, files, unknown, log, look), strict=True):
            digests[row] = digest
            notes[files[row].name] = (_state(files[row]), now, digest)
        _keep(name, notes, files)
    return np.frombuffer(b"".join(digests), np.uint8).reshape(len(files), BYTES)


def digest_of(data: bytes | memoryview) -> bytes:
    """Return the digest of what is in memory."""
    return hashlib.blake2b(data, digest_size=BYTES).digest()


def _state(file: ImageFile) -> tuple[int, ...]:
    # Without the sign, as an inode takes 64 bits and times before 1970 are negative.
    return tuple(n & _63_BITS for n in (file.size, file.modified, file.changed, file.inode))


def _one_time(files: Sequence[ImageFile]) -> bool:
    """Say whether most files changed at one instant, as where a mount makes their times up."""
    (_, count), *_ = Counter(file.changed for file in files).most_common(1)
    return len(files) > 1 and count > len(files) / 2


def _digests(
    root: Path,
    files: Sequence[ImageFile],
    rows: Sequence[int],
    log: Callable[[str], None],
    look: Callable[[], None],
) -> Iterator[bytes]:
    """Yield the digests of some files in their order; threads, as hashing needs no interpreter."""
    told, done = time.monotonic(), 0
    threads = cpu_cores()
    paths = [root / files[row].name for row in rows]
    chunks = (paths[first : first + _CHUNK] for first in range(0, len(paths), _CHUNK))
    for digests in in_order(_chunk_digests, chunks, threads, 2 * threads, look):
        yield from digests
        done += len(digests)
        if time.monotonic() - told >= _SECONDS_BETWEEN_LINES:
            told = time.monotonic()
            log(f"reading what is in the images: {done:,} of {len(rows):,}")


def _chunk_digests(paths: Sequence[Path]) -> list[bytes]:
    return [_digest(path) for path in paths]


def _digest(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=BYTES)).digest()
    except FileNotFoundError:
        return bytes(BYTES)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}: make it readable") from error


def _noted(name: str) -> dict[str, _Note]:
    """Return what was noted of the files of a folder, newest notes first; empty without any."""
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
    """Note the digests, also those of class folders that were not listed now."""
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
        # Without notes all is read again the next time.
        with suppress(OSError):
            make_folder(path.parent)
            with whole_file(path) as file:
                np.savez(file, allow_pickle=False, **arrays)  # type: ignore[arg-type]
            return


def packed_names(names: Sequence[str]) -> NDArray[np.uint8]:
    """Return names of files as one array of bytes."""
    return np.frombuffer(b"".join(os.fsencode(name) + b"\0" for name in names), np.uint8)


def unpacked_names(array: NDArray[np.uint8]) -> list[str]:
    """Return the names that `packed_names` packed."""
    return [os.fsdecode(name) for name in array.astype(np.uint8).tobytes().split(b"\0")[:-1]]
