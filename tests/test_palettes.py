"""The colours of the data, measured with published formulas and models of sight."""

from __future__ import annotations

import math
from itertools import combinations, pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from rich.color import Color, ColorSystem
from textual.color import Color as ThemeColor
from textual.theme import BUILTIN_THEMES

from tui_latent.palettes import (
    DARK,
    LIGHT,
    RAMP_GLYPHS,
    RGB,
    Palette,
    class_color,
    class_glyph,
    class_mark,
    class_variable,
    css_variables,
    run_colors,
    series_color,
    use_class_colors,
    use_sixteen_colors,
)
from tui_latent.tui.charts.scatter import class_coloring

# Machado, Oliveira & Fernandes 2009, severity 1.0, on linear sRGB.
SIGHT = {
    "normal": np.eye(3),
    "protanope": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranope": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanope": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


PALETTES = pytest.mark.parametrize("palette", [DARK, LIGHT], ids=["dark", "light"])
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def linear(color: RGB) -> NDArray[np.float64]:
    c = np.array(color) / 255
    return np.asarray(np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4))


def lab(rgb: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return CIE L*a*b* (D65) of linear sRGB."""
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    t = to_xyz @ np.clip(rgb, 0, 1) / np.array([0.9505, 1.0, 1.089])
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29).tolist()
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


def ciede2000(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    """Return the difference of two colours, as Sharma, Wu & Dalal 2005 compute it."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean = ((math.hypot(a1, b1) + math.hypot(a2, b2)) / 2) ** 7
    g = 0.5 * (1 - math.sqrt(mean / (mean + 25**7)))
    a1, a2 = (1 + g) * a1, (1 + g) * a2
    c1, c2 = math.hypot(a1, b1), math.hypot(a2, b2)
    h1, h2 = math.degrees(math.atan2(b1, a1)) % 360, math.degrees(math.atan2(b2, a2)) % 360
    turn = 0.0 if c1 * c2 == 0 else (h2 - h1 + 180) % 360 - 180
    dl, dc = l2 - l1, c2 - c1
    dh = 2 * math.sqrt(c1 * c2) * math.sin(math.radians(turn / 2))
    light, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    hue = h1 + h2 if c1 * c2 == 0 else h1 + turn / 2
    t = 1 - 0.17 * math.cos(math.radians(hue - 30)) + 0.24 * math.cos(math.radians(2 * hue))
    t += 0.32 * math.cos(math.radians(3 * hue + 6)) - 0.2 * math.cos(math.radians(4 * hue - 63))
    sl = 1 + 0.015 * (light - 50) ** 2 / math.sqrt(20 + (light - 50) ** 2)
    sc, sh = 1 + 0.045 * chroma, 1 + 0.015 * chroma * t
    cold = 60 * math.exp(-((((hue % 360) - 275) / 25) ** 2))
    rotation = -2 * math.sqrt(chroma**7 / (chroma**7 + 25**7)) * math.sin(math.radians(cold))
    squares = (dl / sl) ** 2 + (dc / sc) ** 2 + (dh / sh) ** 2
    return math.sqrt(squares + rotation * (dc / sc) * (dh / sh))


def test_the_difference_agrees_with_the_published_examples() -> None:
    # Of the table in Sharma, Wu & Dalal 2005.
    examples = [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ]
    for one, other, expected in examples:
        assert ciede2000(one, other) == pytest.approx(expected, abs=1e-4)


def seen(color: RGB, sight: str) -> tuple[float, float, float]:
    return lab(SIGHT[sight] @ linear(color))


def contrast(front: RGB, behind: RGB) -> float:
    low, high = sorted(float(LUMINANCE @ linear(color)) for color in (front, behind))
    return (high + 0.05) / (low + 0.05)


@PALETTES
@pytest.mark.parametrize("sight", SIGHT)
def test_every_two_colors_stay_apart_for_every_eye(sight: str, palette: Palette) -> None:
    for colors in (palette.classes, palette.runs, palette.series):
        for one, other in combinations(colors, 2):
            assert ciede2000(seen(one, sight), seen(other, sight)) >= 10, (one, other)


def everything(palette: Palette) -> list[RGB]:
    of_all = palette.classes + palette.runs + palette.series + palette.ramp
    return [*of_all, palette.muted]


@PALETTES
def test_every_color_is_seen_on_the_background_of_every_theme(palette: Palette) -> None:
    for name, theme in BUILTIN_THEMES.items():
        background = theme.to_color_system().generate()["background"]
        if theme.dark is (palette is DARK) and not background.startswith("ansi"):
            behind = ThemeColor.parse(background).rgb
            for color in everything(palette):
                assert contrast(color, behind) >= 3, (name, color)
    paper = (18, 18, 18) if palette is DARK else (255, 255, 255)
    assert min(contrast(color, paper) for color in everything(palette)) >= 3


@PALETTES
@pytest.mark.parametrize("sight", SIGHT)
def test_a_ramp_leads_away_from_the_background_in_steps_that_every_eye_sees(
    sight: str, palette: Palette
) -> None:
    levels = [seen(color, sight) for color in palette.ramp]
    lightness = [level[0] for level in levels]
    assert lightness == sorted(lightness, reverse=palette is LIGHT)
    assert all(ciede2000(low, high) >= 7.5 for low, high in pairwise(levels))
    assert len(RAMP_GLYPHS) == len(levels)


@PALETTES
def test_terminals_with_256_colors_show_the_same_colors(palette: Palette) -> None:
    for color in everything(palette):
        shown = Color.from_rgb(*color).downgrade(ColorSystem.EIGHT_BIT)
        assert tuple(shown.get_truecolor()) == color


def test_more_classes_than_colors_differ_by_color_or_glyph() -> None:
    for dark in (True, False):
        looks = {(class_color(index, dark), class_glyph(index)) for index in range(300)}
        assert len(looks) == 300
    assert len({class_glyph(index) for index in range(62)}) == 62


def test_a_dot_stands_for_a_class_only_where_its_color_is_enough() -> None:
    assert {class_mark(index, 10, colored=True) for index in range(10)} == {"●"}
    assert [class_mark(index, 11, colored=True) for index in (0, 10)] == ["0", "a"]
    assert class_mark(3, 4, colored=False) == "3"


def test_more_curves_than_colors_begin_again() -> None:
    assert [series_color(i) for i in range(len(DARK.series))] == list(DARK.series)
    assert series_color(len(DARK.series)) == DARK.series[0]


def test_a_run_keeps_its_color_whatever_the_order_and_when_later_runs_join() -> None:
    names = [f"2026112{day}-120000-digits" for day in range(8)]
    colors = run_colors(names)
    assert len(set(colors.values())) == 8
    assert list(run_colors(names, dark=False)) == list(colors)
    assert run_colors(reversed(names)) == colors
    for count in range(1, 8):
        assert run_colors(names[:count]).items() <= colors.items()
    assert run_colors([*names, "9 more"]).keys() == {*names, "9 more"}


def test_own_colours_of_classes_are_used_on_both_backgrounds_and_left_again() -> None:
    usual = class_color(0)
    try:
        use_class_colors(["#0072b2", "#e69f00"])
        for dark in (True, False):
            assert [class_color(index, dark) for index in range(3)] == [
                (0, 0x72, 0xB2),
                (0xE6, 0x9F, 0),
                (0, 0x72, 0xB2),
            ]
            assert css_variables(dark) == {"class-0": "rgb(0,114,178)", "class-1": "rgb(230,159,0)"}
        assert class_variable(2) == "$class-0"
        # A third class has the colour of the first, so both need their glyphs.
        assert class_mark(0, 3, colored=True) == "0" and class_mark(0, 2, colored=True) == "●"
    finally:
        use_class_colors([])
    assert class_color(0) == usual


def test_classes_have_their_glyphs_where_sixteen_colours_would_make_them_one() -> None:
    shown = [
        Color.from_rgb(*class_color(index, dark=False)).downgrade(ColorSystem.STANDARD).number
        for index in range(3)
    ]
    assert shown[1] == shown[2], "two classes of a light screen are the same red"
    coloring = class_coloring(np.arange(3), ("a", "b", "c"))
    try:
        use_sixteen_colors(True)
        assert [class_mark(index, 3, colored=True) for index in range(3)] == ["0", "1", "2"]
        assert coloring.needs_glyphs
    finally:
        use_sixteen_colors(False)
    assert class_mark(1, 3, colored=True) == "●" and not coloring.needs_glyphs
