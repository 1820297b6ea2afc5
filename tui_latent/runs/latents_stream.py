"""`latents/last.safetensors` written in pieces, for latents that do not fit into memory."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.runs.atomic_files import temporary_beside
from tui_latent.runs.latents_file import LATENTS_FILE

_ALIGNED: Final = 8
"""bytes: headers are filled up to a multiple"""


class LatentsStream:
    """A file of latents of a known size, whose rows are written in any order."""

    def __init__(self, descriptor: int, places: dict[str, int], dimensions: int) -> None:
        self._descriptor = descriptor
        self._places = places
        self._bytes_of_row = 4 * dimensions

    def write(self, split: str, rows: NDArray[np.int64], latents: NDArray[np.float32]) -> None:
        """Write latents (n, D) at rows (n,) of `query` or `bank`; OSError from the disk."""
        start = self._places[f"{split}_latents"]
        breaks = np.flatnonzero(np.diff(rows) != 1) + 1
        for first, last in zip([0, *breaks.tolist()], [*breaks.tolist(), len(rows)], strict=True):
            if last > first:
                piece = memoryview(np.ascontiguousarray(latents[first:last], "<f4").data).cast("B")
                _write_at(self._descriptor, piece, start + int(rows[first]) * self._bytes_of_row)

    def labels(self, split: str, labels: NDArray[np.int64]) -> None:
        """Write the labels of `query` or `bank`."""
        piece = memoryview(np.ascontiguousarray(labels, "<i8").data).cast("B")
        _write_at(self._descriptor, piece, self._places[f"{split}_labels"])


@contextmanager
def streamed_latents(
    run: Path, step: int, queries: int, bank: int, dimensions: int
) -> Iterator[LatentsStream]:
    """Replace the latents of a run, as `write_latents` does, row by row.

    `bank` is 0 for a run without one. After an exception the old file stays.
    """
    header: dict[str, object] = {"__metadata__": {"step": str(step)}}
    places, end = {}, 0
    for split, count in (("query", queries), ("bank", bank)):
        for name, dtype, shape in (
            (f"{split}_latents", "F32", [count, dimensions]),
            (f"{split}_labels", "I64", [count]),
        ):
            if count:
                size = int(np.prod(shape)) * (4 if dtype == "F32" else 8)
                header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + size]}
                places[name], end = end, end + size
    text = json.dumps(header).encode()
    text += b" " * (-(8 + len(text)) % _ALIGNED)
    path = run / LATENTS_FILE
    path.parent.mkdir(exist_ok=True)
    temporary = temporary_beside(path)
    start = 8 + len(text)
    try:
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            _write_at(descriptor, memoryview(len(text).to_bytes(8, "little") + text), 0)
            os.ftruncate(descriptor, start + end)
            placed = {name: start + place for name, place in places.items()}
            yield LatentsStream(descriptor, placed, dimensions)
        finally:
            os.close(descriptor)
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def _write_at(descriptor: int, piece: memoryview, place: int) -> None:
    while len(piece):
        written = os.pwrite(descriptor, piece, place)
        piece, place = piece[written:], place + written
