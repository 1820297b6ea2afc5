"""Image files decoded once, in parallel, into one file of bytes that later starts only map.

The cache of a list of files is three files: `images.u8`, row after row of (3, S, S) bytes;
`ranges`, for each row the two values shown as 0 and 255, NaN for files of 8 bits; and `rows`, one
byte for each finished row, in the same order. `rows` grows only after its images have reached the
disk, so its length says where a killed run goes on.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from tui_latent.data.ahead import in_order
from tui_latent.data.errors import DataError
from tui_latent.data.layout import ImageFile
from tui_latent.data.picture import NOTES, SHOWN_RANGE, decode
from tui_latent.data.places import prepared_folder

_FORMAT = 2
"""raised when the same files would be decoded to other bytes"""
COLOUR, GREY, CORRUPT = 1, 2, 3
"""what the two lowest bits of `rows` say of an image"""
_STATE = 3
_CHUNK = 64
"""images a thread decodes at a time"""
_CHUNKS_AHEAD = 2 * (os.cpu_count() or 1)
"""so that a slow disk does not fill the memory with decoded images"""
_SECONDS_BETWEEN_LINES = 1.0
_SECONDS_OF_SILENCE = 10.0
"""after which it is said that the disk does not answer"""
_RANGE_BYTES = 8


@dataclass(frozen=True, eq=False)
class Decoded:
    """Images of a list of files, in its order."""

    images: NDArray[np.uint8]
    """(N, 3, S, S), a memory-mapped file; black where the file is corrupt"""
    states: NDArray[np.uint8]
    """(N,) COLOUR, GREY or CORRUPT"""
    notes: NDArray[np.uint8]
    """(N,) what was done to each image, as bits: `picture.TRANSPARENT` and those after it"""
    ranges: NDArray[np.float32]
    """(N, 2) the values shown as 0 and 255; NaN for files of 8 bits"""


def decoded(
    root: Path,
    files: Sequence[ImageFile],
    size: int,
    log: Callable[[str], None],
    look: Callable[[], None] = lambda: None,
) -> Decoded:
    """Return images of `size` pixels a side, from the cache as far as it goes.

    `look` is called at least ten times a second, also while the disk does not answer; what it
    raises ends the work.

    The cache is known by `size` and by the files' names below `root`, sizes, times and order.
    DataError when the disk is too small, or a file cannot be read for another reason than its
    content.
    """
    folder = prepared_folder() / f"folder-{_key(files, size)}"
    bytes_each = 3 * size * size
    try:
        folder.mkdir(parents=True, exist_ok=True)
        done = _rows_done(folder, bytes_each)
        if done < len(files):
            _refuse_full_disk(folder, (len(files) - done) * bytes_each)
            _decode_from(done, folder, root, files, size, log, look)
        images = np.memmap(folder / "images.u8", np.uint8, "c", shape=(len(files), 3, size, size))
        rows = np.fromfile(folder / "rows", np.uint8)
        ranges = np.fromfile(folder / "ranges", "<f4").reshape(-1, 2)
    except OSError as error:
        raise DataError(
            f"{error.filename or folder}: {error.strerror or error}: make it readable, or set "
            "TUI_LATENT_DATA to a folder with room for decoded images"
        ) from error
    return Decoded(images, rows & np.uint8(_STATE), rows & np.uint8(255 - _STATE), ranges)


def _key(files: Sequence[ImageFile], size: int) -> str:
    digest = hashlib.sha256(struct.pack("<QQ", _FORMAT, size))
    for file in files:
        name = file.name.encode("utf-8", "surrogateescape")
        digest.update(struct.pack("<QQQ", len(name), file.size, file.modified) + name)
    return digest.hexdigest()[:20]


def _rows_done(folder: Path, bytes_each: int) -> int:
    """Return how many images are whole: what `rows` says, if the images are there."""
    rows, images, ranges = (
        path.stat().st_size if path.is_file() else 0
        for path in (folder / "rows", folder / "images.u8", folder / "ranges")
    )
    return rows if images >= rows * bytes_each and ranges >= rows * _RANGE_BYTES else 0


def _refuse_full_disk(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise DataError(
            f"{folder}: decoded images need {needed / 1e9:.1f} GB, and {free / 1e9:.1f} GB are "
            "free: make room, choose a smaller data.size, or set TUI_LATENT_DATA elsewhere"
        )


def _decode_from(
    done: int,
    folder: Path,
    root: Path,
    files: Sequence[ImageFile],
    size: int,
    log: Callable[[str], None],
    look: Callable[[], None],
) -> None:
    """Decode the files from number `done` on, telling and saving progress once a second."""
    log(f"decoding {len(files) - done:,} images once, into {folder}")
    start = told = time.monotonic()
    ready, saved = done, done
    pending: list[NDArray[np.uint8]] = []
    paths = (folder / name for name in ("images.u8", "ranges", "rows"))
    images_path, ranges_path, rows_path = paths
    with _grown(images_path) as images, _grown(ranges_path) as ranges, _grown(rows_path) as rows:
        for pixels, states, shown in _decoded_chunks(root, files[done:], size, log, look):
            images.seek(ready * pixels[0].size)
            images.write(pixels.tobytes())
            ranges.seek(ready * _RANGE_BYTES)
            ranges.write(shown.tobytes())
            pending.append(states)
            ready += len(states)
            now = time.monotonic()
            if now - told >= _SECONDS_BETWEEN_LINES or ready == len(files):
                for file in (images, ranges):
                    file.flush()
                    os.fsync(file.fileno())
                rows.seek(saved)
                rows.write(np.concatenate(pending).tobytes())
                rows.flush()
                told, saved, pending = now, ready, []
                left = (now - start) / (ready - done) * (len(files) - ready)
                log(f"decoded {ready:,} of {len(files):,} images, {left:,.0f} s left")
        images.truncate(len(files) * 3 * size * size)
        ranges.truncate(len(files) * _RANGE_BYTES)
        rows.truncate(len(files))


def _grown(path: Path) -> BinaryIO:
    """Open a file to write anywhere in it, keeping what it has."""
    path.touch()
    return path.open("r+b")


_Chunk = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32]]
"""images, what `rows` says of them, their ranges"""


def _decoded_chunks(
    root: Path,
    files: Sequence[ImageFile],
    size: int,
    log: Callable[[str], None],
    look: Callable[[], None],
) -> Iterator[_Chunk]:
    """Yield chunks in the files' order; threads, as decoding needs no interpreter."""
    chunks = (files[first : first + _CHUNK] for first in range(0, len(files), _CHUNK))
    heard = time.monotonic()

    def look_and_listen() -> None:
        nonlocal heard
        look()
        if time.monotonic() - heard >= _SECONDS_OF_SILENCE:
            heard = time.monotonic()
            log(f"{root}: no image could be read for {_SECONDS_OF_SILENCE:.0f} s; still waiting")

    def decode_chunk(chunk: Sequence[ImageFile]) -> _Chunk:
        return _decode_chunk(root, chunk, size)

    workers = os.cpu_count() or 1
    for done in in_order(decode_chunk, chunks, workers, _CHUNKS_AHEAD, look_and_listen):
        yield done
        heard = time.monotonic()


def _decode_chunk(root: Path, files: Sequence[ImageFile], size: int) -> _Chunk:
    pixels = np.zeros((len(files), 3, size, size), np.uint8)
    states = np.full(len(files), CORRUPT, np.uint8)
    ranges = np.full((len(files), 2), np.nan, "<f4")
    for row, file in enumerate(files):
        image = decode(root / file.name, size)
        if image is not None:
            grey = image.mode == "L"
            states[row] = (GREY if grey else COLOUR) | image.info.get(NOTES, 0)
            ranges[row] = image.info.get(SHOWN_RANGE, np.nan)
            values = np.asarray(image)
            pixels[row] = values if grey else values.transpose(2, 0, 1)
    return pixels, states, ranges
