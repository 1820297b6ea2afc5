"""The map with its legend, at any size and with any number of classes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style

from tests.tui.made_runs import clusters
from tui_latent.map_frame import settle_frame
from tui_latent.runs.schema import LatentMap
from tui_latent.tui.charts.panel import message_strips
from tui_latent.tui.charts.scatter import map_scene
from tui_latent.tui.charts.scatter_drawing import draw_map, paint_scene, scene_legend
from tui_latent.tui.charts.window import Window


def drawn(latent_map: LatentMap, width: int, height: int, colored: bool = True) -> list[str]:
    scene = map_scene(latent_map, axes=True, legend=True)
    drawing = draw_map(scene, settle_frame(latent_map.points), width, height, colored)
    assert all(strip.cell_length == width for strip in drawing.strips)
    return [strip.text for strip in drawing.strips]


@pytest.mark.slow
@given(
    classes=st.integers(1, 120),
    width=st.integers(1, 90),
    height=st.integers(1, 40),
    colored=st.booleans(),
)
def test_it_fills_any_panel(classes: int, width: int, height: int, colored: bool) -> None:
    assert len(drawn(clusters(150, classes), width, height, colored)) == height


def test_every_class_is_named_once_near_its_points() -> None:
    latent_map = clusters(4000, 4, spread=0.1)
    lines = drawn(latent_map, 60, 30)[:-1]
    for index, name in enumerate(latent_map.class_names):
        row, column = next(
            (r, line.rindex(name)) for r, line in enumerate(lines[:-2]) if name in line[6:]
        )
        x, y = latent_map.points[latent_map.labels == index].mean(axis=0)
        assert (column > 33) == (x > 1) or abs(x) <= 1
        assert (row < 13) == (y > 1) or abs(y) <= 1


def test_labels_beyond_the_names_are_numbers() -> None:
    points = np.array([[0, 0], [5, 5]], dtype=np.float32)
    latent_map = LatentMap(1, points, np.arange(2), np.array([0, 7]), ("a",))
    assert any("7" in line for line in drawn(latent_map, 40, 12))


def test_a_long_legend_says_how_many_classes_it_leaves_out() -> None:
    scene = map_scene(clusters(200, 100), legend=True)
    scene = replace(
        scene,
        coloring=replace(scene.coloring, names=tuple(f"class {index}" for index in range(100))),
    )
    lines = [strip.text.rstrip() for strip in scene_legend(scene, 50, colored=True)]
    assert len(lines) == 2
    shown = sum(line.count("class") for line in lines)
    assert lines[-1].endswith(f"… {100 - shown} more")


def test_a_sentence_is_centred_and_wrapped() -> None:
    lines = [strip.text for strip in message_strips("The map comes at step 60.", 20, 5)]
    assert [line.strip() for line in lines if line.strip()] == ["The map comes at", "step 60."]
    assert all(len(line) <= 20 for line in lines)


@pytest.mark.parametrize("dark", [True, False])
@pytest.mark.parametrize("colored", [True, False])
def test_points_of_a_cloud_dim_with_their_distance(dark: bool, colored: bool) -> None:
    latent_map = clusters(3, 1)
    points = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]], np.float32)
    scene = replace(map_scene(latent_map), points=points, nearness=np.array([0.0, 0.5, 1.0]))
    frame = settle_frame(points)
    assert frame is not None
    window = Window.around(frame, 30, 12)
    strips, hidden = paint_scene(scene, window, colored, dark)
    shown = [part.style or Style() for strip in strips for part in strip if part.text.strip()]
    far, middle, near = reversed(shown)  # the lowest point is the farthest
    assert hidden == 0 and near.bold and not middle.bold and not far.bold
    if colored:
        ground = 0 if dark else 255
        contrast = [
            sum(abs(part - ground) for part in style.color.triplet)  # type: ignore[union-attr]
            for style in (far, middle, near)
        ]
        assert contrast == sorted(set(contrast)) and not far.dim
    else:
        assert far.dim and not middle.dim and not near.dim
