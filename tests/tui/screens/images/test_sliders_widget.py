"""Sliders: where they stand, how far they go, what keys make of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from textual import on
from textual.app import App, ComposeResult
from textual.events import MouseScrollDown
from textual.pilot import Pilot

from tui_latent.tui.screens.images.sheet import SliderSpace
from tui_latent.tui.screens.images.sliders_widget import LatentSliders, Scale


def space(dimensions: int, classes: int = 3) -> SliderSpace:
    """Return a space of -1..1, class n's mean being n / 10 everywhere."""
    ends = np.ones(dimensions)
    starts = [("the overall mean", np.zeros(dimensions))]
    starts += [(f"the mean of {n}", np.full(dimensions, n / 10)) for n in range(classes)]
    return SliderSpace(-ends, ends, starts, ("image 7", np.full(dimensions, 0.7)))


class SlidersApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.moves: list[tuple[float, ...]] = []

    def compose(self) -> ComposeResult:
        yield LatentSliders()

    @on(LatentSliders.Moved)
    def keep(self, event: LatentSliders.Moved) -> None:
        self.moves.append(event.latent)


def lines(pilot: Pilot[Any]) -> list[str]:
    sliders = pilot.app.query_one(LatentSliders)
    return [sliders.render_line(y).text for y in range(sliders.content_size.height)]


async def opened(pilot: Pilot[Any], dimensions: int) -> LatentSliders:
    sliders = pilot.app.query_one(LatentSliders)
    sliders.show(space(dimensions))
    sliders.focus()
    await pilot.pause()
    return sliders


async def test_small_and_big_steps_move_the_chosen_slider_alone() -> None:
    app = SlidersApp()
    async with app.run_test(size=(60, 12)) as pilot:
        await opened(pilot, 3)
        await pilot.press("down", "right", "right")
        assert app.moves[-1] == pytest.approx((0, 0.1, 0))
        await pilot.press("shift+right")
        assert app.moves[-1] == pytest.approx((0, 0.5, 0))
        await pilot.press("shift+left", "up", "left")
        assert app.moves[-1] == pytest.approx((-0.05, 0.1, 0))
        assert [line.rstrip().endswith("*") for line in lines(pilot)[:3]] == [True, True, False]
        await pilot.press("backspace")
        assert app.moves[-1] == pytest.approx((0, 0.1, 0))


async def test_a_slider_goes_a_little_beyond_the_training_images_and_no_farther() -> None:
    app = SlidersApp()
    async with app.run_test(size=(60, 12)) as pilot:
        await opened(pilot, 1)
        await pilot.press(*["shift+right"] * 12)
        assert app.moves[-1] == pytest.approx((1.5,))
        line = lines(pilot)[0]
        assert line.index("━") > line.index("─") and line.rindex("●") > line.rindex("━")


async def test_class_means_an_image_and_the_mean_of_all_are_starts() -> None:
    app = SlidersApp()
    async with app.run_test(size=(60, 12)) as pilot:
        sliders = await opened(pilot, 2)
        await pilot.press("right", "n", "n", "n")
        assert app.moves[-1] == pytest.approx((0.2, 0.2))
        assert "from the mean of 2" in str(sliders.border_subtitle)
        await pilot.press("right")
        assert "from the mean of 2, 1 moved" in str(sliders.border_subtitle)
        await pilot.press("n")
        assert app.moves[-1] == pytest.approx((0, 0)), "after the last class the overall mean"
        await pilot.press("n")
        assert "from the mean of 0" in str(sliders.border_subtitle)
        await pilot.press("enter")
        assert app.moves[-1] == pytest.approx((0.7, 0.7))
        assert "from image 7" in str(sliders.border_subtitle)
        await pilot.press("N")
        assert "from the overall mean" in str(sliders.border_subtitle), "back past class 0"


async def test_of_many_dimensions_the_chosen_one_is_in_sight() -> None:
    app = SlidersApp()
    async with app.run_test(size=(60, 12)) as pilot:
        sliders = await opened(pilot, 128)
        assert lines(pilot)[0].startswith("▸z1 ")
        await pilot.press(*["pagedown"] * 3, "down")
        [chosen] = [line for line in lines(pilot) if line.startswith("▸")]
        assert chosen.startswith("▸z32 ") and len(lines(pilot)) == 10
        assert "Dimension 32 of 128" in str(sliders.border_title)
        await pilot.press(*["pagedown"] * 20)
        assert lines(pilot)[-1].startswith("▸z128 ")


async def test_sliders_stay_where_they_are_when_the_space_is_measured_anew() -> None:
    app = SlidersApp()
    async with app.run_test(size=(60, 12)) as pilot:
        sliders = await opened(pilot, 2)
        await pilot.press("right")
        sliders.show(space(2))
        assert sliders.latent == pytest.approx((0.05, 0))
        sliders.show(space(5))
        assert sliders.latent == pytest.approx((0,) * 5), "another network has other dimensions"


@pytest.mark.parametrize("width", [1, 2, 3, 17, 200])
@pytest.mark.parametrize("value", [-1e9, -1.5, 0, 1.5, 1e9])
def test_a_slider_is_as_wide_as_it_must_be_at_any_value(width: int, value: float) -> None:
    line = Scale.of(space(1)).line(0, value, width)
    assert len(line) == width and line.count("●") == 1


def test_a_dimension_that_never_varies_can_be_moved() -> None:
    equal = SliderSpace(np.array([3.0]), np.array([3.0]), [("all", np.array([3.0]))], None)
    assert Scale.of(equal).step[0] > 0
    assert Scale.of(equal).line(0, 3.0, 21)[10] == "●"


async def test_the_mouse_takes_hold_of_a_slider_and_moves_it() -> None:
    app = SlidersApp()
    async with app.run_test(size=(60, 12)) as pilot:
        sliders = await opened(pilot, 30)
        await pilot.press("end", *["down"] * 12)
        before = lines(pilot)
        name = before[2].split()[0].lstrip("▸")
        place, index = before[2].index("●"), int(name[1:]) - 1
        await pilot.mouse_down(LatentSliders, offset=(place + 1 + 8, 3))
        await pilot.hover(LatentSliders, offset=(place + 1 + 5, 6))  # the row no longer matters
        await pilot.mouse_up(LatentSliders, offset=(place + 1 + 5, 6))
        after = lines(pilot)
        assert after[2].index("●") == place + 5 and after[2].startswith(f"▸{name}")
        moved = [n for n, value in enumerate(app.moves[-1]) if value]
        assert moved == [index] and app.moves[-1][index] > 0
        await pilot.hover(LatentSliders, offset=(place + 1, 3))  # it was let go
        assert lines(pilot) == after
        assert str(sliders.border_title) == f"Dimension {index + 1} of 30"
        await pilot._post_mouse_events([MouseScrollDown], LatentSliders)
        assert str(sliders.border_title) == f"Dimension {index + 2} of 30"
