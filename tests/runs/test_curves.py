from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_latent.runs.curves import CAPACITY, CurveBins
from tui_latent.runs.metric_specs import higher_is_better
from tui_latent.runs.schema import Curve

values = st.one_of(
    st.floats(width=64),
    st.sampled_from([math.nan, math.inf, -math.inf, 1.7e308, -1.7e308, 0.0, 5e-324]),
)
histories = st.lists(st.tuples(st.integers(1, 300), values), min_size=1, max_size=120)
"""(distance from the step before, value)"""


def records_of(history: list[tuple[int, float]]) -> list[tuple[int, float, float]]:
    steps = np.cumsum([distance for distance, _ in history])
    return [(int(step), step / 10, value) for step, (_, value) in zip(steps, history, strict=True)]


def curve_of(records: list[tuple[int, float, float]], capacity: int = 8) -> Curve:
    bins = CurveBins(higher_is_better=False, capacity=capacity)
    for record in records:
        bins.extend([record])
    return bins.curve()


@given(histories)
def test_what_a_curve_shows_is_what_was_recorded(history: list[tuple[int, float]]) -> None:
    records = records_of(history)
    curve = curve_of(records)
    finite = [(step, time, value) for step, time, value in records if math.isfinite(value)]
    assert curve.non_finite == len(records) - len(finite)
    assert np.array_equal(curve.last, records[-1][2], equal_nan=True)
    assert len(curve.steps) <= 8 + 1
    if not finite:
        assert len(curve.steps) == 0
        assert math.isnan(curve.best)
        return
    assert curve.lows.min() == min(value for *_, value in finite) == curve.best
    assert curve.highs.max() == max(value for *_, value in finite)
    assert (curve.steps[-1], curve.times[-1]) == finite[-1][:2]
    assert np.all(np.diff(curve.steps) > 0)
    assert np.all((curve.lows <= curve.means) & (curve.means <= curve.highs))


@given(histories)
def test_each_bin_is_the_plain_summary_of_its_steps(history: list[tuple[int, float]]) -> None:
    records = [r for r in records_of(history) if math.isfinite(r[2]) and abs(r[2]) < 1e300]
    if not records:
        return
    bins = CurveBins(higher_is_better=True, capacity=8)
    bins.extend(records)
    curve = bins.curve()
    expected: dict[int, list[float]] = {}
    for step, _, value in records:
        expected.setdefault(step // bins.width, []).append(value)
    assert math.log2(bins.width).is_integer()
    assert list(curve.lows) == [min(group) for group in expected.values()]
    assert list(curve.highs) == [max(group) for group in expected.values()]
    for mean, group in zip(curve.means, expected.values(), strict=True):
        # The smallest floats have no nearer neighbour to round a mean to.
        near = max(1e-9 * max(map(abs, group)), 1e-300)
        assert mean == pytest.approx(math.fsum(group) / len(group), rel=1e-9, abs=near)


@given(histories, st.integers(1, 60))
def test_reading_in_parts_gives_the_same_curve(history: list[tuple[int, float]], cut: int) -> None:
    records = records_of(history)
    whole = CurveBins(higher_is_better=False, capacity=8)
    whole.extend(records)
    parts = CurveBins(higher_is_better=False, capacity=8)
    parts.extend(records[:cut])
    parts.curve()
    parts.extend(records[cut:])
    for name in ("steps", "times", "lows", "highs"):
        assert np.array_equal(getattr(whole.curve(), name), getattr(parts.curve(), name))
    # The rounding of a sum of 120 values in another order, where large ones cancel.
    largest = max((abs(value) for _, value in history if math.isfinite(value)), default=0.0)
    atol = max(1e-8, 120 * np.finfo(np.float64).eps * largest)
    assert np.allclose(whole.curve().means, parts.curve().means, atol=atol)
    assert whole.curve().non_finite == parts.curve().non_finite


def test_old_bins_stay_where_they_are_when_a_record_arrives() -> None:
    bins = CurveBins(higher_is_better=False, capacity=64)
    before = None
    moved = 0
    for step in range(0, 4000, 7):
        bins.extend([(step, step / 2, math.sin(step))])
        curve = bins.curve()
        if before is not None:
            old = len(before.steps) - 1
            same = np.array_equal(before.steps[:old], curve.steps[:old])
            moved += not (same and np.array_equal(before.lows[:old], curve.lows[:old]))
        before = curve
    assert 0 < moved <= math.log2(bins.width)  # only when all bins were merged in pairs


def test_a_spike_in_a_million_steps_stays_to_be_seen() -> None:
    bins = CurveBins(higher_is_better=False)
    for start in range(0, 1_000_000, 50_000):
        steps = np.arange(start, start + 50_000, 10)
        bins.extend([(int(step), step / 100, 1.0) for step in steps])
    bins.extend([(1_000_000, 1.0, 1.0)])
    flat = bins.curve()
    spiked = CurveBins(higher_is_better=False)
    spiked.extend(
        [(int(s), s / 100, 9.0 if s == 123_450 else 1.0) for s in range(0, 1_000_001, 10)]
    )
    curve = spiked.curve()
    assert len(curve.steps) == len(flat.steps) <= CAPACITY + 1
    assert len(curve.steps) > CAPACITY / 2
    assert [float(high) for high in curve.highs if high != 1.0] == [9.0]
    where = int(np.argmax(curve.highs))
    assert curve.steps[where] - spiked.width < 123_450 <= curve.steps[where]


def test_the_newest_value_at_a_step_counts_and_the_one_before_leaves_no_trace() -> None:
    bins = CurveBins(higher_is_better=False)
    bins.extend([(1, 0.1, 5.0), (2, 0.2, -100.0)])
    bins.extend([(2, 0.3, 4.0)])
    curve = bins.curve()
    assert (curve.lows.min(), curve.best, curve.last) == (4.0, 4.0, 4.0)
    assert list(curve.times) == [0.1, 0.3]


def test_a_non_finite_value_that_was_replaced_is_not_counted() -> None:
    assert curve_of([(1, 0.1, math.nan), (1, 0.1, 2.0)]).non_finite == 0


def test_an_unchanged_curve_is_the_same_object_and_cannot_be_written() -> None:
    bins = CurveBins(higher_is_better=False)
    bins.extend([(1, 0.1, 5.0)])
    first = bins.curve()
    assert bins.curve() is first
    bins.extend([(2, 0.2, 5.0)])
    assert bins.curve() is not first
    with pytest.raises(ValueError, match="read-only"):
        first.means[0] = 0.0


def test_steps_far_apart_need_no_memory_for_the_gap() -> None:
    curve = curve_of([(0, 0.0, 1.0), (2**53, 1.0, 2.0)])
    assert list(curve.steps) == [0.0, float(2**53)]


def test_the_best_accuracy_is_the_largest_and_the_best_loss_the_smallest() -> None:
    assert higher_is_better("val/knn_20")
    assert not higher_is_better("val/loss")
    assert not higher_is_better("train/info_nce")
    bins = CurveBins(higher_is_better=True)
    bins.extend([(1, 0.1, 0.5), (2, 0.2, 0.9), (3, 0.3, 0.8)])
    assert bins.curve().best == 0.9


def test_bins_start_at_multiples_of_their_width() -> None:
    bins = CurveBins(higher_is_better=False, capacity=4)
    bins.extend([(step, 0.0, float(step)) for step in range(16)])
    curve = bins.curve()
    assert [int(low) % bins.width for low in curve.lows] == [0] * len(curve.lows)
    assert [b - a for a, b in pairwise(curve.lows)] == [bins.width] * (len(curve.lows) - 1)
