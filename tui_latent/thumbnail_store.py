"""Small copies of the images of a run from elsewhere, made once and kept in its folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tui_latent.datasets.image_file import NO_IMAGE, opened
from tui_latent.datasets.shown_image import decode
from tui_latent.runs.atomic_files import temporary_beside
from tui_latent.runs.thumbnails import Split, thumbnails_file
from tui_latent.runtime.regular_files import amount
from tui_latent.runtime.sanitize import plain_line

Pixels = NDArray[np.uint8]
Pictures: TypeAlias = Sequence[Any] | Pixels | Callable[[NDArray[np.int64]], Any]
"""Images of a split: uint8 (N, H, W), (N, H, W, C) or (N, C, H, W); a sequence of paths, of arrays
of one image or of None where there is none; or a function that returns such for int64 (n,) rows"""

SIDES: Final = (64, 48, 32)
"""longest side of a thumbnail in pixels: the first with which all images fit"""
MOST_BYTES: Final = 1 << 28
"""of a split's thumbnails: 87,000 images of 32 x 32 pixels in colour"""
_AT_ONCE: Final = 256
"""images"""
_PROBED: Final = 32
"""files that are opened to see how large the images are"""
_NAMED: Final = 3
"""files without a readable image that are named"""


class ThumbnailError(ValueError):
    """Images that cannot be kept; the message says what they are and what is needed."""


@dataclass(frozen=True)
class Stored:
    """What was kept of a split's images."""

    kept: int
    wanted: int
    side: int
    """pixels of the longest side"""
    blank: tuple[str, ...] = ()
    """what could not be read as an image, by its path or row; a cross stands in its place"""

    @property
    def left_out(self) -> str:
        """Say what is missing, for the log; empty if nothing is."""
        parts = []
        if self.kept < self.wanted:
            parts.append(
                f"thumbnails are kept of the first {self.kept:,} of {self.wanted:,} images: "
                f"they take at most {amount(MOST_BYTES)}"
            )
        if self.blank:
            named = ", ".join(plain_line(name) for name in self.blank[:_NAMED])
            more = f" and {len(self.blank) - _NAMED:,} more" if len(self.blank) > _NAMED else ""
            one = len(self.blank) == 1
            parts.append(
                f"{len(self.blank):,} image{'' if one else 's'} could not be read: {named}{more}"
            )
        return "; ".join(parts)


def store_thumbnails(
    run: Path,
    split: Split,
    pictures: Pictures,
    count: int,
    workers: int = 1,
    on_chunk: Callable[[int], None] = lambda _: None,
) -> Stored:
    """Write the thumbnails of a split's `count` images, replacing earlier ones.

    Images are shrunk, never enlarged; files are cut to their centre square. `workers` threads
    decode files, and `on_chunk` is called with the images done so far: an exception from it ends
    the work, and the old file stays. ThumbnailError when arrays are not images or too few;
    OSError while the disk refuses the file.
    """
    images = _Source(pictures, count)
    if not count:
        raise ThumbnailError("there are no images")
    first = images.some(0, 1)[0]
    box = _natural_size(images, first)
    side = next((s for s in SIDES if count * _bytes(box, s) <= MOST_BYTES), SIDES[-1])
    height, width = _shrunk(box, side)
    kept = min(count, MOST_BYTES // (3 * height * width))
    blank: list[str] = []
    path = thumbnails_file(run, split)
    path.parent.mkdir(exist_ok=True)
    temporary = temporary_beside(path)
    try:
        # In colour first: whether all images are grey is known when the last has been read.
        rows = np.lib.format.open_memmap(temporary, "w+", np.uint8, (kept, 3, height, width))
        grey = True
        with ThreadPoolExecutor(workers) as pool:
            for start in range(0, kept, _AT_ONCE):
                some = images.some(start, min(start + _AT_ONCE, kept))
                shrink = partial(_small, height=height, width=width)
                shown = list(pool.map(shrink, some))
                for row, small in enumerate(shown, start):
                    if small is None:
                        blank.append(_name(some[row - start], row))
                    rows[row] = _cross(height, width) if small is None else small
                    grey = grey and (small is None or len(small) == 1)
                on_chunk(start + len(shown))
        rows.flush()
        if grey:
            _keep_one_channel(temporary, rows)
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    return Stored(kept, count, max(height, width), tuple(blank))


class _Source:
    """The images by row, each a path, an array (H, W, C), or None."""

    def __init__(self, pictures: Pictures, count: int) -> None:
        self._pictures = pictures
        self.count = count
        if not callable(pictures) and len(pictures) < count:
            raise ThumbnailError(
                f"there are {count:,} latents, but only {len(pictures):,} images: "
                "image i must belong to latent i"
            )

    def some(self, start: int, stop: int) -> list[Any]:
        """Return images `start` to `stop`."""
        if callable(self._pictures):
            found = self._pictures(np.arange(start, stop, dtype=np.int64))
            if len(found) != stop - start:
                raise ThumbnailError(
                    f"thumbnails: asked for {stop - start:,} images, the function returned "
                    f"{len(found):,}"
                )
        else:
            found = self._pictures[start:stop]
        if isinstance(found, (list, tuple)):
            return [_one(image) for image in found]
        array = np.asarray(found)
        if array.dtype.kind in "US":  # paths
            return [_one(str(path)) for path in array.tolist()]
        if array.ndim not in (3, 4):
            raise _not_images(array, "N, ")
        return list(_channels_last(array, "N, "))


def _one(image: Any) -> Any:
    if image is None or isinstance(image, (str, os.PathLike)):
        return image
    array = np.asarray(image)
    if array.ndim not in (2, 3):
        raise _not_images(array, "")
    return _channels_last(array[None], "")[0]


def _channels_last(images: NDArray[Any], lead: str) -> Pixels:
    """Return (N, H, W), (N, C, H, W) or (N, H, W, C) images as (N, H, W, C)."""
    if images.ndim == 3:
        images = images[..., None]
    elif images.shape[-1] not in (1, 3) and images.shape[1] in (1, 3):
        images = np.moveaxis(images, 1, -1)
    if images.dtype != np.uint8 or images.shape[-1] not in (1, 3) or 0 in images.shape[1:]:
        raise _not_images(images, lead)
    return images


def _not_images(array: NDArray[Any], lead: str) -> ThumbnailError:
    shape = ", ".join(map(str, array.shape))
    return ThumbnailError(
        f"thumbnails are an array of {array.dtype} ({shape}): they must be uint8, from 0 to 255, "
        f"({lead}H, W), ({lead}H, W, C) or ({lead}C, H, W) with 1 or 3 channels"
    )


def _natural_size(images: _Source, first: Any) -> tuple[int, int]:
    """Return height and width of the images; for files, a square as large as the largest probed."""
    if isinstance(first, np.ndarray):
        return first.shape[0], first.shape[1]
    sides = []
    for image in _probed(images):
        with suppress(OSError, *NO_IMAGE), opened(Path(image)) as file:
            sides.append(min(file.size))
    side = max(sides, default=SIDES[0])
    return side, side


def _probed(images: _Source) -> Iterator[Any]:
    for image in images.some(0, min(_PROBED, images.count)):
        if isinstance(image, (str, os.PathLike)):
            yield image


def _shrunk(size: tuple[int, int], side: int) -> tuple[int, int]:
    height, width = size
    factor = min(side / max(size), 1)
    return max(round(height * factor), 1), max(round(width * factor), 1)


def _bytes(size: tuple[int, int], side: int) -> int:
    height, width = _shrunk(size, side)
    return 3 * height * width


def _small(image: Any, height: int, width: int) -> Pixels | None:
    """Return an image as uint8 (C, height, width); None if it cannot be read."""
    if image is None:
        return None
    if isinstance(image, np.ndarray):
        if image.shape[:2] == (height, width):
            return np.moveaxis(image, -1, 0)
        picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    else:
        try:
            decoded = decode(Path(image), max(height, width))
        except OSError:
            return None
        if decoded is None:
            return None
        picture = decoded
    if picture.size != (width, height):
        picture = picture.resize((width, height), Image.Resampling.BOX)
    array = np.asarray(picture)
    return array[None] if array.ndim == 2 else np.moveaxis(array, -1, 0)


def _cross(height: int, width: int) -> Pixels:
    """Return what is shown where there is no image: a cross on grey, (1, height, width)."""
    shown = np.full((1, height, width), 96, np.uint8)
    places = np.linspace(0, 1, 2 * max(height, width))
    rows = np.rint(places * (height - 1)).astype(int)
    columns = np.rint(places * (width - 1)).astype(int)
    shown[0, rows, columns] = shown[0, rows, width - 1 - columns] = 192
    return shown


def _name(image: Any, row: int) -> str:
    return str(image) if isinstance(image, (str, os.PathLike)) else f"row {row:,}"


def _keep_one_channel(path: Path, rows: NDArray[np.uint8]) -> None:
    """Write a file of images in colour again with their first channel alone."""
    other = temporary_beside(path)
    try:
        with other.open("xb") as file:
            header = {
                "descr": "|u1",
                "fortran_order": False,
                "shape": (len(rows), 1, *rows.shape[2:]),
            }
            np.lib.format.write_array_header_1_0(file, header)
            for start in range(0, len(rows), _AT_ONCE):
                file.write(rows[start : start + _AT_ONCE, :1].tobytes())
        other.replace(path)
    except OSError:
        with suppress(OSError):
            other.unlink(missing_ok=True)
        raise
