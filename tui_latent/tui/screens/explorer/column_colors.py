"""Colour points by a column of the table that their images came from."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from tui_latent.nouns import counted
from tui_latent.palettes import DARK, LIGHT, MUTED_GLYPH, RAMP_GLYPHS, class_glyph
from tui_latent.tui.charts.scatter import Coloring, class_colors
from tui_latent.tui.format import cell_number

if TYPE_CHECKING:
    from tui_latent.sources.files.columns import Column

NO_VALUE: Final = "no value"
_LEVELS: Final = 5
_MOST_TEXTS: Final = 20
"""different texts that have a colour each; of more, the rarest share one"""


def column_titles(columns: Sequence[Column], taken: Sequence[str]) -> dict[str, Column]:
    """Return the columns that colours can show, by what to call them beside the names `taken`.

    A column of which every image has another text, or none has a value, shows nothing.
    """
    titles: dict[str, Column] = {}
    for column in columns:
        there = int((~column.missing).sum())
        different = column.numbers is None and len(np.unique(column.codes)) > max(there // 2, 20)
        if there and not different:
            title = f"{column.name} (column)" if column.name in taken else column.name
            titles[title] = column
    return titles


def column_coloring(title: str, column: Column) -> Coloring:
    """Colour by the values of a column: numbers by a ramp of lightness, texts by a palette."""
    return _by_number(title, column) if column.numbers is not None else _by_text(title, column)


def _by_number(title: str, column: Column) -> Coloring:
    assert column.numbers is not None
    known = ~column.missing
    finite = column.numbers[np.isfinite(column.numbers)]
    values = np.zeros(len(column), np.int64)
    different = np.unique(column.numbers[known])
    if len(different) <= _LEVELS or not len(finite):
        places = np.linspace(0, _LEVELS - 1, len(different)).round().astype(np.int64)
        values[known] = np.searchsorted(different, column.numbers[known])
        names = tuple(cell_number(float(value)) for value in different)
        ramps = [tuple(ramp[p] for p in places) for ramp in (DARK.ramp, LIGHT.ramp)]
        glyphs = tuple(RAMP_GLYPHS[p] for p in places)
    else:
        edges = np.quantile(finite, np.linspace(0, 1, _LEVELS + 1))
        values[known] = np.searchsorted(edges[1:-1], column.numbers[known], side="left")
        ends = [cell_number(float(edge)) for edge in edges]
        names = tuple(f"{low} to {high}" for low, high in pairwise(ends))
        ramps, glyphs = [tuple(DARK.ramp), tuple(LIGHT.ramp)], tuple(RAMP_GLYPHS)
    return _colored(title, values, known, names, (ramps[0], ramps[1]), glyphs)


def _by_text(title: str, column: Column) -> Coloring:
    known = ~column.missing
    counts = np.bincount(column.codes[known], minlength=len(column.texts))
    there = np.flatnonzero(counts)
    own = there
    if len(there) > _MOST_TEXTS:
        own = np.sort(there[np.argsort(-counts[there], kind="stable")[: _MOST_TEXTS - 1]])
    names = tuple(column.texts[code] for code in own)
    place = np.full(len(column.texts) + 1, len(own))
    place[own] = np.arange(len(own))
    if len(own) < len(there):
        names = (*names, counted(len(there) - len(own), "other value"))
    dark, light = class_colors(len(names))
    glyphs = tuple(map(class_glyph, range(len(names))))
    return _colored(title, place[column.codes], known, names, (dark, light), glyphs)


def _colored(
    title: str,
    values: np.ndarray[tuple[int], np.dtype[np.int64]],
    known: np.ndarray[tuple[int], np.dtype[np.bool_]],
    names: tuple[str, ...],
    colors: tuple[tuple[tuple[int, int, int], ...], tuple[tuple[int, int, int], ...]],
    glyphs: tuple[str, ...],
) -> Coloring:
    """Return a colouring in which points without a value lie muted behind the others."""
    if known.all():
        return Coloring(title, values, names, *colors, glyphs, parts=True)
    return Coloring(
        title,
        np.where(known, values, len(names)),
        (*names, NO_VALUE),
        (*colors[0], DARK.muted),
        (*colors[1], LIGHT.muted),
        (*glyphs, MUTED_GLYPH),
        ground=len(names),
        parts=True,
    )
