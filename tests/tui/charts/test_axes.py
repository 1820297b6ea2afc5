"""Ticks: round, few, told apart."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_latent.tui.charts.axes import linear_ticks, step_axis, tick_label, time_axis, value_axis

number = st.floats(-1e9, 1e9)


@pytest.mark.parametrize(
    ("low", "high", "count", "expected"),
    [
        (0, 10, 5, [0, 5, 10]),
        (10, 720, 5, [200, 400, 600]),
        (0.71, 0.94, 2, [0.8, 0.9]),
        (-1.2, 1.2, 3, [-1, 0, 1]),
        (5, 5, 3, []),
        (0, math.nan, 3, []),
        (0, math.inf, 3, []),
    ],
)
def test_ticks_are_round(low: float, high: float, count: int, expected: list[float]) -> None:
    assert linear_ticks(low, high, count) == pytest.approx(expected)


@given(low=number, span=st.floats(1e-6, 1e9), count=st.integers(1, 12))
def test_ticks_lie_inside_and_are_few(low: float, span: float, count: int) -> None:
    high = low + span
    if high == low:
        return
    ticks = linear_ticks(low, high, count)
    assert len(ticks) <= count
    slack = 1e-6 * span + 1e-9 * abs(low)
    assert len(set(ticks)) == len(ticks)
    assert all(low - slack <= tick <= high + slack for tick in ticks)


@pytest.mark.parametrize(
    ("value", "spacing", "text"),
    [
        (0, 1, "0"),
        (0.8, 0.1, ".8"),
        (-0.05, 0.05, "-.05"),
        (1.25, 0.05, "1.25"),
        (600, 200, "600"),
        (1e-20, 1, "0"),
        (20_000, 5_000, "20k"),
        (-999_999_999, 1, "-1G"),
        (1_500_000, 500_000, "1.5M"),
        (0.00002, 0.00001, "2e-5"),
    ],
)
def test_labels_have_the_decimals_they_need(value: float, spacing: float, text: str) -> None:
    assert tick_label(value, spacing) == text


@given(low=number, span=st.floats(1e-3, 1e6), rows=st.integers(1, 60))
def test_axis_labels_have_one_width_and_places_on_the_axis(
    low: float, span: float, rows: int
) -> None:
    axis = value_axis(low, low + span, rows)
    assert {len(label) for label in axis.labels} <= {5, 6}
    assert all(0 <= place < rows for place in axis.places)


def test_a_logarithmic_axis_says_the_values_and_not_their_logarithms() -> None:
    axis = value_axis(-2.0, 1.0, 12, log=True)
    assert [label.strip() for label in axis.labels] == [".01", ".1", "1", "10"]


def test_an_axis_along_steps() -> None:
    axis = step_axis(0, 1000, 45)
    assert axis.labels == ("0", "200", "400", "600", "800", "1000")
    assert axis.places[0] == 0 and axis.places[-1] == 44


@pytest.mark.parametrize(
    ("seconds", "columns", "labels"),
    [
        (72, 40, ("0:00", "0:30", "1:00")),
        (600, 40, ("0:00", "5:00", "10:00")),
        (7300, 80, ("0:00", "30:00", "1:00:00", "1:30:00", "2:00:00")),
        (1e8, 40, ()),
    ],
)
def test_an_axis_along_time_has_round_times(
    seconds: float, columns: int, labels: tuple[str, ...]
) -> None:
    axis = time_axis(0, seconds, columns)
    assert axis.labels[: len(labels)] == labels
    assert len(axis.labels) <= columns // 9 + 1
    assert all(0 <= place < columns for place in axis.places)


@given(low=st.floats(-1e6, 1e6), span=st.floats(1e-3, 1e6), rows=st.integers(6, 60))
def test_an_axis_has_three_ticks_or_more(low: float, span: float, rows: int) -> None:
    assert len(set(value_axis(low, low + span, rows).places)) >= 3
    assert len(step_axis(max(low, 0.0), max(low, 0.0) + span, 36).labels) >= 3


@given(low=st.floats(0, 9), power=st.integers(-2, 3), part=st.floats(1, 10))
def test_the_labels_of_an_axis_are_where_they_say(low: float, power: int, part: float) -> None:
    high = low + part * 10.0**power
    axis = step_axis(low, high, 60)
    for place, label in zip(axis.places, axis.labels, strict=True):
        value = float(label.replace("k", "e3"))
        assert abs((value - low) / (high - low) * 60 - place) < 1.01


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0.3, 2.6, ["3", "10", "30", "100", "300"]),
        (-6.0, 1.0, ["1e-6", ".0001", ".01", "1"]),
        (math.log10(0.21), math.log10(0.79), [".3", ".4", ".5", ".6", ".7"]),
        (math.log10(2.0), math.log10(3.1), ["2.0", "2.5", "3.0"]),
        (math.log10(0.97), math.log10(0.975), [".970", ".972", ".974"]),
    ],
)
def test_a_logarithmic_axis_of_any_span_has_three_ticks(
    low: float, high: float, labels: list[str]
) -> None:
    axis = value_axis(low, high, 8, log=True)
    assert [label.strip() for label in axis.labels] == labels
    values = [float(label) for label in labels]
    share = [(math.log10(value) - low) / (high - low) for value in values]
    assert axis.places == tuple(min(max(math.floor(s * 8), 0), 7) for s in share)
