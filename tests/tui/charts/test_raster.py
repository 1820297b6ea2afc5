"""Points and curves as cells, against plain loops and rows of text."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from tui_latent.map_frame import Frame, finite_points, settle_frame, whole_frame
from tui_latent.tui.charts.raster import (
    Cells,
    MapCells,
    curve_cells,
    dotted_cells,
    map_cells,
    smoothed,
    sparkline,
)
from tui_latent.tui.charts.window import Window

Any2 = NDArray[np.float64]
UNIT = Frame(0.0, 1.0, 0.0, 1.0)
any_float = st.floats(allow_nan=True, allow_infinity=True, width=32)


def text(cells: Cells | MapCells, width: int, height: int) -> list[str]:
    """Return cells as lines of text, the top first."""
    lines = [[" "] * width for _ in range(height)]
    places = zip(cells.columns.tolist(), cells.rows.tolist(), cells.marks, strict=True)
    for column, row, mark in places:
        lines[height - 1 - row][column] = mark
    return ["".join(line) for line in lines]


def test_four_corners_set_four_corner_dots() -> None:
    points = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], dtype=float)
    cells = map_cells(points, np.zeros(4, int), UNIT, 3, 2)
    assert text(cells, 3, 2) == ["⠁ ⠈", "⡀ ⢀"]
    assert cells.hidden == 0


def test_a_cell_shows_its_majority_and_counts_the_rest_as_hidden() -> None:
    # One cell, 2x4 dots: three points of class 1, two of class 0.
    points = np.array([[0, 0], [0, 1], [1, 1], [1, 0], [0.9, 0]], dtype=float)
    cells = map_cells(points, np.array([1, 1, 1, 0, 0]), UNIT, 1, 1)
    assert cells.classes.tolist() == [1]
    assert cells.marks == ("⡉",)  # the dots of class 1 alone
    assert cells.hidden == 2


def test_points_outside_or_not_finite_are_hidden() -> None:
    points = np.array([[0.5, 0.5], [2, 0.5], [np.nan, 0], [0, np.inf], [3e38, 0]], np.float32)
    cells = map_cells(points, np.zeros(5, int), UNIT, 4, 4)
    assert cells.hidden == 4
    assert len(cells.marks) == 1


def test_majority_against_a_plain_count() -> None:
    generator = np.random.default_rng(0)
    points, labels = generator.random((3000, 2)), generator.integers(0, 7, 3000)
    width, height = 6, 5
    counts: dict[tuple[int, int], Counter[int]] = {}
    for (x, y), label in zip(points.tolist(), labels.tolist(), strict=True):
        dot_x, dot_y = int(x * (width * 2 - 1) + 0.5), int(y * (height * 4 - 1) + 0.5)
        counts.setdefault((dot_x // 2, dot_y // 4), Counter())[label] += 1
    expected = {
        cell: min(label for label in count if count[label] == max(count.values()))
        for cell, count in counts.items()
    }
    cells = map_cells(points, labels, UNIT, width, height)
    places = zip(cells.columns.tolist(), cells.rows.tolist(), strict=True)
    assert dict(zip(places, cells.classes.tolist(), strict=True)) == expected
    assert cells.hidden == 3000 - sum(max(count.values()) for count in counts.values())


@pytest.mark.slow
@given(
    points=hnp.arrays(np.float32, st.tuples(st.integers(0, 40), st.just(2)), elements=any_float),
    width=st.integers(1, 30),
    height=st.integers(1, 20),
)
def test_any_points_stay_on_the_canvas(
    points: NDArray[np.float32], width: int, height: int
) -> None:
    frame = settle_frame(points, None)
    assert (frame is None) == (not finite_points(points).any())
    if frame is None:
        return
    view = Window.around(frame, width, height).frame
    labels = np.arange(len(points)) % 3
    cells = map_cells(points, labels, view, width, height)
    assert ((cells.columns >= 0) & (cells.columns < width)).all()
    assert ((cells.rows >= 0) & (cells.rows < height)).all()
    assert all("\u2801" <= mark <= "\u28ff" or mark == "•" for mark in cells.marks)
    assert 0 <= cells.hidden <= len(points)


@given(
    values=hnp.arrays(np.float64, st.integers(0, 60), elements=st.floats(width=64)),
    width=st.integers(1, 30),
    height=st.integers(1, 20),
)
def test_any_curve_stays_on_the_canvas(values: Any2, width: int, height: int) -> None:
    x = np.arange(len(values), dtype=float)
    for cells in (
        curve_cells(x, values, values, Frame(0, 10, -1, 1), width, height),
        dotted_cells(x, values, Frame(0, 10, -1, 1), width, height),
    ):
        assert ((cells.columns >= 0) & (cells.columns < width)).all()
        assert ((cells.rows >= 0) & (cells.rows < height)).all()


# The frame


def ring(radius: float) -> Any2:
    angle = np.linspace(0, 2 * np.pi, 400)
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def test_frame_stays_while_points_move_inside_it() -> None:
    first = settle_frame(ring(1.0), None)
    for radius in (0.9, 1.05, 0.7, 1.1):
        assert settle_frame(ring(radius), first) is first


def test_frame_changes_when_points_leave_it_or_use_little_of_it() -> None:
    first = settle_frame(ring(1.0), None)
    larger = settle_frame(ring(1.5), first)
    smaller = settle_frame(ring(0.3), first)
    assert first and larger and smaller
    assert larger.right > first.right > smaller.right
    assert larger.left < -1.5 and larger.top > 1.5


@pytest.mark.parametrize("every", [1, 2, 10])
def test_one_stray_point_does_not_shrink_the_map(every: int) -> None:
    points = np.concatenate([ring(1.0)[::every], ring(1.0)[::every], [[1000.0, 0.0]]])
    frame = settle_frame(points, None)
    assert frame is not None and frame.right < 2


@pytest.mark.parametrize("strays", [1, 2, 4, 8])
def test_a_few_strays_in_any_direction_do_not_shrink_the_map(strays: int) -> None:
    angle = np.linspace(0, 6, strays)
    far = 60 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    frame = settle_frame(np.concatenate([ring(1.0), ring(0.8), far]))
    assert frame is not None and frame.right - frame.left < 3 and frame.top - frame.bottom < 3
    everything = whole_frame(np.concatenate([ring(1.0), far, [[np.nan, 0.0]]]))
    assert everything is not None and everything.right >= 60
    assert everything.left == pytest.approx(min(-1.0, float(far[:, 0].min())), abs=0.2)


def test_a_small_class_far_away_is_not_a_stray() -> None:
    island = np.array([60.0, 0.0]) + ring(1.0)[::20]
    frame = settle_frame(np.concatenate([ring(1.0), island]))
    assert frame is not None and frame.right > 60


def test_a_single_point_and_a_line_have_a_frame_with_an_inside() -> None:
    for points in (np.array([[3.0, 4.0]]), np.stack([np.arange(9.0), np.zeros(9)], axis=1)):
        frame = settle_frame(points, None)
        assert frame is not None
        assert frame.right > frame.left and frame.top > frame.bottom


@pytest.mark.parametrize(("width", "height"), [(72, 32), (20, 30), (100, 10)])
def test_a_unit_is_as_long_across_as_up(width: int, height: int) -> None:
    frame = Frame(-3.0, 3.0, -1.0, 1.0)
    view = Window.around(frame, width, height).frame
    across = (view.right - view.left) / (width * 2 - 1)  # a dot is as wide as high
    assert across == pytest.approx((view.top - view.bottom) / (height * 4 - 1))
    assert view.left <= -3 and view.right >= 3 and view.bottom <= -1 and view.top >= 1


# Curves


def test_a_rising_line_as_text() -> None:
    x = np.arange(9.0)
    cells = curve_cells(x, x, x, Frame(0, 8, 0, 8), 4, 2)
    lines = text(cells, 4, 2)
    assert lines == ["  ⡠⠊", "⡠⠊  "]


def test_a_spike_of_one_step_in_a_million_is_seen() -> None:
    values = np.zeros(1_000_000)
    values[654_321] = 1.0
    x = np.arange(len(values), dtype=float)
    cells = curve_cells(x, values, values, Frame(0, x[-1], 0, 1), 40, 5)
    top = [c for c, r in zip(cells.columns.tolist(), cells.rows.tolist(), strict=True) if r == 4]
    assert top == [int(654_321 / 1e6 * 80) // 2]


def test_a_curve_has_no_holes() -> None:
    generator = np.random.default_rng(3)
    x, y = np.sort(generator.random(25)), generator.random(25)
    cells = curve_cells(x, y, y, UNIT, 30, 8)
    columns = cells.columns.tolist()
    assert set(columns) == set(range(min(columns), max(columns) + 1))
    dots = set[tuple[int, int]]()
    bits = {0x40: (0, 0), 0x04: (0, 1), 0x02: (0, 2), 0x01: (0, 3)}
    bits |= {0x80: (1, 0), 0x20: (1, 1), 0x10: (1, 2), 0x08: (1, 3)}
    for column, row, mark in zip(columns, cells.rows.tolist(), cells.marks, strict=True):
        for bit, (dx, dy) in bits.items():
            if ord(mark) - 0x2800 & bit:
                dots.add((column * 2 + dx, row * 4 + dy))
    reached = {next(iter(dots))}
    edge = list(reached)
    while edge:
        dot_x, dot_y = edge.pop()
        near = {(dot_x + i, dot_y + j) for i in (-1, 0, 1) for j in (-1, 0, 1)} & dots - reached
        reached |= near
        edge += near
    assert reached == dots


def test_smoothing_against_its_formula_and_off() -> None:
    values = np.array([3.0, 1.0, 4.0, 1.0, 5.0])
    assert smoothed(values, 0.0) is values
    weight = 0.9
    for n, got in enumerate(smoothed(values, weight).tolist()):
        weights = np.array([weight ** (n - i) for i in range(n + 1)])
        assert got == pytest.approx(float((weights * values[: n + 1]).sum() / weights.sum()))


def test_sparkline_fills_its_width_from_old_to_new() -> None:
    assert sparkline(np.array([0.0, 1.0]), 4) == "▁▁██"
    assert sparkline(np.arange(80.0), 8) == "▁▂▃▄▅▆▇█"
    assert sparkline(np.array([2.0, 2.0]), 3) == "▁▁▁"
    assert sparkline(np.array([np.nan]), 3) == "   "
    assert sparkline(np.array([]), 0) == ""
