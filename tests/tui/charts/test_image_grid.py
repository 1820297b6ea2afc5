"""Images in cells: every pixel where it belongs, at any size, on any screen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.widget import Widget

from tui_latent.tui.charts import image_grid as pixels
from tui_latent.tui.charts.image_cells import (
    Layout,
    Pixels,
    arrange,
    fit,
    framed,
    half_blocks,
    shades,
    stacked,
)
from tui_latent.tui.charts.image_grid import ImageSheet, Tile

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def image(*rows: Sequence[tuple[int, int, int]]) -> Pixels:
    return np.array(rows, np.uint8)


def seen(lines: Sequence[Sequence[Segment]]) -> NDArray[np.int64]:
    """Return (2h, w, 3) as a terminal would paint lines of cells; -1 where nothing is painted."""
    painted = []
    for line in lines:
        upper: list[tuple[int, ...]] = []
        lower: list[tuple[int, ...]] = []
        for text, style, _ in line:
            front = style.color if style is not None else None
            back = style.bgcolor if style is not None else None
            nothing = (-1, -1, -1)
            fore = tuple(front.get_truecolor()) if front is not None else nothing
            behind = tuple(back.get_truecolor()) if back is not None else nothing
            for character in text:
                above, below = {"▀": (fore, behind), "▄": (behind, fore), " ": (behind, behind)}[
                    character
                ]
                upper.append(above)
                lower.append(below)
        painted += [upper, lower]
    return np.array(painted)


def area_mean(values: NDArray[Any], height: int, width: int) -> NDArray[np.float64]:
    """Average areas with plain loops: the reference for scaling down."""
    rows, columns = values.shape[:2]
    out = np.zeros((height, width, values.shape[2]))
    for y in range(height):
        for x in range(width):
            top, bottom = y * rows / height, (y + 1) * rows / height
            left, right = x * columns / width, (x + 1) * columns / width
            weight = 0.0
            for r in range(int(top), math.ceil(bottom - 1e-9)):
                for c in range(int(left), math.ceil(right - 1e-9)):
                    part = (min(bottom, r + 1) - max(top, r)) * (min(right, c + 1) - max(left, c))
                    out[y, x] += part * values[r, c]
                    weight += part
            out[y, x] /= weight
    return out


def test_two_pixels_stand_above_each_other_in_a_cell() -> None:
    colours = image([RED, RED, WHITE], [RED, GREEN, BLUE])
    [line] = half_blocks(framed(colours, 2, 3))
    assert "".join(segment.text for segment in line) == " ▀▀"
    assert (seen([line]) == colours).all()


@given(st.integers(1, 7), st.integers(1, 7), st.integers(0, 2**32 - 1))
def test_every_pixel_is_painted_in_its_colour(height: int, width: int, seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (2 * height, width, 3), np.uint8)
    assert (seen(half_blocks(framed(noise, 2 * height, width))) == noise).all()


def test_an_odd_last_row_leaves_the_half_below_to_the_screen() -> None:
    colours = image([RED], [GREEN], [BLUE])
    painted = seen(half_blocks(framed(colours, 4, 1)))
    assert painted[:3, 0].tolist() == [list(RED), list(GREEN), list(BLUE)]
    assert painted[3, 0].tolist() == [-1, -1, -1]


def test_small_images_grow_by_whole_factors_and_stay_crisp() -> None:
    colours = image([RED, GREEN], [BLUE, WHITE])
    grown = fit(colours, 7, 9)
    assert (grown == np.kron(colours, np.ones((3, 3, 1), np.uint8))).all()
    painted = seen(half_blocks(framed(colours, 10, 9)))
    assert (painted[1:9, :8] == np.kron(colours, np.ones((4, 4, 1), np.uint8))).all()
    assert (painted[[0, 9]] == -1).all() and (painted[:, 8] == -1).all()


@pytest.mark.parametrize(("height", "width"), [(10, 10), (13, 13), (20, 9), (1, 1)])
def test_large_images_shrink_to_the_mean_of_their_areas(height: int, width: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (28, 28, 3), np.uint8)
    side = min(height, width)
    shrunk = fit(noise, height, width)
    assert shrunk.shape == (side, side, 3)
    assert np.abs(shrunk - area_mean(noise, side, side)).max() <= 0.5 + 1e-9


def test_grey_images_come_with_and_without_a_channel() -> None:
    grey = np.arange(6, dtype=np.uint8).reshape(2, 3) * 40
    assert (fit(grey, 2, 3) == fit(grey[..., None], 2, 3)).all()
    assert (fit(grey, 2, 3) == np.repeat(grey[..., None], 3, axis=2)).all()


@given(
    st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.booleans()
)
def test_fitting_never_leaves_its_frame(
    rows: int, columns: int, height: int, width: int, grey: bool
) -> None:
    shape = (rows, columns) if grey else (rows, columns, 3)
    fitted = fit(np.full(shape, 7, np.uint8), height, width)
    assert 1 <= fitted.shape[0] <= height and 1 <= fitted.shape[1] <= width
    assert (fitted == 7).all()
    framed_image = framed(np.full(shape, 7, np.uint8), height, width)
    assert framed_image[..., 3].any()


def test_without_colour_light_becomes_ink_on_dark_and_paper_on_light_screens() -> None:
    ramp = np.repeat(np.array([[0, 64, 128, 192, 255]], np.uint8), 2, axis=0)
    frame = framed(ramp, 2, 5)
    assert [segment.text for [segment] in shades(frame)] == [" ░▒▓█"]
    assert [segment.text for [segment] in shades(frame, dark=False)] == ["█▓▒░ "]
    half = framed(np.array([[0], [255]], np.uint8), 2, 1)
    assert shades(half)[0][0].text == "▒"


@given(
    st.integers(4, 250),
    st.integers(2, 80),
    st.integers(1, 300),
    st.integers(1, 300),
    st.integers(1, 30),
    st.sampled_from([(1, 2), (10, 20), (7, 15)]),
)
def test_tiles_stand_apart_and_within_the_screen(
    width: int, height: int, rows: int, columns: int, at_least: int, cell: tuple[int, int]
) -> None:
    layout = arrange(width, height, (rows, columns), at_least, cell)
    if layout is None:
        return
    taken: set[tuple[int, int]] = set()
    for number in range(-1, layout.capacity):
        x, y = layout.place(number)
        cells = {
            (x + across, y + down)
            for across in range(layout.tile_width)
            for down in range(layout.tile_height + 1)  # the caption
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < width and max(y for _, y in cells) < height
        taken |= cells
    assert max(x for x, _ in taken) + 1 <= layout.width


@pytest.mark.parametrize(
    ("size", "shape", "expected"),
    [
        ((118, 35), (28, 28), Layout(28, 14, 3, 2)),  # MNIST pixel by pixel
        ((118, 35), (8, 8), Layout(24, 12, 3, 2)),  # digits three times as large
        ((78, 19), (28, 28), Layout(16, 8, 3, 2)),  # MNIST made smaller
        ((20, 3), (28, 28), None),
    ],
)
def test_tiles_are_as_large_as_six_of_them_fit(
    size: tuple[int, int], shape: tuple[int, int], expected: Layout | None
) -> None:
    assert arrange(*size, shape, 6) == expected


def test_where_six_do_not_fit_it_is_as_many_as_do() -> None:
    layout = arrange(20, 6, (28, 28), 6)
    assert layout is not None and 1 <= layout.capacity < 6


class SheetApp(App[None]):
    """Shows a sheet of a digit and eight copies of it."""

    def __init__(self) -> None:
        super().__init__()
        self.sheet = ImageSheet()

    def compose(self) -> ComposeResult:
        yield self.sheet

    def on_mount(self) -> None:
        self.sheet.say("nothing yet")

    def show(self, side: int = 4) -> None:
        ramp = np.arange(side * side, dtype=np.uint8).reshape(side, side)
        tiles = [Tile(ramp + 10 * n, f"[b]{n} of class") for n in range(8)]
        self.sheet.show(Tile(ramp, "left", "bold"), tiles, at_least=8)


def lines_of(sheet: ImageSheet) -> list[str]:
    return [sheet.render_line(y).text for y in range(sheet.size.height)]


async def test_a_sheet_is_images_with_captions_below() -> None:
    app = SheetApp()
    async with app.run_test(size=(70, 12)) as pilot:
        assert lines_of(app.sheet)[0].strip() == "nothing yet"
        app.show()
        await pilot.pause()
        layout = arrange(70, 12, (4, 4), 8)
        assert layout is not None and app.sheet.shown == 8
        strips = [list(app.sheet.render_line(y)) for y in range(12)]
        ramp = np.arange(16).reshape(4, 4)
        scale = layout.tile_width // 4
        for number in (-1, 0, 7):
            x, y = layout.place(number)
            painted = seen(strips[y : y + layout.tile_height])[:, x : x + layout.tile_width]
            expected = np.kron(ramp + 10 * max(number, 0), np.ones((scale, scale), int))
            assert (painted == expected[..., None]).all()
            caption = lines_of(app.sheet)[y + layout.tile_height][x : x + layout.tile_width]
            assert caption.strip()[:3] in ("lef", "[b]")
        assert [len(line) for line in lines_of(app.sheet)] == [70] * 12


async def test_a_sheet_without_room_says_so_and_recovers() -> None:
    app = SheetApp()
    async with app.run_test(size=(60, 3)) as pilot:
        app.show(28)
        await pilot.pause()
        assert "too small for images" in " ".join(lines_of(app.sheet))
        await pilot.resize_terminal(100, 30)
        await pilot.pause()
        assert "too small for images" not in " ".join(lines_of(app.sheet))
        assert app.sheet.shown == 8


async def test_no_color_draws_shades(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = SheetApp()
    async with app.run_test(size=(70, 12)) as pilot:
        light = np.full((4, 4, 3), 255, np.uint8)
        app.sheet.show(Tile(light, "white"), [Tile(light // 2, "grey")], at_least=1)
        await pilot.pause()
        text = "".join(lines_of(app.sheet))
        assert "█" in text and "▒" in text and "▀" not in text


class FakeTerminalImage(Widget):
    """Stands for textual-image's widget."""

    def __init__(self, image: Image.Image, classes: str) -> None:
        super().__init__(classes=classes)
        self.image = image


async def test_real_pixels_are_one_image_per_row_and_leave_with_the_images(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pixels, "_image_widget", FakeTerminalImage)
    monkeypatch.setattr(pixels, "cell_pixels", lambda: (10, 20))
    app = SheetApp()
    async with app.run_test(size=(70, 20)) as pilot:
        app.show()
        await pilot.pause()
        layout = arrange(70, 20, (4, 4), 8, (10, 20))
        assert layout is not None
        rows = list(app.query(FakeTerminalImage))
        assert len(rows) == layout.rows
        for number, row in enumerate(rows):
            y = number * (layout.tile_height + 2)
            assert row.region == (0, y, layout.width, layout.tile_height)
            assert row.image.size == (layout.width * 10, layout.tile_height * 20)
        array = np.asarray(rows[0].image)
        assert (array[:, : 3 * layout.tile_width * 10, 3] > 0).any()
        gap = slice(layout.tile_width * 10, (layout.tile_width + 3) * 10)
        assert (array[:, gap, 3] == 0).all()
        crisp = set(array[..., 0][array[..., 3] > 0].ravel().tolist())
        assert crisp <= {value + 10 * n for value in range(16) for n in range(8)}
        assert "left" in lines_of(app.sheet)[layout.tile_height]
        app.show(8)
        app.sheet.say("gone")
        await pilot.pause()
        assert not app.query(FakeTerminalImage)


def test_a_pair_keeps_nothing_between_its_images_at_any_size() -> None:
    upper, lower = np.full((8, 8, 1), 90, np.uint8), np.full((8, 8, 1), 30, np.uint8)
    pair = stacked(upper, lower)
    assert pair.shape == (17, 8, 4)
    for height in (5, 9, 17, 34, 60):
        painted = seen(half_blocks(framed(pair, 2 * height, 2 * height)))
        rows = {tuple(sorted({int(value) for value in row.flat})) for row in painted}
        values = {value for row in rows for value in row}
        assert {90, 30} <= values <= {-1, *range(30, 91)}, "nothing darkens what is beside it"
        assert (-1,) in rows or height < 17, "a row of nothing"


def test_one_image_alone_is_as_large_as_it_fits() -> None:
    layout = arrange(40, 20, (8, 8), at_least=0)
    assert layout is not None
    assert (layout.tile_width, layout.tile_height) == (32, 16) and layout.width == 32
    assert arrange(6, 20, (8, 8), at_least=0) is not None, "smaller than its pixels"
    assert arrange(40, 20, (8, 8), at_least=1) != layout, "room for another is kept"


def test_a_row_of_its_own_is_kept_for_images_below() -> None:
    for width, height in ((78, 17), (118, 33), (60, 20)):
        layout = arrange(width, height, (28, 28), at_least=3, rows_at_least=2)
        assert layout is not None and layout.rows >= 2
