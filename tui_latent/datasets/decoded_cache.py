"""Decode image files once, in parallel, into a cache file that later starts only map into memory.

The cache of a list of files consists of three files. `images.u8` has (3, S, S) bytes per image.
`ranges` has the two pixel values shown as 0 and 255, or NaN for 8-bit files. `rows` has one byte
per finished image and grows only after the images have been synced to disk, so its length says
where an interrupted run continues.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tui_latent.datasets.content_digests import Contents
from tui_latent.datasets.image_file import NOTES, SHOWN_RANGE, decode
from tui_latent.datasets.image_item import ImageItem
from tui_latent.datasets.paths import prepared_folders
from tui_latent.datasets.progress import ProgressLog
from tui_latent.datasets.read_ahead import in_order
from tui_latent.datasets.shared_files import NOT_WRITABLE, alone, make_folder, open_shared
from tui_latent.runtime.limits import cpu_cores
from tui_latent.runtime.regular_files import SizeError
from tui_latent.sources.errors import DataError

_FORMAT = 2
"""incremented when the same files would be decoded to different bytes"""
COLOUR, GREY, CORRUPT = 1, 2, 3
"""values of the two lowest bits of `rows`"""
_STATE = 3
_CHUNK = 64
"""images that a thread decodes at a time"""
_CHUNKS_AHEAD = 2
"""per thread; bounds the memory that decoded images take while they wait for a slow disk"""
_SECONDS_BETWEEN_SYNCS = 1.0
_SECONDS_OF_SILENCE = 10.0
"""after which the log says that the disk does not respond"""
_RANGE_BYTES = 8


@dataclass(frozen=True, eq=False)
class Decoded:
    """The decoded images of a list of files, in the same order."""

    images: NDArray[np.uint8]
    """(N, 3, S, S), memory-mapped; black if the file is corrupt"""
    states: NDArray[np.uint8]
    """(N,) COLOUR, GREY or CORRUPT"""
    notes: NDArray[np.uint8]
    """(N,) what was done to each image: the bits that `image_file` defines, from TRANSPARENT on"""
    ranges: NDArray[np.float32]
    """(N, 2) pixel values shown as 0 and 255; NaN for 8-bit files"""


def decoded(
    where: str,
    items: Sequence[ImageItem],
    contents: Contents,
    size: int,
    log: Callable[[str], None],
    poll: Callable[[], None] = lambda: None,
) -> Decoded:
    """Return square images with sides of `size` pixels; decode those that are not in the cache.

    The cache is identified by `size` and by the digests of the items, `contents`, in their order,
    so that no name or time can lead to the images of other files. If several processes need
    it, one decodes and the others wait.

    `where` says in messages where the items come from: a folder, or an archive.
    `poll` is called at least ten times a second, even while the disk does not respond; an
    exception from it ends the work. DataError if the disk is too small, or if a file cannot be
    read for any reason other than its content.
    """
    places = [folder / f"images-{_key(contents, size)}" for folder in prepared_folders()]
    for place in places:
        if (found := _opened(place, len(items), size)) is not None:
            return found
    problem: OSError | None = None
    for place in places:
        try:
            make_folder(place.parent)
            with alone(place, lambda: log("waiting for another process to decode")) as only:
                found = _opened(place, len(items), size)
                return found or _made(place, only, where, items, size, log, poll)
        except OSError as error:
            problem = problem or error
            if error.errno not in NOT_WRITABLE:
                break
            log(f"{place.parent} is not writable ({error.strerror})")
    assert problem is not None
    raise DataError(
        f"{problem.filename or places[0]}: {problem.strerror or problem}: make it writable, or set "
        "TUI_LATENT_DATA to a folder with space for decoded images"
    ) from problem


def _key(contents: Contents, size: int) -> str:
    digest = hashlib.sha256(struct.pack("<QQ", _FORMAT, size))
    digest.update(contents.tobytes())
    return digest.hexdigest()[:20]


def _opened(place: Path, count: int, size: int) -> Decoded | None:
    """Return the images if the cache has all of them, else None."""
    try:
        if _rows_done(place, 3 * size * size) < count:
            return None
        images = np.memmap(place / "images.u8", np.uint8, "c", shape=(count, 3, size, size))
        rows = np.fromfile(place / "rows", np.uint8, count)
        ranges = np.fromfile(place / "ranges", "<f4", 2 * count).reshape(count, 2)
        return Decoded(images, rows & np.uint8(_STATE), rows & np.uint8(255 - _STATE), ranges)
    except PermissionError:  # it belongs to another user
        return None


def _made(
    place: Path,
    only: bool,
    where: str,
    items: Sequence[ImageItem],
    size: int,
    log: Callable[[str], None],
    poll: Callable[[], None],
) -> Decoded:
    """Decode what is missing; without a lock (`only` is false), everything in a private folder."""
    folder = place if only else place.with_name(f".{place.name}.{secrets.token_hex(6)}")
    bytes_each = 3 * size * size
    make_folder(folder)
    try:
        done = _rows_done(folder, bytes_each)
        _refuse_full_disk(folder, (len(items) - done) * bytes_each)
        _decode_from(done, folder, where, items, size, log, poll)
        if not only:
            if _opened(place, len(items), size) is None:
                shutil.rmtree(place, ignore_errors=True)  # left by a killed process
            with suppress(OSError):  # another process was faster
                folder.rename(place)
    finally:
        if not only:
            shutil.rmtree(folder, ignore_errors=True)
    found = _opened(place, len(items), size)
    if found is None:
        raise OSError(errno.EIO, "decoded images that were just written are missing", str(place))
    return found


def _rows_done(folder: Path, bytes_each: int) -> int:
    """Return the number of complete images: what `rows` says, if the other files agree."""
    try:
        states = np.fromfile(folder / "rows", np.uint8)
        images = (folder / "images.u8").stat().st_size
        ranges = (folder / "ranges").stat().st_size
    except FileNotFoundError:
        return 0
    # The length of a file may reach the disk before its bytes, which are then 0.
    lost = np.flatnonzero(states == 0)
    done = int(lost[0]) if len(lost) else len(states)
    there = images >= done * bytes_each and ranges >= done * _RANGE_BYTES
    return done if there else 0


def _refuse_full_disk(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise DataError(
            f"{folder}: decoded images need {needed / 1e9:.1f} GB, but {free / 1e9:.1f} GB are "
            "left: free some space, lower data.size, or set TUI_LATENT_DATA to another disk"
        )


def _decode_from(
    done: int,
    folder: Path,
    where: str,
    items: Sequence[ImageItem],
    size: int,
    log: Callable[[str], None],
    poll: Callable[[], None],
) -> None:
    """Decode the files from index `done` on; log and save the progress once a second."""
    log(f"decoding {len(items) - done:,} images once, into {folder}")
    start = synced = time.monotonic()
    ready, saved = done, done
    pending: list[NDArray[np.uint8]] = []
    with (
        open_shared(folder / "images.u8") as images,
        open_shared(folder / "ranges") as ranges,
        open_shared(folder / "rows") as rows,
    ):
        for pixels, states, shown in _decoded_chunks(where, items[done:], size, log, poll):
            images.seek(ready * pixels[0].size)
            images.write(pixels.tobytes())
            ranges.seek(ready * _RANGE_BYTES)
            ranges.write(shown.tobytes())
            pending.append(states)
            ready += len(states)
            now = time.monotonic()
            if now - synced >= _SECONDS_BETWEEN_SYNCS or ready == len(items):
                for file in (images, ranges):
                    file.flush()
                    os.fsync(file.fileno())
                rows.seek(saved)
                rows.write(np.concatenate(pending).tobytes())
                rows.flush()
                synced, saved, pending = now, ready, []
                left = (now - start) / (ready - done) * (len(items) - ready)
                log(f"decoded {ready:,} of {len(items):,} images, {left:,.0f} s left")
        images.truncate(len(items) * 3 * size * size)
        ranges.truncate(len(items) * _RANGE_BYTES)
        rows.truncate(len(items))


_Chunk = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32]]
"""images, their bytes in `rows`, their ranges"""


def _decoded_chunks(
    where: str,
    items: Sequence[ImageItem],
    size: int,
    log: Callable[[str], None],
    poll: Callable[[], None],
) -> Iterator[_Chunk]:
    """Yield chunks in the order of the files, decoded in threads: decoding releases the GIL."""
    chunks = (items[first : first + _CHUNK] for first in range(0, len(items), _CHUNK))
    silence = ProgressLog(log, _SECONDS_OF_SILENCE)

    def poll_and_report() -> None:
        poll()
        silence(f"{where}: no image could be read for {_SECONDS_OF_SILENCE:.0f} s; still waiting")

    threads = cpu_cores()
    ahead = _CHUNKS_AHEAD * threads
    for done in in_order(
        partial(_decode_chunk, size=size), chunks, threads, ahead, poll_and_report
    ):
        yield done
        silence.restart()


def _decode_chunk(items: Sequence[ImageItem], size: int) -> _Chunk:
    pixels = np.zeros((len(items), 3, size, size), np.uint8)
    states = np.full(len(items), CORRUPT, np.uint8)
    ranges = np.full((len(items), 2), np.nan, "<f4")
    for row, item in enumerate(items):
        image = _decoded(item, size)
        if image is not None:
            grey = image.mode == "L"
            states[row] = (GREY if grey else COLOUR) | image.info.get(NOTES, 0)
            ranges[row] = image.info.get(SHOWN_RANGE, np.nan)
            values = np.asarray(image)
            pixels[row] = values if grey else values.transpose(2, 0, 1)
    return pixels, states, ranges


def _decoded(item: ImageItem, size: int) -> Image.Image | None:
    """Return an item as an image; None if it is corrupt, DataError if it cannot be read."""
    try:
        return decode(item.read(), size)
    except (FileNotFoundError, SizeError):
        return None
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.EISDIR):  # no longer a regular file
            return None
        raise DataError(f"{item.place}: {error.strerror or error}: make it readable") from error
