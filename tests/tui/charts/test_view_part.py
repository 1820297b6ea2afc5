"""Zooming, panning and reading along a chart's x axis."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_latent.map_frame import Frame
from tui_latent.tui.charts.view_part import Plot, moved_cursor, nearest_record, panned, zoomed


def plot(left: float = 0.0, right: float = 100.0, end: float = 100.0) -> Plot:
    return Plot(6, 1, 101, 10, Frame(left, right, 0.0, 1.0), end)


def test_the_place_that_is_zoomed_at_stays_where_it_is() -> None:
    span = zoomed(plot(), 2.0, 25.0)
    assert span is not None
    shown = plot(*span)
    assert shown.column_of(25.0) == plot().column_of(25.0)
    assert span[1] - span[0] == pytest.approx(50.0)


def test_zooming_out_shows_the_whole_again() -> None:
    assert zoomed(plot(25.0, 75.0), 0.25, 50.0) is None


def test_a_part_that_reaches_the_end_keeps_up_with_a_run() -> None:
    span = zoomed(plot(), 2.0, 100.0)
    assert span == (50.0, math.inf)
    assert panned(plot(50.0, 100.0), 1.0) == (50.0, math.inf)
    assert panned(plot(50.0, 100.0), -0.5) == (25.0, 75.0)
    assert panned(plot(10.0, 30.0), -9.0) == (0.0, 20.0)


@given(x=st.floats(-50, 150), factor=st.floats(0.1, 50), left=st.floats(0, 90))
def test_any_zoom_stays_within_the_run(x: float, factor: float, left: float) -> None:
    span = zoomed(plot(left, 100.0), factor, x)
    if span is not None:
        assert 0.0 <= span[0] < span[1]
        assert span[1] == math.inf or span[1] < 100.0


def test_the_cursor_goes_from_record_to_record_by_at_least_a_column() -> None:
    records = np.array([10.0, 10.2, 10.4, 12.0, 40.0])
    assert moved_cursor(records, None, -1, plot()) == 40.0
    assert moved_cursor(records, 40.0, -1, plot()) == 12.0
    assert moved_cursor(records, 12.0, -1, plot()) == 10.4
    assert moved_cursor(records, 10.0, 1, plot()) == 12.0
    assert moved_cursor(records, 10.0, -1, plot()) == 10.0
    assert moved_cursor(records, 40.0, 1, plot()) == 40.0
    assert moved_cursor(records[:0], None, 1, plot()) is None
    assert nearest_record(records, 11.9) == 12.0
