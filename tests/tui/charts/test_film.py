"""The film of a run's evaluations: which are shown, where, and with which points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.made_runs import clusters
from tui_latent.palettes import class_color
from tui_latent.runs.schema import LatentMap
from tui_latent.tui.charts.film import HEIGHT, WIDTH, draw_film, film_step_at, film_steps


@given(
    steps=st.lists(st.integers(0, 10_000), max_size=80, unique=True).map(sorted),
    width=st.integers(0, 200),
    data=st.data(),
)
def test_the_shown_evaluation_is_always_in_the_film(
    steps: list[int], width: int, data: st.DataObject
) -> None:
    shown = data.draw(st.sampled_from(steps)) if steps else None
    film = film_steps(steps, shown, width)
    assert film == sorted(set(film)) and set(film) <= set(steps)
    assert len(film) <= width // WIDTH
    if film:
        assert shown in film
    if len(steps) * WIDTH <= width:
        assert film == steps, "all of them where there is room"


def test_the_film_spans_the_whole_run() -> None:
    steps = list(range(60, 6060, 60))
    assert film_steps(steps, 6000, 5 * WIDTH) == [60, 1560, 3060, 4500, 6000]
    assert film_steps(steps, 1500, 5 * WIDTH) == [60, 1500, 3060, 4500, 6000]


def test_a_click_on_a_small_map_is_its_evaluation() -> None:
    film = [60, 120, 180]
    assert [film_step_at(film, column) for column in (0, WIDTH - 1, WIDTH, 3 * WIDTH - 1)] == [
        *(60, 60, 120, 180)
    ]
    assert film_step_at(film, 3 * WIDTH) is None and film_step_at([], 0) is None


def moved(step: int, x: float) -> LatentMap:
    points = np.array([[x, 0.0], [-1.0, -1.0], [1.0, 1.0]], np.float32)
    return LatentMap(step, points, np.arange(3), np.array([0, 1, 1]), ("a", "b"))


def test_every_map_of_the_film_has_the_same_frame() -> None:
    maps: dict[int, LatentMap | None] = {60: moved(60, -1.0), 120: None, 180: moved(180, 1.0)}
    strips = draw_film(maps, [60, 120, 180], 180, 60, colored=True, dark=True)
    assert len(strips) == HEIGHT and all(strip.cell_length == 60 for strip in strips)
    places = {}
    for y, strip in enumerate(strips[:-1]):
        x = 0
        for segment in strip:
            color = segment.style.color if segment.style else None
            if color is not None and color.triplet == class_color(0):
                places[x // WIDTH] = (x % WIDTH, y)
            x += segment.cell_length
    assert set(places) == {0, 2}, "the second map is missing"
    assert places[0][0] < places[2][0] and places[0][1] == places[2][1]
    caption = strips[-1].text
    assert all(f"step {step}" in caption for step in (60, 120, 180))


@pytest.mark.parametrize("value", [np.nan, 0.0])
def test_maps_without_extent_are_drawn_all_the_same(value: float) -> None:
    points = np.full((20, 2), value, np.float32)
    one = LatentMap(60, points, np.arange(20), np.zeros(20, np.int64), ("a",))
    for maps in ({60: one}, {60: None}, {60: clusters(9000, 100)}):
        strips = draw_film(maps, [60], None, 30, colored=False, dark=False)
        assert [strip.cell_length for strip in strips] == [30] * HEIGHT
