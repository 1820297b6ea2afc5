"""`curves.npz`: the curves up to a record, so that a long run opens without reading all of it.

A shortcut only: the trainer writes it with each checkpoint, readers take it where it belongs to
the `metrics.jsonl` beside it, and without it the same curves come out of that file.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.runs.atomic_files import replace_file
from tui_latent.runs.curves import BIN_FIELDS, BinState
from tui_latent.runtime.array_files import opened_archive

NAME: Final = "curves.npz"
_LARGEST_STEP: Final = 2**53
_MOST_BYTES: Final = 2**27
"""unpacked; a thousand metrics take half of it"""
_TORN: Final = (
    OSError, ValueError, TypeError, KeyError, EOFError, NotImplementedError, MemoryError,
    RecursionError, AttributeError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


@dataclass(frozen=True)
class CurveCache:
    """All that a reader of `metrics.jsonl` knows at one of its offsets."""

    offset: int
    """bytes of the file that are in it"""
    anchor: bytes
    """the last bytes before the offset, by which the file is known again"""
    last_step: int
    skipped: int
    """lines that are not records"""
    cuts: tuple[tuple[int, int], ...]
    """(offset, step): what lies before the offset from this step on has been replaced"""
    bins: dict[str, BinState]
    """by metric, in order of first appearance"""


def write_curve_cache(path: Path, kept: CurveCache) -> None:
    """Put the curves at `path` in one piece; nothing happens where the disk does not take them."""
    about = {
        "offset": kept.offset,
        "anchor": kept.anchor.hex(),
        "last_step": kept.last_step,
        "skipped": kept.skipped,
        "cuts": kept.cuts,
        "metrics": [
            [name, state.width, state.best, state.non_finite] for name, state in kept.bins.items()
        ],
    }
    arrays: dict[str, NDArray[Any]] = {
        "about": np.frombuffer(json.dumps(about).encode(), dtype=np.uint8)
    }
    for index, state in enumerate(kept.bins.values()):
        arrays[f"bins_{index}"], arrays[f"newest_{index}"] = state.bins, state.newest
    archive = io.BytesIO()
    np.savez(archive, allow_pickle=False, **arrays)
    with suppress(OSError):
        replace_file(path, archive.getbuffer())


def read_curve_cache(path: Path) -> CurveCache | None:
    """Read the curves at `path`; None when they are missing or damaged."""
    try:
        with opened_archive(path, _MOST_BYTES) as arrays:
            about = json.loads(arrays["about"].tobytes())
            bins = {}
            for index, (name, width, best, non_finite) in enumerate(about["metrics"]):
                if type(name) is not str:
                    raise ValueError("a metric has no name")
                bins[name] = BinState(
                    _whole(width, 1),
                    _rows(arrays[f"bins_{index}"], len(BIN_FIELDS)),
                    _rows(arrays[f"newest_{index}"], 3),
                    float(best),
                    _whole(non_finite, 0),
                )
        return CurveCache(
            _whole(about["offset"], 1),
            bytes.fromhex(about["anchor"]),
            _whole(about["last_step"], 0),
            _whole(about["skipped"], 0),
            tuple((_whole(offset, 0), _whole(step, 0)) for offset, step in about["cuts"]),
            bins,
        )
    except _TORN:
        return None


def _whole(value: object, least: int) -> int:
    if type(value) is not int or not least <= value <= _LARGEST_STEP:
        raise ValueError(f"{value!r} is not a whole number from {least}")
    return value


def _rows(array: NDArray[Any], columns: int) -> NDArray[np.float64]:
    """Check an array of (steps that rise, time, …) rows."""
    if array.dtype != np.float64 or array.ndim != 2 or array.shape[1] != columns:
        raise ValueError(f"an array of {array.dtype} {array.shape} is not a row of {columns}")
    steps = array[:, 0]
    if not np.all((steps >= 0) & (steps <= _LARGEST_STEP)) or not np.all(np.diff(steps) > 0):
        raise ValueError("steps do not rise")
    return array
