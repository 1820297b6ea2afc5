"""The images of opened vectors: files in a folder, paths in a column, or the images themselves."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tui_latent.datasets.image_file import MOST_PIXELS, NO_IMAGE, opened
from tui_latent.nouns import counted
from tui_latent.opening.errors import OpenError
from tui_latent.opening.vectors import VectorFile
from tui_latent.runtime.sanitize import plain_name
from tui_latent.thumbnail_store import SIDES

_ENDINGS: Final = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm",
    ".pgm", ".pnm", ".mpo", ".jfif")  # fmt: skip
"""of the files in a folder that count as images when they are matched with rows by their order"""
_SIDE: Final = SIDES[0]


@dataclass(frozen=True, eq=False)
class ImagesOfRows:
    """An image for each row of the vectors' file."""

    of: Callable[[NDArray[np.int64]], Any]
    """returns the images of rows, as `store_thumbnails` takes them"""
    told: str
    """where they are from, and how they were joined"""
    named: Callable[[int], str]
    """returns the path of a row's image; empty if it has none"""


def images_of(file: VectorFile, named: str, ids: Sequence[str] | None) -> ImagesOfRows:
    """Find the images that DIR or COLUMN names; OpenError if there are none."""
    if (read := file.column(named)) is not None:
        return _of_column(file, named, read())
    folder = Path(named)
    if not folder.is_dir():
        columns = ", ".join(map(plain_name, list(file.columns)[:8])) or "no other columns"
        raise OpenError(
            f"--images {named}: there is no such folder, and {file.path.name} has no column of "
            f"that name: it has {columns}"
        )
    return _of_folder(file, folder, ids)


def _of_column(file: VectorFile, name: str, values: Any) -> ImagesOfRows:
    where = f"column {plain_name(name)} of {file.path.name}"
    if isinstance(values, np.ndarray) and values.dtype.kind not in "USO":
        array: NDArray[Any] = values
        return ImagesOfRows(lambda rows: array[rows], where, lambda _: "")
    if isinstance(values, np.ndarray):
        values = values.tolist()
    base = file.path.parent
    found = [_item(value, base) for value in values]
    paths = [item for item in found if isinstance(item, Path)]
    if paths and len(paths) == len(found) and not any(path.is_file() for path in paths[:1000]):
        raise OpenError(
            f"--images {name}: there is no file at {paths[0]}, nor at the other paths: a relative "
            f"path starts from the folder of {file.path.name}"
        )
    if not any(item is not None for item in found):
        raise OpenError(f"--images {name}: {where} has neither paths nor images")
    return ImagesOfRows(
        lambda rows: [_decoded(found[row]) for row in rows.tolist()],
        where,
        lambda row: str(found[row]) if isinstance(found[row], Path) else "",
    )


def _item(value: Any, base: Path) -> Path | bytes | None:
    """Return a path or the bytes of an image file, even from a table that `datasets` wrote."""
    if isinstance(value, dict):
        value = value.get("bytes") or value.get("path")
    if isinstance(value, bytes):
        return value
    return base / Path(value).expanduser() if isinstance(value, str) and value else None


def _decoded(item: Path | bytes | None) -> Path | NDArray[np.uint8] | None:
    """Return a path as it is, the bytes of an image file as its small centre square."""
    if not isinstance(item, bytes):
        return item
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with opened(item) as image:
                if image.width * image.height > MOST_PIXELS:
                    return None
                image.draft(None, (_SIDE, _SIDE))
                picture = image.convert("L" if image.mode in ("1", "L") else "RGB")
    except (OSError, *NO_IMAGE):
        return None
    side = min(picture.size)
    left, top = (picture.width - side) / 2, (picture.height - side) / 2
    box = (left, top, left + side, top + side)
    return np.asarray(picture.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR, box))


def _of_folder(file: VectorFile, folder: Path, ids: Sequence[str] | None) -> ImagesOfRows:
    there = _files_in(folder)
    if not there:
        raise OpenError(f"--images {folder}: there are no images in it")
    if ids is None:
        if len(there) != file.rows:
            here = counted(len(there), "image")
            raise OpenError(
                f"--images {folder}: it has {here}, but {file.path.name} has "
                f"{file.rows:,} rows: there must be one for each row, or ids that are names of "
                "files (--ids COLUMN)"
            )
        paths: list[Path | None] = [folder / name for name in there]
        told = f"{folder}, by row: its files in the order of their names"
    else:
        paths, told = _by_id(folder, there, ids)
    return ImagesOfRows(
        lambda rows: [paths[row] for row in rows.tolist()],
        told,
        lambda row: str(paths[row] or ""),
    )


_KEYS: Final[tuple[Callable[[Path], str], ...]] = (
    Path.as_posix,
    lambda path: path.with_suffix("").as_posix(),
    lambda path: path.name,
    lambda path: path.stem,
)


def _by_id(folder: Path, there: list[Path], ids: Sequence[str]) -> tuple[list[Path | None], str]:
    """Find the file of each id: by its path in the folder, its name, or its name without extension.

    The way that finds most files is taken. If several files have the same key, none of them is
    meant.
    """
    best: list[Path | None] = []
    matched = 0
    names = [Path(text).name for text in ids]
    for key in _KEYS:
        files: dict[str, Path | None] = {}
        for path in there:
            files[key(path)] = None if key(path) in files else path
        for asked in (ids, names):
            found = [files.get(text) for text in asked]
            if (count := len(found) - found.count(None)) > matched:
                best, matched = found, count
    if not matched:
        raise OpenError(
            f"--images {folder}: no file in it is named after an id: it has "
            f"'{plain_name(str(there[0]))}', the first id is '{plain_name(ids[0])}'"
        )
    missing = len(ids) - matched
    told = f"{folder}, by id" + (f"; {counted(missing, 'row')} without an image" if missing else "")
    return [None if path is None else folder / path for path in best], told


def _files_in(folder: Path) -> list[Path]:
    """Return the images below a folder, in the order of ImageFolder: folder by folder, by name."""
    found = []
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inside = Path(root).relative_to(folder)
        images = (inside / name for name in names if not name.startswith("."))
        found += [path for path in images if path.suffix.casefold() in _ENDINGS]
    return sorted(found, key=lambda path: path.parts)
