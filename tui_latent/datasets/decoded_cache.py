"""Decode images once, in parallel, into a cache file that later starts only map into memory.

The cache of a list of images consists of these files. `images.u8` or `images.u16` has C x S x S
pixels per image, in 8 or 16 bits. `rows` has the facts of each finished image (see
`item_decoding.FACTS`) and grows only after the images have been synced to disk, so its length says
where an interrupted run continues. `about.json` is written last. `counts.npz` has how often each
value occurs, if that was asked for.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui_latent.datasets.content_digests import Contents
from tui_latent.datasets.image_item import ImageItem
from tui_latent.datasets.item_decoding import (
    FACTS,
    NO_PIXELS,
    WHOLE,
    Decoding,
    Facts,
    Found,
    decode_chunk,
)
from tui_latent.datasets.prepared_store import prepared
from tui_latent.datasets.progress import ProgressLog
from tui_latent.datasets.read_ahead import in_order
from tui_latent.datasets.shared_files import make_folder, open_shared, whole_file
from tui_latent.nouns import counted
from tui_latent.runtime.limits import cpu_cores
from tui_latent.sources.errors import DataError
from tui_latent.sources.files.value_range import ValueCounts

_FORMAT = 5
"""incremented when the same images would be decoded to different bytes"""
_CHUNK = 64
"""images that a thread decodes at a time"""
_CHUNK_BYTES = 1 << 25
"""maximum size of a chunk of decoded images"""
_CHUNKS_AHEAD = 2
"""per thread; bounds the memory that decoded images take while they wait for a slow disk"""
_SECONDS_BETWEEN_SYNCS = 1.0
_SECONDS_OF_SILENCE = 10.0
"""after which the log says that the disk does not respond"""
_ABOUT, _ROWS, _COUNTS = "about.json", "rows", "counts.npz"


@dataclass(frozen=True, eq=False)
class Decoded:
    """The decoded images of a list of items, in the same order."""

    images: NDArray[Any] | None
    """uint8 or uint16 (N, C, S, S), memory-mapped; black if an image is corrupt. None if the
    scales are not chosen yet."""
    facts: Facts
    """(N,) FACTS"""
    names: tuple[str, ...]
    """of the channels; empty if no file has any"""
    counts: ValueCounts | None


def decoded(
    where: str,
    items: Sequence[ImageItem],
    contents: Contents,
    how: Decoding,
    log: Callable[[str], None],
    poll: Callable[[], None] = lambda: None,
) -> Decoded:
    """Return images as `how` says; decode those that are not in the cache.

    Without `how.scales` there are pixels if all images that are not corrupt are 8-bit pictures in
    grey or colour; else only facts. The cache is identified by `how` and by the digests of the
    items, `contents`, in their order, so that no name or time can lead to the images of other
    files. If several processes need it, one decodes and the others wait.

    `where` says in messages where the items come from: a folder, or an archive.
    `poll` is called at least ten times a second, even while the disk does not respond; an
    exception from it ends the work. DataError if the disk is too small, or if an item cannot be
    read for any reason other than its content.
    """
    return prepared(
        f"images-{_key(contents, how)}",
        lambda place: _opened(place, len(items), how),
        lambda place, only: _made(place, only, where, items, how, log, poll),
        "to decode",
        "decoded images",
        log,
    )


def _key(contents: Contents, how: Decoding) -> str:
    digest = hashlib.sha256(repr((_FORMAT, *astuple(how))).encode())
    digest.update(contents.tobytes())
    return digest.hexdigest()[:20]


def _pixels(folder: Path, how: Decoding) -> Path:
    return folder / f"images.u{8 * how.dtype.itemsize}"


def _opened(place: Path, count: int, how: Decoding) -> Decoded | None:
    """Return the images if the cache has all of them, else None."""
    try:
        about = json.loads((place / _ABOUT).read_bytes())
        channels, names = int(about["channels"]), tuple(map(str, about["names"]))
        facts = np.fromfile(place / _ROWS, FACTS, count)
        if len(facts) < count or not facts["state"].all():
            return None
        images, counts = None, None
        if channels:
            shape = (count, channels, how.size, how.size)
            images = np.memmap(_pixels(place, how), how.dtype, "c", shape=shape)
        if how.counted:
            with np.load(place / _COUNTS, allow_pickle=False) as arrays:
                counts = ValueCounts(arrays["whole"], arrays["binned"])
        return Decoded(images, facts, names, counts)
    except PermissionError:  # it belongs to another user
        return None
    except (FileNotFoundError, ValueError, KeyError, TypeError):  # unfinished, or torn
        return None


def _made(
    place: Path,
    only: bool,
    where: str,
    items: Sequence[ImageItem],
    how: Decoding,
    log: Callable[[str], None],
    poll: Callable[[], None],
) -> Decoded:
    """Decode what is missing; without a lock (`only` is false), everything in a private folder."""
    folder = place if only else place.with_name(f".{place.name}.{secrets.token_hex(6)}")
    make_folder(folder)
    try:
        (folder / _ABOUT).unlink(missing_ok=True)  # of images that have since been torn
        done = 0 if how.counted else _rows_done(folder, how)
        if not how.counted:
            _refuse_full_disk(folder, (len(items) - done) * how.bytes_each)
        _decode_from(done, folder, where, items, how, log, poll)
        if not only:
            if _opened(place, len(items), how) is None:
                shutil.rmtree(place, ignore_errors=True)  # left by a killed process
            with suppress(OSError):  # another process was faster
                folder.rename(place)
    finally:
        if not only:
            shutil.rmtree(folder, ignore_errors=True)
    found = _opened(place, len(items), how)
    if found is None:
        raise OSError(errno.EIO, "decoded images that were just written are missing", str(place))
    return found


def _rows_done(folder: Path, how: Decoding) -> int:
    """Return the number of complete images: what `rows` says, if the pixels agree."""
    try:
        states = np.fromfile(folder / _ROWS, FACTS)["state"]
        images = _pixels(folder, how).stat().st_size
    except FileNotFoundError:
        return 0
    # The length of a file may reach the disk before its bytes, which are then 0.
    lost = np.flatnonzero(states == 0)
    done = int(lost[0]) if len(lost) else len(states)
    return done if images >= done * how.bytes_each else 0


def _refuse_full_disk(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise DataError(
            f"{folder}: decoded images need {needed / 1e9:.1f} GB, but only {free / 1e9:.1f} GB "
            "is available: free some space, lower data.size, or set TUI_LATENT_DATA to another disk"
        )


def _decode_from(
    done: int,
    folder: Path,
    where: str,
    items: Sequence[ImageItem],
    how: Decoding,
    log: Callable[[str], None],
    poll: Callable[[], None],
) -> None:
    """Decode the items from index `done` on; log and save the progress once a second."""
    again = " once more, now that the range of their values is known" if how.scales else " once"
    log(f"decoding {counted(len(items) - done, 'image')}{again}, into {folder}")
    start = synced = time.monotonic()
    ready, saved = done, done
    pending: list[Facts] = []
    found = Found(ValueCounts() if how.counted else None)
    with open_shared(_pixels(folder, how)) as images, open_shared(folder / _ROWS) as rows:
        for pixels, facts in _decoded_chunks(where, items[done:], how, found, log, poll):
            ready += len(facts)
            if pixels is None:  # leaves a hole, which takes no space
                images.truncate(max(ready * how.bytes_each, images.seek(0, os.SEEK_END)))
            else:
                images.seek((ready - len(facts)) * how.bytes_each)
                images.write(pixels.tobytes())
            pending.append(facts)
            now = time.monotonic()
            if now - synced >= _SECONDS_BETWEEN_SYNCS or ready == len(items):
                images.flush()
                os.fsync(images.fileno())
                rows.seek(saved * FACTS.itemsize)
                rows.write(np.concatenate(pending).tobytes())
                rows.flush()
                synced, saved, pending = now, ready, []
                left = (now - start) / (ready - done) * (len(items) - ready)
                log(f"decoded {ready:,} of {len(items):,} images, {left:,.0f} s left")
        images.truncate(len(items) * how.bytes_each)
        rows.truncate(len(items) * FACTS.itemsize)
        os.fsync(rows.fileno())
    _finish(folder, how, found)


def _finish(folder: Path, how: Decoding, found: Found) -> None:
    """Keep one channel if all images are grey, and no pixels if the scales are to be chosen."""
    facts = np.fromfile(folder / _ROWS, FACTS)
    whole = facts[facts["state"] == WHOLE]
    channels = how.channels
    if how.scales is None:
        channels = 3 if (whole["channels"] == 3).any() or not len(whole) else 1
        if how.counted or (whole["notes"] & NO_PIXELS).any():
            channels = 0
    if channels == 1 and how.channels == 3:
        _keep_one_channel(folder, how, len(facts))
    if not channels:
        _pixels(folder, how).unlink(missing_ok=True)
    if found.counts is not None:
        with whole_file(folder / _COUNTS) as file:
            np.savez_compressed(
                file, allow_pickle=False, whole=found.counts.whole, binned=found.counts.binned
            )
    with whole_file(folder / _ABOUT) as file:
        file.write(json.dumps({"channels": channels, "names": found.names}).encode())


def _keep_one_channel(folder: Path, how: Decoding, count: int) -> None:
    path, plane = _pixels(folder, how), how.size * how.size * how.dtype.itemsize
    at_once = max(_CHUNK_BYTES // how.bytes_each, 1)
    with open_shared(path) as images, whole_file(path) as grey:
        for first in range(0, count, at_once):
            images.seek(first * how.bytes_each)
            part = np.frombuffer(images.read(at_once * how.bytes_each), np.uint8)
            grey.write(np.ascontiguousarray(part.reshape(-1, how.channels, plane)[:, 0]).data)


def _decoded_chunks(
    where: str,
    items: Sequence[ImageItem],
    how: Decoding,
    found: Found,
    log: Callable[[str], None],
    poll: Callable[[], None],
) -> Iterator[tuple[NDArray[Any] | None, Facts]]:
    """Yield chunks in the order of the items, decoded in threads: decoding releases the GIL."""
    size = max(min(_CHUNK, _CHUNK_BYTES // how.bytes_each), 1)
    chunks = (items[first : first + size] for first in range(0, len(items), size))
    silence = ProgressLog(log, _SECONDS_OF_SILENCE)

    def poll_and_report() -> None:
        poll()
        silence(f"{where}: no image could be read for {_SECONDS_OF_SILENCE:.0f} s; still waiting")

    threads = cpu_cores()
    ahead = _CHUNKS_AHEAD * threads
    work = partial(decode_chunk, how=how, found=found)
    for done in in_order(work, chunks, threads, ahead, poll_and_report):
        yield done
        silence.restart()
