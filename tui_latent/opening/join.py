"""Which rows of several files belong together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tui_latent.nouns import counted
from tui_latent.opening.errors import OpenError
from tui_latent.opening.vectors import VectorFile
from tui_latent.runtime.sanitize import plain_name

_NAMED: Final = 5


@dataclass(frozen=True, eq=False)
class Joined:
    """The rows that all files have, in the order of the first file."""

    rows: list[NDArray[np.int64]]
    """of each file: (n,) its row of each vector"""
    ids: list[str] | None
    """(n,) of the vectors; None where they are joined by row"""
    told: list[str]
    """sentences about what was left out"""


def unusable(file: VectorFile, on_rows: Callable[[int], None]) -> NDArray[np.bool_]:
    """Say which rows have no vector, or a number that is not finite: bool (rows,).

    `on_rows` is called with the rows read so far. OpenError when the file ends early.
    """
    broken = np.zeros(file.rows, np.bool_)
    done = 0
    for block in file.blocks():
        # A sum is finite only if every number is, or numbers so large that they are looked at.
        with np.errstate(over="ignore", invalid="ignore"):
            sums = block.sum(axis=1)
        odd = np.flatnonzero(~np.isfinite(sums))
        if odd.size:
            broken[done + odd] = ~np.isfinite(block[odd]).all(axis=1)
        done += len(block)
        on_rows(done)
    if done != file.rows:
        raise OpenError(f"{file.path}: has {done:,} rows, but its header says {file.rows:,}")
    return broken


def join(
    files: Sequence[VectorFile],
    ids: Sequence[list[str]] | None,
    broken: Sequence[NDArray[np.bool_]],
) -> Joined:
    """Join the rows of files by their ids, or by their place where `ids` is None.

    Rows that are `broken` in a file are left out of all. OpenError where nothing is left, and
    where files without ids differ in length.
    """
    if ids is None:
        lengths = [file.rows for file in files]
        if len(set(lengths)) > 1:
            each = ", ".join(f"{f.title} has {f.rows:,}" for f in files)
            raise OpenError(
                f"the files differ in their rows ({each}), and they have no ids in common: rows "
                "are joined by position, or by ids in all files (--ids COLUMN)"
            )
        rows = [np.arange(lengths[0])] * len(files)
        common = None
        told: list[str] = []
    else:
        rows, common, told = _by_id(files, ids)
    sound = np.ones(len(rows[0]), np.bool_)
    for file, of, where in zip(files, rows, broken, strict=True):
        bad = where[of]
        if bad.any():
            told.append(_left_out(file, of[bad], len(of)))
        sound &= ~bad
    if sound.sum() < 2:
        raise OpenError(
            "; ".join(told) + ": nothing is left to show" if told else "nothing is left to show"
        )
    if not sound.all():
        rows = [of[sound] for of in rows]
        if common is not None:
            common = [name for name, keep in zip(common, sound.tolist(), strict=True) if keep]
    return Joined(rows, common, told)


def _by_id(
    files: Sequence[VectorFile], ids: Sequence[list[str]]
) -> tuple[list[NDArray[np.int64]], list[str], list[str]]:
    places = [{name: row for row, name in enumerate(of)} for of in ids]
    common = [name for name in ids[0] if all(name in place for place in places[1:])]
    if not common:
        each = ", ".join(
            f"{file.title} has '{plain_name(of[0])}'" for file, of in zip(files, ids, strict=True)
        )
        raise OpenError(f"the files have no id in common: {each}")
    told = []
    for file, of in zip(files, ids, strict=True):
        if alone := len(of) - len(common):
            are = "is" if alone == 1 else "are"
            told.append(f"{counted(alone, 'id')} of {file.title} {are} not in all files: left out")
    rows = [
        np.fromiter((place[name] for name in common), np.int64, len(common)) for place in places
    ]
    return rows, common, told


def _left_out(file: VectorFile, rows: NDArray[np.int64], of: int) -> str:
    named = ", ".join(f"{row:,}" for row in rows[:_NAMED].tolist()) + ", …" * (len(rows) > _NAMED)
    one = len(rows) == 1
    return (
        f"{file.title}: {len(rows):,} of {of:,} rows {'has' if one else 'have'} no vector, or a "
        f"number that is not finite or beyond ±3.4e38, the largest of 32 bits, and "
        f"{'is' if one else 'are'} left out: "
        f"row{'' if one else 's'} {named}"
    )
