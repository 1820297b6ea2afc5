"""Curves as a person reads them: values in words, lines, axes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_latent.runs.schema import Curve
from tui_latent.tui.charts.flags import Flag
from tui_latent.tui.charts.line_chart import (
    ChartOptions,
    Series,
    chart_image,
    draw_chart,
    value_strips,
)
from tui_latent.tui.charts.small_charts import image_with_parts

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


def test_a_low_chart_leaves_out_its_lower_axis_before_its_curves() -> None:
    items = series(curve([5.0, 4.0, 3.0, 2.0, 1.0]))
    for height in range(3, 8):
        lines = [strip.text for strip in draw_chart(items, ChartOptions(), 40, height)]
        drawn_on = [line for line in lines if any("\u2800" < c <= "\u28ff" for c in line)]
        assert len(drawn_on) >= 2 and len(lines) == height
        assert any("┬" in line for line in lines) is (height >= 5)


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
    assert "4:00" in drawn(series(long), ChartOptions(axis="time"))[-1]
    assert "4:00" not in drawn(series(long))[-1]


def test_a_value_that_is_not_finite_is_reported_and_the_finite_ones_are_drawn() -> None:
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


@pytest.mark.slow
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


def weighted(*weights: float) -> list[Series]:
    """A total of two terms, 4 and 400 at all steps, that count with these weights."""
    terms = [4.0, 400.0]
    total = sum(w * value for w, value in zip(weights, terms, strict=True))
    items = [Series("total", GREY, curve([total] * 3))]
    for index, (weight, value) in enumerate(zip(weights, terms, strict=True)):
        weights_of = ((0.0, weight),)
        items.append(Series(f"term{index}", GREY, curve([value] * 3), weights=weights_of))
    return items


def test_a_term_is_drawn_as_it_counts_with_its_share_of_the_sum() -> None:
    lines = drawn(weighted(0.5, 0.0025), width=60)  # 2 and 1: a sum of 3
    legend = [part.split() for part in lines[0].split("━")[1:]]
    assert legend == [
        ["total", "3.00"],
        ["term0", "2.00", "67", "%"],
        ["term1", "1.00", "33", "%"],
    ]
    labels = [line[:5].strip() for line in lines[1:-2]]
    assert {"1", "2", "3"} <= {label.removesuffix(".0") for label in labels}
    assert not any("100" in label for label in labels)


def test_a_weight_that_changed_counts_from_its_step_on() -> None:
    first, second = 0.5, 2.0
    item = Series("term", GREY, curve([4.0, 4.0, 4.0]), weights=((0.0, first), (20.0, second)))
    at = {step: value_strips([item], 40, 1, ChartOptions(at=step))[0].text for step in (10, 20, 30)}
    assert ["2.00" in at[10], "2.00" in at[20], "8.00" in at[30]] == [True, True, True]


def test_a_share_that_is_small_is_not_called_nothing() -> None:
    text = drawn(weighted(1.0, 0.00001), width=60)[0]
    assert "<1 %" in text


def test_a_term_without_weight_is_named_and_takes_no_room() -> None:
    lines = drawn(weighted(1.0, 0.0), width=60)
    assert lines[0].split("━")[-1].split() == ["term1", "0", "0", "%"]
    alone = drawn(weighted(1.0, 0.0)[:2], width=60)
    assert lines[1:] == alone[1:]


def colored(items: list[Series], options: ChartOptions) -> dict[tuple[int, int, int], int]:
    """Return how many cells of the curves have which colour, below the legend."""
    counts: dict[tuple[int, int, int], int] = {}
    for strip in chart_image(items, options, 40, 12, ground=(0, 0, 0)).strips[1:]:
        for text, style, _ in strip:
            if style is not None and style.color is not None:
                color = tuple(style.color.get_truecolor())
                counts[color] = counts.get(color, 0) + sum("⠀" < mark <= "⣿" for mark in text)  # type: ignore[index,arg-type]
    return counts


def test_the_curve_in_front_covers_the_others_which_fade() -> None:
    red, green = (200, 0, 0), (0, 200, 0)
    items = [Series("one", red, curve([1.0, 2.0])), Series("two", green, curve([1.0, 2.0]))]
    assert colored(items, ChartOptions(front="one"))[red] > 0
    front = colored(items, ChartOptions(front="two"))
    assert front[green] > 0 and red not in front
    assert not front.get((100, 0, 0))  # the same path: nothing of it is left to see
    apart = [Series("one", red, curve([1.0, 1.0])), Series("two", green, curve([2.0, 2.0]))]
    assert colored(apart, ChartOptions(front="two"))[(100, 0, 0)] > 0


def test_curves_are_named_at_their_ends() -> None:
    items = [Series("rising", GREY, curve([1.0, 9.0])), Series("falling", GREY, curve([9.0, 1.0]))]
    lines = drawn(items, width=60)[1:-2]
    rows = {
        name: row
        for row, line in enumerate(lines)
        for name in ("rising", "falling")
        if name in line
    }
    assert rows["rising"] < rows["falling"]
    assert all(lines[row].rstrip().endswith(name) for name, row in rows.items())


def test_the_cursor_reads_the_curve_in_front() -> None:
    values = curve([5.0, 4.0, 3.0, 2.0])
    item = Series("loss", GREY, values, steps_per_epoch=20.0)
    options = ChartOptions(front="loss", cursor=30.0, smoothing=0.5)
    # smoothed by hand: (5 / 4 + 4 / 2 + 3) / (1 / 4 + 1 / 2 + 1)
    line = drawn([item], options, width=70)[1].split(" · ")
    assert [part.strip() for part in line] == [
        "step 30",
        "epoch 1.5",
        "0:03",
        "loss 3.00",
        "smoothed 3.57",
    ]
    narrow = drawn([item], options, width=24)[1]
    assert "step 30" in narrow and "3.00" in narrow and len(narrow) == 24
    assert any("│" in text for text in drawn([item], options)[2:])


def test_flags_stand_at_their_steps_with_their_words() -> None:
    flags = [Flag(20.0, "▾", "stage 2"), Flag(39.0, "↕", "rate halved")]
    image = chart_image(series(curve([4.0, 1.0, 1.0, 1.0])), ChartOptions(), 60, 12, flags=flags)
    lines = [strip.text for strip in image.strips]
    assert "▾ stage 2" in lines[1] and "↕" in lines[1]
    assert image.plot is not None
    column = image.plot.left + round(20 / 40 * (image.plot.columns - 1))
    assert lines[1][column] == "▾" and lines[3][column] == "┊"
    at = ChartOptions(cursor=20.0)
    read = chart_image(series(curve([4.0, 1.0, 1.0, 1.0])), at, 60, 12, flags=flags).strips[1].text
    assert "▾ stage 2" in read


def test_a_flag_without_room_keeps_the_number_of_its_stage() -> None:
    shown = set()
    for width in range(30, 90):
        flags = [Flag(20.0, "▾", "stage 2: one layer"), Flag(28.0, "▾", "stage 3: all layers")]
        image = chart_image(series(curve([4.0] * 4)), ChartOptions(), width, 12, flags=flags)
        shown.add(image.strips[1].text.partition("▾")[2].partition("▾")[0].strip())
    assert {"", "stage 2", "stage 2: one…"} <= shown
    assert all(text == "" or text.startswith("stage 2") for text in shown), shown


def test_a_flag_and_a_curves_name_never_touch() -> None:
    values = {"norm": [9.0, 1.0, 1.0, 1.0], "total": [8.0, 8.0, 8.0, 8.0]}
    items = [Series(name, GREY, curve(of)) for name, of in values.items()]
    beside = 0
    for count in range(1, 48):
        flag = Flag(20.0, "▾", f"stage 2: {'x' * count}")
        image = chart_image(items, ChartOptions(), 70, 12, flags=[flag])
        top = image.strips[1].text.split()
        beside += "▾" in top and "total" in top
        assert all(word == "total" for word in top if word.endswith("total")), top
    assert beside, "no flag was ever drawn in the row of the name"


def test_a_part_of_the_axis_fills_the_chart() -> None:
    items = series(curve([9.0, 8.0, *[1.0, 2.0] * 4]))
    lines = drawn(items, ChartOptions(span=(50.0, math.inf)))
    assert float(lines[-1].split()[0]) >= 50
    labels = [float(line[:5]) for line in lines[1:-2] if line[:5].strip()]
    assert len(labels) >= 3 and max(labels) <= 2.1


@pytest.mark.parametrize("axis", ["epoch", "time"])
def test_the_axis_of_epochs_and_time_ends_where_the_run_does(axis: str) -> None:
    item = Series("loss", GREY, curve([3.0] * 40), steps_per_epoch=20.0)  # 20 epochs, 40 seconds
    ticks = drawn([item], ChartOptions(axis=axis))[-1].split()  # type: ignore[arg-type]
    assert ticks[-1] == ("20" if axis == "epoch" else "0:30")


def test_each_term_has_a_small_chart_where_there_is_room() -> None:
    items = weighted(0.5, 0.0025)
    options = ChartOptions(front="total", parts=True)
    lines = [strip.text for strip in image_with_parts(items, options, 100, 36).strips]
    assert len(lines) == 36 and {len(line) for line in lines} == {100}
    names = [line for line in lines if "term0" in line and "term1" in line and "total" not in line]
    assert len(names) == 1 and "67 %" in names[0] and "33 %" in names[0]
    few = [strip.text for strip in image_with_parts(items, options, 46, 12).strips]
    assert few == [s.text for s in chart_image(items, options, 46, 12).strips]


@pytest.mark.parametrize("values", [[1.0], [1.0, 1.0], [0.9999999, 1.0]])
def test_no_tick_is_above_the_largest_value_that_is_possible(values: list[float]) -> None:
    def ticks(options: ChartOptions) -> list[float]:
        starts = [line[:5].strip() for line in drawn(series(curve(values)), options)[1:-2]]
        return [float(start) for start in starts if start[-1:].isdigit()]

    assert max(ticks(ChartOptions(log=False))) > 1
    assert max(ticks(ChartOptions(log=False, ceiling=1.0))) == 1


@given(st.lists(st.floats(0, 1), min_size=2, max_size=5), st.integers(0, 4))
def test_names_at_the_ends_stand_in_the_order_of_the_ends(ends: list[float], front: int) -> None:
    items = series(*(curve([0.5, 0.5, end]) for end in ends))
    options = ChartOptions(front=f"term{front % len(ends)}")
    plotted = drawn(items, options, width=60)[1:]  # below the legend
    rows = {
        index: row
        for row, line in enumerate(plotted)
        for index in range(len(ends))
        if line.endswith(f"term{index}")
    }
    for one, above in rows.items():
        for other, below in rows.items():
            if ends[one] > ends[other]:
                assert above < below
