"""`rows.npz`: which row of an opened file each latent is, and its id."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.runs.atomic_files import replace_file
from tui_latent.runs.schema import RunError
from tui_latent.runs.thumbnails import Split
from tui_latent.runtime.array_files import opened_archive
from tui_latent.runtime.sanitize import plain_name

ROWS_FILE: Final = "rows.npz"
_SPLITS: Final[tuple[Split, ...]] = ("train", "val")
_DAMAGED: Final = (
    OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class RowIds:
    """What the latents of one split were called where they come from."""

    rows: NDArray[np.int64]
    """(N,) rows of the file, from 0"""
    ids: tuple[str, ...]
    """of each latent; empty where the file has no ids"""

    def name(self, index: int) -> str:
        """Return what to call a latent: its id, or else the row of the file."""
        return plain_name(self.ids[index]) if self.ids else f"row {self.rows[index]:,}"


def write_row_ids(run: Path, ids: dict[Split, RowIds]) -> None:
    """Write the rows and ids of each split; OSError while the disk refuses it."""
    arrays: dict[str, NDArray[np.generic]] = {}
    for split, of in ids.items():
        arrays[f"{split}_rows"] = np.asarray(of.rows, np.int64)
        if of.ids:
            texts, ends = _packed(of.ids)
            arrays |= {f"{split}_ids": texts, f"{split}_id_ends": ends}
    archive = io.BytesIO()
    np.savez_compressed(archive, allow_pickle=False, **arrays)
    replace_file(run / ROWS_FILE, archive.getbuffer())


def read_row_ids(run: Path) -> dict[Split, RowIds]:
    """Read the rows and ids of an opened run by split; empty for other runs.

    RunError when the file is damaged.
    """
    path = run / ROWS_FILE
    found: dict[Split, RowIds] = {}
    try:
        with opened_archive(path) as arrays:
            for split in _SPLITS:
                if f"{split}_rows" in arrays:
                    rows = arrays[f"{split}_rows"].astype(np.int64)
                    ids: tuple[str, ...] = ()
                    if f"{split}_ids" in arrays:
                        ids = _unpacked(arrays[f"{split}_ids"], arrays[f"{split}_id_ends"])
                    if rows.ndim != 1 or (ids and len(ids) != len(rows)):
                        raise ValueError("its arrays differ in length")
                    found[split] = RowIds(rows, ids)
    except FileNotFoundError:
        return {}
    except (
        OSError,
        ValueError,
        TypeError,
        KeyError,
        EOFError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise RunError(f"{path}: cannot be read: {error}") from error
    return found


def _packed(ids: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the texts as one piece of UTF-8 and where each ends: numpy's own texts would take
    four bytes a character, and as many for each as for the longest."""
    encoded = [name.encode("utf-8", "backslashreplace") for name in ids]
    ends = np.cumsum([len(name) for name in encoded], dtype=np.int64)
    return np.frombuffer(b"".join(encoded), np.uint8), ends


def _unpacked(texts: NDArray[np.uint8], ends: NDArray[np.int64]) -> tuple[str, ...]:
    whole = texts.astype(np.uint8).tobytes()
    ids, start = [], 0
    for end in ends.tolist():
        ids.append(whole[start:end].decode("utf-8", "replace"))
        start = end
    return tuple(ids)
