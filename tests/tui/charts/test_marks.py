"""The small map: marks where they belong, the map behind them, nothing outside."""

from __future__ import annotations

import numpy as np
import pytest

from tui_latent.map_frame import settle_frame
from tui_latent.palettes import class_color
from tui_latent.runs.schema import LatentMap
from tui_latent.tui.charts.panel import Drawing
from tui_latent.tui.charts.scatter_drawing import draw_map
from tui_latent.tui.screens.images.sheet import Marks

GRID = np.array([(x, y) for x in range(-10, 11) for y in range(-10, 11)], np.float32)


def drawn(points: list[tuple[float, float]], glyphs: str, colored: bool = True) -> Drawing:
    labels = (GRID[:, 0] > 0).astype(np.int64)
    latent_map = LatentMap(60, GRID, np.arange(len(GRID)), labels, ("left", "right"))
    marks = Marks(latent_map, np.array(points), glyphs, ("title",))
    return draw_map(marks.scene(), settle_frame(GRID), 40, 20, colored)


def places(drawing: Drawing, glyph: str) -> list[tuple[int, int]]:
    lines = [strip.text for strip in drawing.strips]
    return [(x, y) for y, line in enumerate(lines) for x, c in enumerate(line) if c == glyph]


def test_marks_stand_where_their_places_are() -> None:
    drawing = drawn([(0, 0), (10, 0), (0, 10)], "mrt")
    [(middle, centre)], [(right, level)], [(above, top)] = (
        places(drawing, glyph) for glyph in "mrt"
    )
    assert level == centre and above == middle
    # A cell is twice as high as wide: 10 to the right is as far as 10 up.
    assert right - middle == pytest.approx(2 * (centre - top), abs=1)
    assert abs(middle - 20) <= 1 and abs(centre - 10) <= 1


def test_a_later_mark_covers_an_earlier_one() -> None:
    assert not places(drawn([(0, 0), (0, 0)], "ab"), "a")


def test_a_mark_beyond_the_map_widens_it() -> None:
    near, far = drawn([(0, 0)], "m"), drawn([(0, 0), (60, 0)], "mf")
    assert len(places(far, "f")) == 1
    dots = [sum(0x2800 < ord(c) < 0x2900 for c in strip.text) for strip in far.strips]
    assert sum(bool(count) for count in dots) < len(near.strips) / 2


def test_the_map_has_the_classes_colours_and_without_colour_dots_alone() -> None:
    colors = {
        segment.style.color.triplet
        for strip in drawn([(0, 0)], "m").strips
        for segment in strip
        if segment.style and segment.style.color
    }
    assert {tuple(color) for color in colors if color} == {class_color(0), class_color(1)}
    plain = "".join(strip.text for strip in drawn([(0, 0)], "1", colored=False).strips)
    assert plain.count("1") == 1, "digits on it are marks, not classes"
    assert set(plain) - {" ", "1"} <= {chr(code) for code in range(0x2800, 0x2900)}


def test_places_that_are_not_finite_are_left_out_or_told() -> None:
    assert not places(drawn([(np.nan, 0), (0, 0)], "nm"), "n")
    text = " ".join(strip.text for strip in drawn([(np.nan, np.nan)], "n").strips)
    words = " ".join(text.split())
    assert "No point of this map is a finite number" in words
