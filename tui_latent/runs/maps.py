"""`latents/step-….npz`: the map of one evaluation."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.runs.atomic_files import replace_file
from tui_latent.runs.schema import LatentMap
from tui_latent.runtime.array_files import opened_archive
from tui_latent.runtime.sanitize import plain_name

_NAME: Final = re.compile(r"step-(\d{9,18})\.npz")

FINENESS: Final = 2000
"""float16 is used where it can tell apart this many positions across the map"""

_MOST_BYTES: Final = 1 << 28
"""unpacked; ten million images take them"""

_TORN: Final = (
    OSError, ValueError, TypeError, KeyError, EOFError, NotImplementedError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip


class MapError(Exception):
    """A map's file is damaged; the message says how."""


@dataclass(frozen=True, eq=False)
class StoredEvaluation:
    """A map and what was written with it."""

    map: LatentMap
    confusion: NDArray[np.int64] | None
    missing: Mapping[str, str] = field(default_factory=dict)
    """metric -> why this evaluation could not give it a meaning"""


def map_file(run: Path, step: int) -> Path:
    """Return the file of the map at `step`."""
    return run / "latents" / f"step-{step:09}.npz"


def map_step(name: str) -> int | None:
    """Return the step that a file's name says; None when it is not the name of a map."""
    match = _NAME.fullmatch(name)
    return int(match[1]) if match else None


def write_map(
    run: Path,
    latent_map: LatentMap,
    confusion: NDArray[np.int64] | None,
    missing: Mapping[str, str] | None = None,
) -> None:
    """Write a map in one piece; points become float16 unless that would move or lose them."""
    path = map_file(run, latent_map.step)
    path.parent.mkdir(exist_ok=True)
    arrays = {
        "points": _compact(np.asarray(latent_map.points)),
        "indices": np.asarray(latent_map.indices, dtype=np.int64),
        "labels": np.asarray(latent_map.labels, dtype=np.int64),
        "class_names": np.array(latent_map.class_names, dtype=np.str_),
        "projection": np.array(latent_map.projection),
    }
    if confusion is not None:
        arrays["confusion"] = np.asarray(confusion, dtype=np.int64)
    if missing:
        arrays["missing"] = np.array(list(missing.items()), dtype=np.str_)
    archive = io.BytesIO()
    np.savez_compressed(archive, allow_pickle=False, **arrays)
    replace_file(path, archive.getbuffer())


def read_map(path: Path, step: int) -> StoredEvaluation:
    """Read a map; MapError when the file is damaged or not ours."""
    try:
        with opened_archive(path, _MOST_BYTES) as arrays:
            latent_map = LatentMap(
                step=step,
                points=_shaped(arrays["points"], np.dtype(np.float32), 2),
                indices=_shaped(arrays["indices"], np.dtype(np.int64), 1),
                labels=_shaped(arrays["labels"], np.dtype(np.int64), 1),
                class_names=tuple(plain_name(str(name)) for name in arrays["class_names"]),
                projection=plain_name(str(arrays["projection"])),
            )
            confusion = None
            if "confusion" in arrays:
                confusion = _shaped(arrays["confusion"], np.dtype(np.int64), 2)
            missing = _missing(arrays["missing"]) if "missing" in arrays else {}
    except _TORN as error:
        raise MapError(f"{path.parent.name}/{path.name} is damaged: {error}") from error
    if latent_map.points.shape[1] != 2:
        raise MapError(
            f"{path.parent.name}/{path.name} is damaged: its points are not pairs of numbers"
        )
    if not len(latent_map.points) == len(latent_map.indices) == len(latent_map.labels):
        raise MapError(f"{path.parent.name}/{path.name} is damaged: its arrays differ in length")
    return StoredEvaluation(latent_map, confusion, missing)


def _missing(pairs: NDArray[np.generic]) -> dict[str, str]:
    if pairs.ndim != 2 or pairs.shape[1] != 2:
        raise ValueError("what is missing is not in pairs")
    return {plain_name(str(metric)): plain_name(str(reason)) for metric, reason in pairs}


def _compact(points: NDArray[np.floating]) -> NDArray[np.floating]:
    with np.errstate(over="ignore"):
        half = points.astype(np.float16)
    finite = np.isfinite(points)
    if not finite.any():
        return half
    exact = points[finite].astype(np.float64)
    moved = np.abs(half[finite] - exact)
    return half if moved.max() <= np.ptp(exact) / FINENESS else points.astype(np.float32)


def _shaped(array: NDArray[np.generic], dtype: np.dtype, dimensions: int) -> NDArray:  # type: ignore[type-arg]
    if array.ndim != dimensions:
        raise ValueError(f"an array has {array.ndim} dimensions, not {dimensions}")
    array = array.astype(dtype)
    array.setflags(write=False)
    return array
