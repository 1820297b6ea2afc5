"""Vectors in a file, whatever its format: rows of numbers that are read block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.nouns import counted
from tui_latent.opening.errors import OpenError
from tui_latent.runtime.sanitize import plain_name

Rows = NDArray[np.float32]
Column = NDArray[Any] | list[Any]
"""one value a row: an array (N, …), or a list of bytes, texts and None"""

NUMBERS_AT_ONCE: Final = 2**22
"""of a block: 16 MB in float32"""
RESERVED: Final = {
    "ids": ("id", "ids", "path", "paths", "file", "filename", "file_name", "filepath", "image_id"),
    "labels": ("label", "labels", "class", "classes", "target", "targets", "y"),
}
"""names by which ids and labels are found without being named, in any case"""
_PREFERRED: Final = ("embedding", "embeddings", "latent", "latents", "vector", "vectors", "feature",
    "features", "emb", "z")  # fmt: skip
"""names by which the vectors are found among several arrays or columns"""


@dataclass(frozen=True, eq=False)
class VectorFile:
    """One file's vectors, and the columns beside them."""

    path: Path
    title: str
    """the file's name, with `:NAME` where it holds several arrays"""
    rows: int
    dimensions: int
    read: Callable[[], Iterator[NDArray[Any]]]
    """reads all rows in order, in blocks (n, D) of numbers; rows without a vector are NaN"""
    columns: Mapping[str, Callable[[], Column]] = field(default_factory=dict)
    """name -> reads its values, one a row"""

    def blocks(self) -> Iterator[Rows]:
        """Read all rows in order as float32 (n, D); numbers too large become infinite; OpenError"""
        blocks = self.read()
        while True:
            try:
                block = next(blocks, None)
            except OSError as error:
                why = error.strerror or error
                raise OpenError(f"{self.path}: cannot be read: {why}") from error
            if block is None:
                return
            with np.errstate(over="ignore", invalid="ignore"):
                rows = np.ascontiguousarray(block, dtype=np.float32)
            yield rows

    def column(self, wanted: str) -> Callable[[], Column] | None:
        """Return the reader of a column; None if the file has none of that name."""
        return self.columns.get(wanted)

    def found(self, role: str) -> str | None:
        """Return the column whose name says that it has the `ids` or the `labels`."""
        names = {name.casefold(): name for name in reversed(list(self.columns))}
        return next((names[name] for name in RESERVED[role] if name in names), None)


def rows_at_once(dimensions: int) -> int:
    """Return how many rows a block has."""
    return max(NUMBERS_AT_ONCE // max(dimensions, 1), 1)


def require_vectors(title: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[int, int]:
    """Return rows and dimensions; OpenError for what has no row of numbers for each vector."""
    if dtype.hasobject:
        raise OpenError(
            f"{title}: holds Python objects. Only pickle can read them, and a pickle can run any "
            "program: save the vectors with numpy.save(file, numpy.stack(vectors))"
        )
    if dtype.kind not in "buif" or dtype.names:
        raise OpenError(f"{title}: has the type {dtype}: vectors must be real numbers")
    if len(shape) != 2:
        advice = "vectors need two: a row for each vector, a column for each number"
        if len(shape) == 1:
            advice += "; if each is one number, try x.reshape(-1, 1)"
        if len(shape) > 2:
            advice += f"; try x.reshape({shape[0]}, -1)"
        if len(shape) == 3 and min(shape[1:]) > 1:
            advice += " or x.mean(axis=1)"
        dimensions = counted(len(shape), "dimension")
        raise OpenError(f"{title}: has {dimensions}, {shape}, but {advice}")
    if not shape[1]:
        raise OpenError(f"{title}: has the shape {shape}: its vectors have no numbers")
    if shape[0] < 2:
        raise OpenError(f"{title}: has the shape {shape}: at least two vectors are needed")
    return shape[0], shape[1]


def chosen(path: Path, name: str | None, candidates: Mapping[str, str], others: str) -> str:
    """Return the array or column to open: the one that is named, or the only one, or the one
    whose name says that it has vectors.

    `candidates` maps each name to a description of it; `others` describes what else the file has.
    OpenError when that leaves none, or more than one.
    """
    if name is not None:
        if name in candidates:
            return name
        raise OpenError(f"{path}: has no vectors named {name}: {_listed(candidates, others)}")
    if len(candidates) == 1:
        return next(iter(candidates))
    known = {candidate.casefold(): candidate for candidate in candidates}
    named = [known[name] for name in _PREFERRED if name in known]
    if len(named) == 1:
        return named[0]
    if not candidates:
        raise OpenError(f"{path}: has no vectors: {_listed(candidates, others)}")
    example = f"{path.name}:{next(iter(candidates))}"
    raise OpenError(f"{path}: {_listed(candidates, '')}; name one: {plain_name(example)}")


def _listed(candidates: Mapping[str, str], others: str) -> str:
    named = [f"{plain_name(name)} {described}" for name, described in candidates.items()]
    return "it has " + (", ".join(named[:8]) + (", …" if len(named) > 8 else "") or others)
