"""Image files decoded once, in parallel, into one file of bytes that later starts only map.

The cache of a list of files is two files: `images.u8`, row after row of (3, S, S) bytes, and
`rows`, one byte for each finished row, in the same order. `rows` grows only after its images have
reached the disk, so its length says where a killed run goes on.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import struct
import time
import warnings
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps

from tui_latent.data.contents import Contents
from tui_latent.data.errors import DataError
from tui_latent.data.layout import ImageFile
from tui_latent.data.places import prepared_folders
from tui_latent.data.shared_files import NOT_WRITABLE, alone, make_folder, open_shared
from tui_latent.limits import cpu_cores

_FORMAT = 1
"""raised when the same files would be decoded to other bytes"""
COLOUR, GREY, CORRUPT = 1, 2, 3
"""what `rows` says of an image"""
_NO_IMAGE = (
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    EOFError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
"""what Pillow's many readers raise, besides OSError, for bytes that make no image"""
MOST_PIXELS = 100_000_000
"""of an image file; what says it has more is taken for a bomb that would fill the memory"""
_CHUNK = 64
"""images a thread decodes at a time"""
_CHUNKS_AHEAD = 2
"""for each thread, so that a slow disk does not fill the memory with decoded images"""
_SECONDS_BETWEEN_LINES = 1.0


@dataclass(frozen=True, eq=False)
class Decoded:
    """Images of a list of files, in its order."""

    images: NDArray[np.uint8]
    """(N, 3, S, S), a memory-mapped file; black where the file is corrupt"""
    states: NDArray[np.uint8]
    """(N,) COLOUR, GREY or CORRUPT"""


def decoded(
    root: Path,
    files: Sequence[ImageFile],
    contents: Contents,
    size: int,
    log: Callable[[str], None],
) -> Decoded:
    """Return images of `size` pixels a side, from the cache as far as it goes.

    The cache is known by `size` and by what is in the files, in their order: no name or time
    can lead to images of others. `contents` has a digest of each file. Of several processes one
    decodes and the others wait for it. DataError when the disk is too small, or a file cannot be
    read for another reason than its content.
    """
    places = [folder / f"images-{_key(contents, size)}" for folder in prepared_folders()]
    for place in places:
        if (found := _opened(place, len(files), size)) is not None:
            return found
    problem: OSError | None = None
    for place in places:
        try:
            make_folder(place.parent)
            with alone(place, lambda: log("waiting for another process that decodes")) as only:
                found = _opened(place, len(files), size)
                return found or _made(place, only, root, files, size, log)
        except OSError as error:
            problem = problem or error
            if error.errno not in NOT_WRITABLE:
                break
            log(f"{place.parent} cannot be written ({error.strerror})")
    assert problem is not None
    raise DataError(
        f"{problem.filename or places[0]}: {problem.strerror or problem}: make it writable, or set "
        "TUI_LATENT_DATA to a folder with room for decoded images"
    ) from problem


def _key(contents: Contents, size: int) -> str:
    digest = hashlib.sha256(struct.pack("<QQ", _FORMAT, size))
    digest.update(contents.tobytes())
    return digest.hexdigest()[:20]


def _opened(place: Path, count: int, size: int) -> Decoded | None:
    """Return the images where all of them are there; None otherwise."""
    try:
        if _rows_done(place, 3 * size * size) < count:
            return None
        images = np.memmap(place / "images.u8", np.uint8, "c", shape=(count, 3, size, size))
        return Decoded(images, np.fromfile(place / "rows", np.uint8, count))
    except PermissionError:  # another user's, who keeps it
        return None


def _made(
    place: Path,
    only: bool,
    root: Path,
    files: Sequence[ImageFile],
    size: int,
    log: Callable[[str], None],
) -> Decoded:
    """Decode what is not there yet; where others may be at it too, all of it in a folder apart."""
    folder = place if only else place.with_name(f".{place.name}.{secrets.token_hex(6)}")
    bytes_each = 3 * size * size
    make_folder(folder)
    try:
        done = _rows_done(folder, bytes_each)
        _refuse_full_disk(folder, (len(files) - done) * bytes_each)
        _decode_from(done, folder, root, files, size, log)
        if not only:
            if _opened(place, len(files), size) is None:
                shutil.rmtree(place, ignore_errors=True)  # what a killed process left
            with suppress(OSError):  # another process was first
                folder.rename(place)
    finally:
        if not only:
            shutil.rmtree(folder, ignore_errors=True)
    found = _opened(place, len(files), size)
    if found is None:
        raise OSError(errno.EIO, "decoded images that were just written are not there", str(place))
    return found


def _rows_done(folder: Path, bytes_each: int) -> int:
    """Return how many images are whole: what `rows` says, if the images are there."""
    try:
        states = np.fromfile(folder / "rows", np.uint8)
        there = (folder / "images.u8").stat().st_size
    except FileNotFoundError:
        return 0
    whole = np.flatnonzero(states == 0)  # a length that reached the disk before its bytes
    done = int(whole[0]) if len(whole) else len(states)
    return done if there >= done * bytes_each else 0


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
) -> None:
    """Decode the files from number `done` on, telling and saving progress once a second."""
    log(f"decoding {len(files) - done:,} images once, into {folder}")
    start = told = time.monotonic()
    ready, saved = done, done
    pending: list[NDArray[np.uint8]] = []
    images_path, rows_path = folder / "images.u8", folder / "rows"
    with open_shared(images_path) as images, open_shared(rows_path) as rows:
        for pixels, states in _decoded_chunks(root, files[done:], size):
            images.seek(ready * pixels[0].size)
            images.write(pixels.tobytes())
            pending.append(states)
            ready += len(states)
            now = time.monotonic()
            if now - told >= _SECONDS_BETWEEN_LINES or ready == len(files):
                images.flush()
                os.fsync(images.fileno())
                rows.seek(saved)
                rows.write(np.concatenate(pending).tobytes())
                rows.flush()
                told, saved, pending = now, ready, []
                left = (now - start) / (ready - done) * (len(files) - ready)
                log(f"decoded {ready:,} of {len(files):,} images, {left:,.0f} s left")
        images.truncate(len(files) * 3 * size * size)
        rows.truncate(len(files))


def _decoded_chunks(
    root: Path, files: Sequence[ImageFile], size: int
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Yield (images, states) in the files' order; threads, as decoding needs no interpreter."""
    threads = cpu_cores()
    workers = ThreadPoolExecutor(threads, thread_name_prefix="decode")
    ahead: deque[Future[tuple[NDArray[np.uint8], NDArray[np.uint8]]]] = deque()
    try:
        for first in range(0, len(files), _CHUNK):
            ahead.append(workers.submit(_decode_chunk, root, files[first : first + _CHUNK], size))
            if len(ahead) > _CHUNKS_AHEAD * threads:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        workers.shutdown(cancel_futures=True)


def _decode_chunk(
    root: Path, files: Sequence[ImageFile], size: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    pixels = np.zeros((len(files), 3, size, size), np.uint8)
    states = np.full(len(files), CORRUPT, np.uint8)
    for row, file in enumerate(files):
        path = root / file.name
        try:
            image = decode(path, size)
            same = _unchanged(path, file)
        except OSError as error:
            raise DataError(f"{path}: {error.strerror or error}: make it readable") from error
        if not same:
            raise DataError(f"{path}: changed while it was read: start again when it is finished")
        if image is not None:
            states[row] = GREY if image.mode == "L" else COLOUR
            values = np.asarray(image)
            pixels[row] = values if image.mode == "L" else values.transpose(2, 0, 1)
    return pixels, states


def _unchanged(path: Path, file: ImageFile) -> bool:
    """Say whether a file still is the one that was listed, or is missing as it was then."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return file.changed == 0
    now = stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns
    return now == (file.size, file.modified, file.changed)


def decode(path: Path, size: int) -> Image.Image | None:
    """Return the centre square of an image, `size` pixels a side, mode L or RGB; None if corrupt.

    OSError when the file cannot be read at all, such as for want of permission.
    """
    try:
        with Image.open(path) as image:
            if image.width * image.height > MOST_PIXELS:
                return None
            image.draft(None, (size, size))  # large JPEGs: decode at a fraction of their size
            return _square(_upright(image), size)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno is not None:
            raise
        return None
    except _NO_IMAGE:
        return None


def oversized(path: Path) -> bool:
    """Say whether a file claims more than MOST_PIXELS, by its header alone."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                return image.width * image.height > MOST_PIXELS
    except Image.DecompressionBombError:
        return True
    except (OSError, *_NO_IMAGE):
        return False


def _upright(image: Image.Image) -> Image.Image:
    """Return the image turned as its camera was held, mode L or RGB."""
    if image.getexif().get(ExifTags.Base.Orientation, 1) != 1:
        image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    mode = "L" if image.mode in ("1", "L", "LA") else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _square(image: Image.Image, size: int) -> Image.Image:
    """Return the centre square of an image, `size` pixels a side."""
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    box = (left, top, left + side, top + side)
    return image.resize((size, size), Image.Resampling.BILINEAR, box)
