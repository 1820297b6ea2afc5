"""Curves as a person reads them: values in words, lines, axes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_latent.runs.schema import Curve
from tui_latent.tui.charts.line_chart import ChartOptions, Series, draw_chart, value_strips

GREY = (135, 135, 135)


def curve(values: list[float], last: float | None = None) -> Curve:
    known = np.array([value for value in values if math.isfinite(value)])
    steps = np.arange(1.0, len(known) + 1) * 10
    newest = values[-1] if last is None else last
    return Curve(steps, steps / 10, known, known, known, newest, float(known.min(initial=9)))


def series(*curves: Curve | None) -> list[Series]:
    return [Series(f"term{index}", GREY, item) for index, item in enumerate(curves)]


def drawn(items: list[Series], options: ChartOptions | None = None, width: int = 40) -> list[str]:
    return [strip.text for strip in draw_chart(items, options or ChartOptions(), width, 10)]


def test_values_stand_above_the_curves_at_a_fixed_width() -> None:
    one, two = (drawn(series(curve([3.0, value]))) for value in (1.0, 123.4))
    assert one[0].startswith("━ term0 1.00")
    assert two[0].startswith("━ term0 123")
    assert len(one) == len(two) == 10
    assert {len(line) for line in one + two} == {40}


def test_a_falling_curve_starts_above_where_it_ends() -> None:
    lines = drawn(series(curve([5.0, 4.0, 3.0, 2.0, 1.0])))[1:-2]
    places = [
        (column, row)
        for row, line in enumerate(lines)
        for column, character in enumerate(line)
        if "\u2800" < character <= "\u28ff"
    ]
    assert min(places)[1] < max(places)[1]
    assert max(places)[0] == 39  # the newest value stands at the right edge


def test_a_term_that_is_zero_disappears_from_a_logarithmic_axis_only() -> None:
    items = series(curve([1.0, 10.0, 100.0]), curve([0.0, 0.0, 0.0]))
    linear = "".join(drawn(items))
    log = "".join(drawn(items, ChartOptions(log=True)))
    assert "term1 0" in linear and "term1 0" in log
    assert "10" in log and "100" in log
    below_zero = drawn(series(curve([-1.0, -2.0])), ChartOptions(log=True))
    assert len(below_zero) == 1  # the values in words; nothing can be drawn


def test_time_axis_says_minutes() -> None:
    long = Curve(*(np.arange(1.0, 400.0),) * 2, *(np.arange(1.0, 400.0),) * 3, 399.0, 1.0)
    assert "5:00" in drawn(series(long), ChartOptions(axis="time"))[-1]
    assert "5:00" not in drawn(series(long))[-1]


def test_a_value_that_is_not_finite_is_said_and_the_finite_ones_are_drawn() -> None:
    strips = draw_chart(series(curve([2.0, 1.0], math.nan)), ChartOptions(), 40, 10)
    assert "NaN" in strips[0].text
    assert any(segment.style and segment.style.reverse for segment in strips[0])
    assert any(character > "\u2800" for strip in strips for character in strip.text)


def test_a_held_out_value_is_drawn_as_single_dots() -> None:
    sparse = curve([1.0, 5.0, 1.0])
    joined = drawn([Series("loss", GREY, sparse)])
    dotted = drawn([Series("loss", GREY, None, sparse)])
    count = [sum("⠀" < c <= "⣿" for line in lines for c in line) for lines in (joined, dotted)]
    assert count[1] == 3 < count[0]


def test_letters_tell_curves_apart_without_color() -> None:
    items = series(curve([1.0, 1.0]), curve([2.0, 2.0]))
    lines = [strip.text for strip in draw_chart(items, ChartOptions(), 40, 10, letters=True)]
    assert lines[0].startswith("0 term0")
    assert any("000" in line for line in lines) and any("111" in line for line in lines)


@pytest.mark.parametrize("name", ["[red]loss[/red]", "損失"])
def test_any_name_keeps_the_width(name: str) -> None:
    strips = value_strips([Series(name, GREY, curve([1.0]))], 30, 1)
    assert strips[0].cell_length == 30
    assert name in strips[0].text


@given(
    values=st.lists(st.floats(allow_nan=True), min_size=1, max_size=20),
    width=st.integers(1, 60),
    height=st.integers(0, 14),
    log=st.booleans(),
    smoothing=st.sampled_from([0.0, 0.9]),
)
def test_any_values_fit_any_panel(
    values: list[float], width: int, height: int, log: bool, smoothing: float
) -> None:
    strips = draw_chart(
        series(curve(values), None), ChartOptions(log=log, smoothing=smoothing), width, height
    )
    assert len(strips) <= height
    assert all(strip.cell_length == width for strip in strips)


def test_terms_of_far_apart_sizes_are_drawn_on_a_logarithmic_axis_unless_told_otherwise() -> None:
    items = series(curve([3.0, 3.0]), curve([400.0, 483.0]))
    assert "100" in "".join(line[:6] for line in drawn(items))
    assert "100" not in "".join(line[:6] for line in drawn(items, ChartOptions(log=False)))
    near = series(curve([3.0, 3.0]), curve([4.0, 4.83]))
    assert drawn(near) == drawn(near, ChartOptions(log=False))
    with_zero = series(curve([0.0, 0.0]), curve([400.0, 483.0]))
    assert drawn(with_zero) == drawn(with_zero, ChartOptions(log=False))


def test_charts_begin_at_the_start_of_the_run() -> None:
    value = np.array([0.9])
    one = Curve(np.array([50.0]), np.array([5.0]), value, value, value, 0.9, 0.9)
    assert drawn(series(one))[-1].split() == ["0", "20", "40"]
