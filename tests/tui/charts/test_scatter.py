"""Windows, cursors and colours of the explorer's map, against plain loops."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from textual.strip import Strip

from tests.tui.made_runs import clusters
from tui_latent.map_frame import Frame, settle_frame
from tui_latent.palettes import class_color
from tui_latent.tui.charts.canvas import Canvas, packed
from tui_latent.tui.charts.scatter import (
    Coloring,
    Rod,
    Scene,
    class_coloring,
    nearest_point,
    points_in_cell,
    reading_order,
    visible_points,
)
from tui_latent.tui.charts.scatter_drawing import paint_scene
from tui_latent.tui.charts.window import Window

SIZE = (74, 36)


def scene(count: int = 500, classes: int = 10, hidden: frozenset[int] = frozenset()) -> Scene:
    made = clusters(count, classes)
    labels = np.asarray(made.labels)
    coloring = class_coloring(labels, made.class_names)
    return Scene(made.points, coloring, visible_points(made.points, labels, hidden))


def whole(shown: Scene) -> Window:
    frame = settle_frame(shown.points, None)
    assert frame is not None
    return Window.around(frame, *SIZE)


def inked(strips: list[Strip]) -> list[tuple[int, int]]:
    """Return the (row, column) of every cell that is not blank."""
    rows = enumerate(strip.text for strip in strips)
    return [(y, x) for y, text in rows for x, character in enumerate(text) if character != " "]


def test_every_cell_is_where_its_place_is() -> None:
    window = Window.around(Frame(-3, 5, 2, 4), *SIZE).zoomed(2.5, 1, 3).panned(3, -7)
    for column in range(SIZE[0]):
        for row in range(SIZE[1]):
            assert window.cell(*window.place(column, row)) == (column, row)


def test_a_drawn_point_is_in_the_cell_that_the_cursor_finds_it_in() -> None:
    shown = scene()
    window = whole(shown)
    for index in range(0, 500, 7):
        column, row = window.cell(*shown.points[index].tolist())
        alone = np.zeros(500, np.bool_)
        alone[index] = True
        one = replace(shown, visible=alone)
        strips, hidden = paint_scene(one, window, colored=True)
        if 0 <= column < SIZE[0] and 0 <= row < SIZE[1]:
            drawn = inked(strips)
            assert drawn and math.dist(drawn[0], (row, column)) <= 1.0 and hidden == 0


def test_zooming_keeps_the_place_under_the_cursor() -> None:
    window = Window.around(Frame(0, 10, 0, 10), *SIZE)
    x, y = window.place(60, 5)
    nearer = window.zoomed(1.5, x, y)
    assert nearer.cell(x, y) == (60, 5)
    assert nearer.unit == pytest.approx(window.unit / 1.5)
    assert nearer.zoomed(1 / 1.5, x, y).unit == pytest.approx(window.unit)


def test_the_nearest_visible_point_is_found() -> None:
    shown = scene(hidden=frozenset({0, 3}))
    generator = np.random.default_rng(0)
    for x, y in generator.normal(scale=4, size=(30, 2)).tolist():
        best = min(
            (i for i in range(500) if shown.coloring.values[i] not in (0, 3)),
            key=lambda i: math.dist(shown.points[i].tolist(), (x, y)),
        )
        assert nearest_point(shown, x, y) == best


def test_nothing_is_nearest_where_nothing_is_visible() -> None:
    empty = scene(hidden=frozenset(range(10)))
    assert nearest_point(empty, 0.0, 0.0) is None
    assert not len(reading_order(empty, whole(scene())))
    strips, hidden = paint_scene(replace(empty, regions=True), whole(scene()), colored=True)
    assert not inked(strips) and hidden == 0


def test_points_are_read_by_row_then_column_and_none_is_left_out() -> None:
    shown = scene()
    window = whole(shown)
    order = reading_order(shown, window).tolist()
    seen = [i for i in range(500) if window.contains(*shown.points[i].tolist())]
    assert sorted(order) == seen
    rows = [window.cell(*shown.points[index].tolist())[1] for index in order]
    assert rows == sorted(rows)


def test_points_of_one_cell_are_counted() -> None:
    points = np.array([[0, 0], [0, 0], [1e-6, 0], [3, 3], [np.nan, 0]], np.float32)
    labels = np.zeros(5, np.int64)
    piled = Scene(points, class_coloring(labels, "a"), visible_points(points, labels, frozenset()))
    window = Window.around(Frame(-4, 4, -4, 4), *SIZE)
    assert points_in_cell(piled, window, *window.cell(0.0, 0.0)).tolist() == [0, 1, 2]


def test_voronoi_cells_belong_to_the_nearest_point() -> None:
    shown = scene(60)
    window = whole(shown)
    strips, _ = paint_scene(replace(shown, regions=True), window, colored=True)
    grounds = [[s.style and s.style.bgcolor for s in row for _ in s.text] for row in strips]
    assert len({ground for row in grounds for ground in row}) == 10, "a shade for each class"
    shade_of: dict[int, object] = {}
    for row in range(0, 36, 5):
        for column in range(0, 74, 5):
            index = nearest_point(shown, *window.place(column, row))
            assert index is not None
            label = int(shown.coloring.values[index])
            shade = grounds[row][column]
            assert shade_of.setdefault(label, shade) == shade


def test_a_ground_value_gives_way_to_any_other_in_its_cell() -> None:
    points = np.zeros((50, 2), np.float32)
    values = np.zeros(50, np.int64)
    values[17] = 1
    inks = (1, 2, 3), (9, 9, 9)
    coloring = Coloring("error", values, ("right", "wrong"), inks, inks, ground=0)
    shown = Scene(points, coloring, np.ones(50, np.bool_))
    strips, _ = paint_scene(shown, Window.around(Frame(-1, 1, -1, 1), *SIZE), True)
    [[style]] = [[s.style for s in row if s.text.strip()] for row in strips if row.text.strip()]
    assert style is not None and style.color is not None and style.color.triplet == (9, 9, 9)


def test_without_colour_each_class_is_a_character() -> None:
    strips, _ = paint_scene(scene(), whole(scene()), colored=False)
    text = "".join(strip.text for strip in strips)
    assert set(text) <= set(" 0123456789") and len(set(text)) == 11
    assert all(s.style is None or s.style.color is None for row in strips for s in row)


def test_without_colour_lines_separate_the_voronoi_cells() -> None:
    shown = scene(60)
    window = whole(shown)
    strips, _ = paint_scene(replace(shown, regions=True), window, colored=False)
    points, _ = paint_scene(shown, window, colored=False)

    def owner(column: int, row: int) -> int:
        index = nearest_point(shown, *window.place(column, row))
        assert index is not None
        return int(shown.coloring.values[index])

    for row in range(0, SIZE[1] - 1, 4):
        for column in range(0, SIZE[0] - 1, 3):
            right = owner(column, row) != owner(column + 1, row)
            below = owner(column, row) != owner(column, row + 1)
            border = {(0, 0): " ", (1, 0): "│", (0, 1): "─", (1, 1): "┘"}[right, below]
            mark = points[row].text[column]
            assert strips[row].text[column] == (border if mark == " " else mark)


def test_rods_are_straight_lines_below_the_points_with_their_names_at_the_end() -> None:
    shown = scene(20)
    window = Window.around(Frame(-8, 8, -8, 8), *SIZE)
    start, end = (-7.0, -7.0), (7.0, 7.0)
    rods = (Rod("x", start, end), Rod("", (-7.0, 7.0), (7.0, -7.0), value=3))
    strips, hidden = paint_scene(replace(shown, rods=rods), window, colored=True)
    _, hidden_without = paint_scene(shown, window, colored=True)
    assert hidden == hidden_without
    column, row = window.cell(*end)
    assert strips[row].text[column] == "x"
    for share in np.linspace(0.05, 0.95, 12):
        for rod in rods:
            (x, y), (to_x, to_y) = rod.start, rod.end
            column, row = window.cell(x + share * (to_x - x), y + share * (to_y - y))
            assert strips[row].text[column] != " "


def test_strips_have_the_colours_of_their_cells() -> None:
    canvas = Canvas(6, 2)
    canvas.write(0, 1, "abcdefgh", packed(class_color(1)))
    canvas.put(
        1, np.array([0, 5]), ord("•"), np.array([packed((0, 0, 0)), packed((255, 255, 255))])
    )
    canvas.backgrounds[1, 5] = packed((1, 2, 3))
    first, second = canvas.strips()
    assert first.text == " abcde" and second.text == "•    •"
    colors = [s.style.color.triplet for s in first if s.style and s.style.color]
    assert [tuple(color) for color in colors if color] == [class_color(1)]
    last = list(second)[-1].style
    assert last is not None and last.bgcolor is not None and last.bgcolor.triplet == (1, 2, 3)
    black = next(iter(second)).style
    assert black is not None and black.color is not None and black.color.triplet == (0, 0, 0)


def test_points_without_any_label_are_alike_and_have_no_legend() -> None:
    coloring = class_coloring(np.full(5, -1), ())
    assert coloring.values.tolist() == [0] * 5
    assert not any(coloring.names)
    assert len(set(coloring.dark)) == 1


def test_points_without_a_label_lie_behind_the_others() -> None:
    coloring = class_coloring(np.array([0, -1, 3, -1]), ("cat", "dog"))
    assert coloring.values.tolist() == [0, 4, 3, 4]
    assert coloring.names == ("cat", "dog", "2", "3", "no label")
    assert coloring.ground == 4
    assert coloring.color(4, dark=True) not in coloring.dark[:4]
    assert coloring.glyph(4) not in {coloring.glyph(value) for value in range(4)}
