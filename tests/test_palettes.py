"""The class colours, measured with published models of sight."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray
from rich.color import Color, ColorSystem

from tui_latent.palettes import (
    CLASS_COLORS,
    RUN_COLORS,
    SERIES_COLORS,
    class_color,
    class_glyph,
    run_colors,
    series_color,
)

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


def linear(color: tuple[int, int, int]) -> NDArray[np.float64]:
    c = np.array(color) / 255
    return np.asarray(np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4))


def lab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return CIE L*a*b* (D65) of linear sRGB."""
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    t = to_xyz @ np.clip(rgb, 0, 1) / np.array([0.9505, 1.0, 1.089])
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("colors", [CLASS_COLORS, RUN_COLORS], ids=["classes", "runs"])
@pytest.mark.parametrize("sight", SIGHT)
def test_every_two_colors_stay_apart_for_every_eye(
    sight: str, colors: tuple[tuple[int, int, int], ...]
) -> None:
    seen = [lab(SIGHT[sight] @ linear(color)) for color in colors]
    nearest = min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2))
    # About 2.3 is a just noticeable difference of two areas side by side.
    assert nearest > 4 * 2.3


@pytest.mark.parametrize("background", [(255, 255, 255), (18, 18, 18)], ids=["light", "dark"])
def test_every_color_is_seen_on_light_and_dark(background: tuple[int, int, int]) -> None:
    weights = np.array([0.2126, 0.7152, 0.0722])
    behind = weights @ linear(background)
    for color in CLASS_COLORS + RUN_COLORS:
        front = weights @ linear(color)
        assert (max(front, behind) + 0.05) / (min(front, behind) + 0.05) > 2


def test_terminals_with_256_colors_show_the_same_colors() -> None:
    for color in CLASS_COLORS + RUN_COLORS:
        shown = Color.from_rgb(*color).downgrade(ColorSystem.EIGHT_BIT)
        assert tuple(shown.get_truecolor()) == color


def test_more_classes_than_colors_differ_by_color_or_glyph() -> None:
    looks = {(class_color(index), class_glyph(index)) for index in range(300)}
    assert len(looks) == 300
    assert len({class_glyph(index) for index in range(62)}) == 62


def test_more_curves_than_colors_begin_again() -> None:
    assert [series_color(i) for i in range(len(SERIES_COLORS))] == list(SERIES_COLORS)
    assert series_color(len(SERIES_COLORS)) == SERIES_COLORS[0]


def test_a_run_keeps_its_color_whatever_the_order_and_when_later_runs_join() -> None:
    names = [f"2026112{day}-120000-digits" for day in range(8)]
    colors = run_colors(names)
    assert len(set(colors.values())) == 8
    assert run_colors(reversed(names)) == colors
    for count in range(1, 8):
        assert run_colors(names[:count]).items() <= colors.items()
    assert run_colors([*names, "9 more"]).keys() == {*names, "9 more"}
