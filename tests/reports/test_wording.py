"""Numbers on paper."""

from __future__ import annotations

import math

import pytest

from tui_latent.reports.wording import duration, number, ticks


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (math.nan, "NaN"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (0.0, "0"),
        (0.96214, "0.962"),
        (3.41234, "3.41"),
        (-1.5, "−1.50"),
        (12.345, "12.3"),
        (1234.5, "1,234"),
        (0.00123, "0.00123"),
        (0.0000123, "1.2e−5"),
        (1.5e7, "1.5e7"),
    ],
)
def test_numbers_have_three_digits_that_count(value: float | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (48.4, "48 s"), (59.6, "1 min 0 s"), (133, "2 min 13 s"), (4800, "1 h 20 min")],
)
def test_durations_have_two_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_ticks_of_an_axis_have_as_many_decimals() -> None:
    assert ticks([0, 0.2, 1]) == ["0.0", "0.2", "1.0"]
    assert ticks([-6000, 0, 12000]) == ["−6,000", "0", "12,000"]
    assert ticks([1e30, 2e30]) == ["1e+30", "2e+30"]
    assert ticks([]) == []
