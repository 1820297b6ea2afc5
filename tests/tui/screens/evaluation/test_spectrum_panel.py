"""The spectrum as a chart of cells."""

from __future__ import annotations

import numpy as np
import pytest

from tui_latent.tui.screens.evaluation.spectrum_panel import draw_spectrum

WORDS = "3 of 32 principal axes hold 90 % of the variance."


@pytest.mark.parametrize("size", [(76, 10), (190, 10), (40, 8)])
def test_a_falling_spectrum_falls_from_left_to_right(size: tuple[int, int]) -> None:
    width, height = size
    strips = draw_spectrum(1.0 / np.arange(1, 33) ** 2, WORDS, width, height, None)
    lines = [strip.text for strip in strips]
    assert len(lines) == height and all(strip.cell_length == width for strip in strips)
    said = " ".join(" ".join(lines[:2]).split())
    assert WORDS in said or WORDS.split(" of the")[0] in said
    drawn = [
        (column, row)
        for row, line in enumerate(lines)
        for column, character in enumerate(line)
        if "\u2800" < character <= "\u28ff"
    ]
    columns = sorted({column for column, _ in drawn})
    first = min(row for column, row in drawn if column == columns[0])
    last = max(row for column, row in drawn if column == columns[-1])
    assert first < last, "the largest variance is at the top left"


def test_equal_variances_are_a_line_inside_the_frame() -> None:
    lines = [strip.text for strip in draw_spectrum(np.ones(8), WORDS, 60, 10, (0, 135, 215))]
    rows = {r for r, line in enumerate(lines) if any("\u2800" < c <= "\u28ff" for c in line)}
    assert len(rows) == 1


def test_nothing_but_words_where_there_is_no_room() -> None:
    assert draw_spectrum(np.ones(8), WORDS, 6, 2, None)
