"""What plotext makes of cells, and how it becomes strips: behaviours the charts rest on."""

from __future__ import annotations

import numpy as np
import plotext
import pytest
from rich.style import Style
from textual.strip import Strip

from tui_latent.map_frame import Frame
from tui_latent.tui.charts.plotext_plot import (
    Axis,
    Layer,
    Tag,
    canvas_size,
    draw_plot,
    lay_tags,
    strips_of,
)
from tui_latent.tui.charts.raster import Cells, map_cells


def cells(*places: tuple[int, int, str]) -> Cells:
    columns, rows, marks = zip(*places, strict=True)
    return Cells(np.array(columns), np.array(rows), marks)


def lines(strips: list[Strip]) -> list[str]:
    return [strip.text for strip in strips]


def styles(strip: Strip) -> dict[str, Style | None]:
    return {segment.text: segment.style for segment in strip}


def test_each_mark_lands_on_its_cell() -> None:
    strips = draw_plot(
        [Layer(cells((0, 0, "a"), (4, 0, "b"), (0, 2, "c"), (2, 1, "d")), None)], 5, 3
    )
    assert lines(strips) == ["c    ", "  d  ", "a   b"]


def test_axes_stand_left_and_below_with_their_labels() -> None:
    x, y = Axis((0, 4), ("0", "9")), Axis((0, 2), (" 1", "20"))
    assert canvas_size(9, 5, x, y) == (6, 3)
    strips = draw_plot([Layer(cells((5, 2, "*")), None)], 9, 5, x, y)
    assert lines(strips) == ["20┤     *", "  │      ", " 1┤      ", "  └┬───┬─", "   0   9 "]


def test_a_later_layer_covers_an_earlier_one() -> None:
    strips = draw_plot(
        [Layer(cells((1, 0, "a")), (1, 2, 3)), Layer(cells((1, 0, "b")), (4, 5, 6))], 3, 2
    )
    style = styles(strips[1])["b"]
    assert style is not None and style.color is not None
    assert style.color.triplet == (4, 5, 6)


def test_each_cell_has_its_own_color() -> None:
    layer = Layer(cells((0, 0, "a"), (1, 0, "b")), [(95, 0, 255), (175, 175, 0)])
    found = styles(draw_plot([layer], 2, 2)[1])
    colors = {text: style.color.triplet for text, style in found.items() if style and style.color}
    assert colors == {"a": (95, 0, 255), "b": (175, 175, 0)}


def test_data_without_color_is_not_drawn_as_faint_as_axes() -> None:
    strips = draw_plot([Layer(cells((0, 0, "a")), None)], 4, 4, Axis((0,), ("x",)), None)
    faint = {
        segment.text: bool(segment.style and segment.style.dim) for s in strips for segment in s
    }
    assert faint["a"] is False
    assert all(dim for text, dim in faint.items() if "─" in text)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (2, 1), (0, 0), (1, 9), (40, 2)])
def test_no_room_is_blank_and_has_its_size(width: int, height: int) -> None:
    axis = Axis((0,), ("1",))
    strips = draw_plot([Layer(cells((0, 0, "a")), None)], width, height, axis, axis)
    assert len(strips) == height
    assert all(strip.cell_length == width for strip in strips)


def test_braille_cells_are_those_that_plotext_makes_of_the_dots() -> None:
    generator = np.random.default_rng(0)
    width, height = 20, 8
    points = np.stack(
        [generator.integers(0, 2 * width, 90), generator.integers(0, 4 * height, 90)], axis=1
    )
    plotext.clear_figure()
    plotext.limit_size(False, False)
    plotext.plot_size(width, height)
    plotext.frame(False)
    plotext.xfrequency(0)
    plotext.yfrequency(0)
    plotext.xlim(0, 2 * width - 1)
    plotext.ylim(0, 4 * height - 1)
    plotext.scatter(points[:, 0].tolist(), points[:, 1].tolist(), marker="braille")
    expected = lines(strips_of(plotext.build(), width, height))
    frame = Frame(0, 2 * width - 1, 0, 4 * height - 1)
    made = map_cells(points, np.zeros(90, int), frame, width, height)
    ours = draw_plot([Layer(Cells(made.columns, made.rows, made.marks), None)], width, height)
    assert lines(ours) == expected


# Tags


def blank(width: int, height: int) -> list[Strip]:
    return [Strip.blank(width)] * height


def test_a_tag_is_centred_on_its_cell_and_kept_inside() -> None:
    tags = [Tag(5, 1, "abc", None), Tag(0, 0, "xy", None), Tag(9, 2, "end", None)]
    assert lines(lay_tags(blank(10, 3), tags, 0, 10, 3)) == [
        "       end",
        "    abc   ",
        "xy        ",
    ]


def test_tags_do_not_cover_each_other() -> None:
    tags = [Tag(2, 1, name, None) for name in ("one", "two", "six", "ten")]
    assert lines(lay_tags(blank(5, 3), tags, 0, 5, 3)) == [" two ", " one ", " six "]


def test_tags_keep_a_blank_between_them_and_stay_near_their_places() -> None:
    tags = [Tag(15, 5, f"class {index}", None) for index in range(6)]
    shown = lines(lay_tags(blank(40, 11), tags, 0, 40, 11))
    for index in range(6):
        [(row, line)] = [(y, text) for y, text in enumerate(shown) if f"class {index}" in text]
        assert 2 <= row <= 8 and 0 <= line.index(f"class {index}") <= 26
    assert not any(f"{index}class" in line for line in shown for index in range(6))


def test_many_tags_leave_most_of_the_map_free() -> None:
    tags = [Tag(index % 60, index // 3, f"class {index}", None) for index in range(60)]
    shown = "".join(lines(lay_tags(blank(60, 20), tags, 0, 60, 20)))
    assert 60 * 20 / 10 < len(shown.replace(" ", "")) + shown.count("class") < 60 * 20 / 5


def test_tags_begin_after_the_axis() -> None:
    assert lines(lay_tags(blank(8, 1), [Tag(0, 0, "a", None)], 3, 5, 1)) == ["   a    "]


@pytest.mark.parametrize("name", ["[red]x[/]", "熊猫熊猫", "", "a\nb", "a name of twenty cells"])
def test_any_name_keeps_the_width(name: str) -> None:
    strips = lay_tags(blank(12, 2), [Tag(6, 1, name, (95, 0, 255))], 0, 12, 2)
    assert [strip.cell_length for strip in strips] == [12, 12]
    assert all("\n" not in strip.text for strip in strips)
