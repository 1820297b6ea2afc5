"""What a map says about the points beyond it, against a loop over the points."""

from __future__ import annotations

import numpy as np
from textual.strip import Strip

from tests.tui.made_runs import clusters
from tui_latent.map_frame import settle_frame
from tui_latent.runs.schema import LatentMap
from tui_latent.tui.charts.outside_marks import lay_outside_marks, outside_counts
from tui_latent.tui.charts.scatter import map_scene
from tui_latent.tui.charts.scatter_drawing import draw_map
from tui_latent.tui.charts.window import Window

STRAYS = [(60.0, 3.0)] * 12 + [(0.0, -80.0)] * 2 + [(-70.0, 0.0)]


def with_strays() -> LatentMap:
    made = clusters(1500, 10)
    points = made.points.copy()
    points[: len(STRAYS)] = STRAYS
    return LatentMap(made.step, points, made.indices, made.labels, made.class_names)


def test_points_beyond_each_side_are_counted() -> None:
    strays = with_strays()
    frame = settle_frame(strays.points)
    assert frame is not None and frame.right < 15
    window = Window.around(frame, 74, 36)
    assert outside_counts(strays.points, window) == (1, 12, 0, 2)
    inside = sum(window.contains(*point) for point in strays.points.tolist())
    assert inside == 1500 - len(STRAYS)


def test_the_map_says_how_many_points_lie_in_which_direction() -> None:
    strays = with_strays()
    frame = settle_frame(strays.points)
    for axes in (True, False):
        drawing = draw_map(map_scene(strays, axes=axes), frame, 74, 36, colored=True)
        lines = [strip.text for strip in drawing.strips]
        assert all(strip.cell_length == 74 for strip in drawing.strips)
        middle = next(line for line in lines if "12 outside →" in line)
        assert middle.rstrip().endswith("12 outside →") and "← 1 outside" in middle
        assert sum("↓ 2 outside" in line for line in lines) == 1
        assert not any("↑" in line for line in lines)


def test_without_points_beyond_nothing_is_said() -> None:
    made = clusters(500, 5)
    blank = [Strip.blank(74)] * 36
    window = Window.around(settle_frame(made.points), 74, 36)  # type: ignore[arg-type]
    assert lay_outside_marks(blank, made.points, window) == blank
    assert lay_outside_marks(blank, np.empty((0, 2)), window) == blank
