"""The paths of the points that moved farthest, against a loop over the points."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from tests.tui.made_runs import clusters
from tui_latent.tui.screens.explorer.trails import movers_paths, trail_rods

BEFORE = clusters(200, 4, seed=1)
SHIFT = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
AFTER = replace(BEFORE, points=BEFORE.points + SHIFT)


def test_the_farthest_moved_points_have_paths() -> None:
    paths = movers_paths([BEFORE, BEFORE], AFTER)
    far = sorted(
        range(200), key=lambda i: -math.dist(BEFORE.points[i].tolist(), AFTER.points[i].tolist())
    )
    assert list(paths) == far[:12]
    for index, path in paths.items():
        assert path.tolist() == [
            BEFORE.points[index].tolist(),
            BEFORE.points[index].tolist(),
            AFTER.points[index].tolist(),
        ]


def test_maps_of_other_images_and_missing_ones_are_left_out() -> None:
    other = replace(BEFORE, indices=BEFORE.indices + 1)
    assert movers_paths([], AFTER) == {} == movers_paths([None, other], AFTER)
    assert all(len(path) == 2 for path in movers_paths([other, None, BEFORE], AFTER).values())


def test_points_that_are_not_finite_or_did_not_move_have_no_path() -> None:
    points = BEFORE.points.copy()
    points[0] = np.nan
    points[1] += 3
    assert list(movers_paths([BEFORE], replace(BEFORE, points=points))) == [1]


def test_hidden_points_have_no_line() -> None:
    paths = movers_paths([BEFORE, BEFORE], AFTER)
    values, visible = np.asarray(BEFORE.labels), np.ones(200, np.bool_)
    lines = trail_rods(paths, values, visible)
    assert len(lines) == 2 * len(paths)
    assert {line.value for line in lines} == {int(values[index]) for index in paths}
    visible[:] = False
    assert trail_rods(paths, values, visible) == ()
