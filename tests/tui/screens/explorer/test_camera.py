"""Clouds as the camera sees them, against rotation matrices and single points."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from tui_latent.map_frame import Frame
from tui_latent.palettes import class_color
from tui_latent.tui.charts.scatter import Scene, class_coloring
from tui_latent.tui.charts.scatter_drawing import paint_scene
from tui_latent.tui.charts.window import Window
from tui_latent.tui.screens.explorer.camera import Camera

CLOUD = np.random.default_rng(0).normal(size=(400, 3)) * (3, 1, 2)


def rotation(camera: Camera) -> NDArray[np.float64]:
    """Return the matrix of a turn about the vertical axis and then about the horizontal one."""
    c, s = math.cos(camera.yaw), math.sin(camera.yaw)
    about_y = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    c, s = math.cos(camera.pitch), math.sin(camera.pitch)
    about_x = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    return np.asarray(about_x @ about_y)


@pytest.mark.parametrize("camera", [Camera(), Camera(2.0, -0.7), Camera(0, 0).turned(5, 3)])
def test_the_nearest_point_is_the_one_towards_the_eye(camera: Camera) -> None:
    turned = CLOUD @ rotation(camera).T
    assert np.allclose(camera.seen(CLOUD), turned[:, :2])
    near = camera.nearness(CLOUD)
    assert near.min() == 0 and near.max() == 1
    assert np.argsort(near).tolist() == np.argsort(turned[:, 2]).tolist()


def test_a_cloud_that_turns_keeps_its_size() -> None:
    camera, sizes = Camera(), set()
    for _ in range(10):
        camera = camera.spun().turned(2, 1)
        frame = camera.frame(CLOUD)
        sizes.add(round(frame.right - frame.left, 9))
        x, y = camera.seen(CLOUD).T
        inside = (x > frame.left) & (x < frame.right) & (y > frame.bottom) & (y < frame.top)
        assert inside.mean() > 0.98
    assert len(sizes) == 1


def test_the_axes_point_along_the_dimensions() -> None:
    camera = Camera(0, 0)
    across, up, towards = camera.axes(CLOUD)
    assert [rod.name for rod in (across, up, towards)] == ["x", "y", "z"]
    assert across.end[1] == pytest.approx(across.start[1]) and across.end[0] > across.start[0]
    assert up.end[0] == pytest.approx(up.start[0]) and up.end[1] > up.start[1]
    assert towards.end == pytest.approx(towards.start), "it points to the eye"


def test_points_that_are_not_finite_have_a_place_all_the_same() -> None:
    cloud = CLOUD.copy()
    cloud[3] = np.nan
    assert np.isfinite(Camera().nearness(cloud)).all()
    empty = np.full((2, 3), np.nan)
    assert Camera().frame(empty).right > 0 and len(Camera().axes(empty)) == 3


def test_a_near_point_covers_a_far_one_and_is_brighter() -> None:
    points, labels = np.zeros((4, 2)), np.array([0, 0, 0, 1])
    scene = Scene(points, class_coloring(labels, "ab"), np.ones(4, np.bool_))
    window = Window.around(Frame(-1, 1, -1, 1), 20, 10)

    def color(nearness: list[float]) -> tuple[int, ...]:
        strips, _ = paint_scene(replace(scene, nearness=np.array(nearness)), window, True)
        [[style]] = [[s.style for s in row if s.text.strip()] for row in strips if row.text.strip()]
        assert style is not None and style.color is not None and style.color.triplet
        return tuple(style.color.triplet)

    assert color([0, 0, 0, 1]) == class_color(1), "one near point of four"
    assert color([1, 1, 1, 0]) == class_color(0)
    far = color([0, 0, 0, 0])
    assert all(part <= whole for part, whole in zip(far, class_color(0), strict=True))
    assert sum(far) < 0.5 * sum(class_color(0))


def test_without_colour_near_points_are_bold() -> None:
    points = np.array([[-0.5, 0.0], [0.5, 0.0]])
    scene = Scene(
        points,
        class_coloring(np.array([0, 1]), "ab"),
        np.ones(2, np.bool_),
        nearness=np.array([0.0, 1.0]),
    )
    strips, _ = paint_scene(scene, Window.around(Frame(-1, 1, -1, 1), 20, 10), False)
    marks = {s.text.strip(): s.style for row in strips for s in row if s.text.strip()}
    assert marks["1"] is not None and marks["1"].bold
    assert not (marks["0"] and marks["0"].bold)
