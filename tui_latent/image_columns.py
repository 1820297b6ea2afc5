"""`columns.npz`: what a table says about the images of a run, kept in its folder."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tui_latent.runs.atomic_files import replace_file
from tui_latent.runs.schema import RunError
from tui_latent.runtime.array_files import opened_archive
from tui_latent.runtime.sanitize import plain_name
from tui_latent.sources.files.columns import Column

COLUMNS_FILE: Final = "columns.npz"
_DAMAGED: Final = (
    OSError, ValueError, TypeError, KeyError, EOFError, AttributeError, zipfile.BadZipFile,
    zlib.error,
)  # fmt: skip


class ImageColumns(NamedTuple):
    """The columns of both splits, each with a value for each latent."""

    train: tuple[Column, ...] = ()
    val: tuple[Column, ...] = ()


def write_columns(run: Path, columns: ImageColumns) -> None:
    """Write the columns of a run's images; OSError while the disk refuses it.

    Both splits must have the same columns, with the same texts.
    """
    arrays: dict[str, NDArray[np.generic]] = {}
    names = []
    for number, (train, val) in enumerate(zip(columns.train, columns.val, strict=True)):
        names.append(train.name)
        for split, column in (("train", train), ("val", val)):
            numbers = column.numbers
            arrays[f"{split}_{number}"] = column.codes if numbers is None else numbers
        if train.numbers is None:
            arrays[f"texts_{number}"] = _bytes_of(train.texts)
    arrays["names"] = _bytes_of(names)
    archive = io.BytesIO()
    np.savez_compressed(archive, allow_pickle=False, **arrays)
    replace_file(run / COLUMNS_FILE, archive.getbuffer())


def read_columns(run: Path) -> ImageColumns:
    """Read the columns of a run's images; none if the images came without any.

    RunError when the file is damaged.
    """
    path = run / COLUMNS_FILE
    try:
        with opened_archive(path) as arrays:
            names = [plain_name(name) for name in _texts_of(arrays["names"])]
            found: dict[str, list[Column]] = {"train": [], "val": []}
            for number, name in enumerate(names):
                packed = f"texts_{number}"
                texts = tuple(map(plain_name, _texts_of(arrays[packed]))) if packed in arrays \
                    else None  # fmt: skip
                for split, columns in found.items():
                    columns.append(_column(name, arrays[f"{split}_{number}"], texts))
            for columns in found.values():
                if len({len(column) for column in columns}) > 1:
                    raise ValueError("its columns differ in length")
            return ImageColumns(tuple(found["train"]), tuple(found["val"]))
    except FileNotFoundError:
        return ImageColumns()
    except _DAMAGED as error:
        raise RunError(f"{path}: cannot be read: {error}: delete it to do without it") from error


def _column(name: str, values: NDArray[np.generic], texts: tuple[str, ...] | None) -> Column:
    if values.ndim != 1:
        raise ValueError(f"column {name} has {values.ndim} dimensions")
    if texts is None:
        return Column(name, values.astype(np.float64), np.zeros(0, np.int32), ())
    codes = values.astype(np.int32)
    if len(codes) and not -1 <= int(codes.min()) <= int(codes.max()) < len(texts):
        raise ValueError(f"a value of column {name} has no text")
    return Column(name, None, codes, texts)


def _bytes_of(texts: Sequence[str]) -> NDArray[np.uint8]:
    return np.frombuffer(json.dumps(list(texts), ensure_ascii=False).encode(errors="replace"),
                         np.uint8)  # fmt: skip


def _texts_of(packed: NDArray[np.generic]) -> list[str]:
    texts = json.loads(packed.astype(np.uint8).tobytes())
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError("its list of texts is damaged")
    return texts
