"""Numbers and spans as the screens write them."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui_latent.tui.format import age, bar, clip, clip_caption, column, duration, number, share


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.0, "0"),
        (0.9512, ".951"),
        (-0.5, "-.500"),
        (0.99951, "1.00"),
        (0.00123, ".001"),
        (0.00012, "1.2e-4"),
        (3.4119, "3.41"),
        (9.996, "10.0"),
        (99.96, "100"),
        (12431.0, "12,431"),
        (-123456.0, "-1.2e5"),
        (1e-30, "1.0e-30"),
        (math.nan, "NaN"),
        (math.inf, "∞"),
        (-math.inf, "-∞"),
    ],
)
def test_numbers_have_three_digits_and_no_zero_before_the_point(
    value: float | None, text: str
) -> None:
    assert number(value) == text


@given(st.floats(-1e90, 1e90) | st.sampled_from([math.nan, math.inf, -math.inf]))
def test_every_number_is_short_and_right_to_its_digits(value: float) -> None:
    text = number(value)
    assert len(text) <= 8 or abs(value) < 1e-90
    if math.isfinite(value):
        assert float(text.replace(",", "")) == pytest.approx(value, rel=0.05, abs=1e-12)


def test_a_share_is_not_100_before_the_end() -> None:
    assert share(99_999, 100_000) == "99 %"
    assert share(100_000, 100_000) == "100 %"
    assert share(0, 0) == "–"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "now"), (59, "now"), (60, "1 min"), (7199, "1 h"), (86_400, "1 d"), (4e7, "462 d")],
)
def test_ages_are_said_in_their_largest_unit(seconds: float, text: str) -> None:
    assert age(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (40, "40 s"), (90, "2 min"), (3600, "1 h"), (4800, "1 h 20 min")],
)
def test_durations_are_rough(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@given(st.floats(-1, 2), st.integers(1, 40))
def test_a_bar_fills_from_the_left_to_half_a_cell(part: float, width: int) -> None:
    text = bar(part, 1.0, width)
    assert len(text) == width
    assert text == "━" * text.count("━") + "╸" * text.count("╸") + "─" * text.count("─")
    drawn = (text.count("━") + text.count("╸") / 2) / width
    assert abs(drawn - min(max(part, 0), 1)) <= 0.5 / width + 1e-9


@given(st.text(max_size=60), st.integers(0, 40))
@example("00\x1f⺀", 3)
def test_a_column_is_as_wide_as_it_says(text: str, width: int) -> None:
    assert cell_len(column(text, width)) == width
    assert cell_len(column(text, width, right=True)) == width


def test_a_clipped_name_keeps_both_ends() -> None:
    clipped = clip("a-long-name-of-mnist-contrastive-2d", 20)
    assert clipped.startswith("a-long") and clipped.endswith("trastive-2d") and len(clipped) == 20
    assert clip("short", 20) == "short"


@pytest.mark.parametrize("date", ["20261122-", ""])
@pytest.mark.parametrize("width", [14, 17, 22, 28])
def test_two_runs_of_one_day_and_preset_still_differ_when_clipped(width: int, date: str) -> None:
    first, second = (
        clip(f"{date}{time}-mnist-contrastive-2d", width) for time in ("134500", "134759")
    )
    assert first != second and "134500" in first and "134759" in second
    assert len(first) == len(second) <= width


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("automobile .906", 15, "automobile .906"),
        ("automobile .906", 10, clip("automobile", 5) + " .906"),
        ("automobile 12,906", 9, clip("automobile", 2) + " 12,906"),
        ("automobile 12,906", 7, "12,906"),
        ("automobile 12,906", 4, clip("automobile", 4)),
        ("from automobile", 8, clip("from automobile", 8)),
    ],
)
def test_in_a_caption_the_name_gives_way_and_never_the_number(
    text: str, width: int, expected: str
) -> None:
    assert clip_caption(text, width) == expected
    assert cell_len(expected) <= width
